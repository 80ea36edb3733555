"""`__init__` of a network: setting.py, values.py, learnables.py, and all of it in writer.py."""

from unroll_dsl.backends.torch.constructor.setting import InitArgument
from unroll_dsl.backends.torch.constructor.writer import Constructor, ConstructorWriter

__all__ = ["Constructor", "ConstructorWriter", "InitArgument"]
