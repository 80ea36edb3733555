"""U05: what is wrong with values that are bound to a program, or cannot be run yet."""

from unroll_dsl.backends.errors.maps import MapFails, NotAdjoint, NotAMap, NotLinear
from unroll_dsl.backends.errors.running import (
    ArithmeticFault,
    GradientRefused,
    NamesAlike,
    NoBackend,
    NoInfluence,
    NothingToRun,
    PhasesInvalid,
    RoleUnknown,
    SingularSystem,
    UnknownAlgorithm,
)
from unroll_dsl.backends.errors.sizes import (
    SizeContradiction,
    SizeInvalid,
    SizeUnknown,
)
from unroll_dsl.backends.errors.values import (
    DevicesDiffer,
    EmptyBounds,
    GivenTwice,
    MissingStart,
    NotFinite,
    OutsideBounds,
    RealInput,
    UnknownBinding,
    WrongCount,
    WrongDtype,
    WrongField,
    WrongShape,
)
from unroll_dsl.backends.errors.weights import WeightsMisfit

__all__ = [
    "ArithmeticFault",
    "DevicesDiffer",
    "EmptyBounds",
    "GivenTwice",
    "GradientRefused",
    "MapFails",
    "MissingStart",
    "NamesAlike",
    "NoBackend",
    "NoInfluence",
    "NotAMap",
    "NotAdjoint",
    "NotFinite",
    "NotLinear",
    "NothingToRun",
    "OutsideBounds",
    "PhasesInvalid",
    "RealInput",
    "RoleUnknown",
    "SingularSystem",
    "SizeContradiction",
    "SizeInvalid",
    "SizeUnknown",
    "UnknownAlgorithm",
    "UnknownBinding",
    "WeightsMisfit",
    "WrongCount",
    "WrongDtype",
    "WrongField",
    "WrongShape",
]
