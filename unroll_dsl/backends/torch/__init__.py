"""The PyTorch backend: graph -> source text -> module. The text imports torch and nothing else."""

from unroll_dsl.backends.torch.module import Emitted, emit

__all__ = ["Emitted", "emit"]
