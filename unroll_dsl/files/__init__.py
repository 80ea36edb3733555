"""Files as people have them: one reader of arrays, one of pictures, one of PyTorch's files.

Everything that reads a user's file reads it by `arrays.py`, `pictures.py` and `tensors.py`: the command line,
weights, data, protocols. What is read is data; nothing that a file holds is ever run. The names here cost no
import of numpy: `--help` knows all formats.
"""

from unroll_dsl.files.errors import CannotRead, MissingExtra
from unroll_dsl.files.formats import (
    ARRAYS,
    PICTURES,
    TABLES,
    WEIGHTS,
    array_formats,
    file_and_member,
    weight_formats,
)

__all__ = [
    "ARRAYS",
    "PICTURES",
    "TABLES",
    "WEIGHTS",
    "CannotRead",
    "MissingExtra",
    "array_formats",
    "file_and_member",
    "weight_formats",
]
