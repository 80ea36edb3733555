"""`__init__` of a network: setting.py, values.py, learnables.py, and all of it in writer.py."""

from unroll_dsl.backends.torch.constructor.setting import Argument
from unroll_dsl.backends.torch.constructor.writer import Constructor, ConstructorWriter

__all__ = ["Argument", "Constructor", "ConstructorWriter"]
