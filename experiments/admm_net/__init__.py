"""Deep ADMM-Net from its classical start (Yang, Sun, Li, Xu, 2016): 100 chest images, 20 % of k-space."""

from experiments.admm_net.run import run

__all__ = ["run"]
