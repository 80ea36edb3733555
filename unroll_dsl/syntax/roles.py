"""What a declaration is, and who has its values."""

from enum import Enum


class Sharing(Enum):
    SHARED = "shared"
    PER_PHASE = "per phase"


class Role(Enum):
    INPUT = "input"
    FIXED = "fixed"
    LEARNABLE = "learnable"
