"""ISTA-Net+ from scratch (Zhang and Ghanem, 2018): block compressive sensing at 25 %, tested on Set11."""

from experiments.ista_net_plus.run import run

__all__ = ["run"]
