"""Random initial values: what `~ NAME(...)` may name, and the parameters of each with defaults.

The torch backend draws them with `torch.nn.init`; the meaning is that of its documentation.
"""

from collections.abc import Mapping

# for each name: its parameters with defaults, and the function of torch.nn.init that draws it
RANDOM: Mapping[str, tuple[tuple[tuple[str, float], ...], str]] = {
    "normal": ((("mean", 0.0), ("std", 1.0)), "normal_"),
    "uniform": ((("a", 0.0), ("b", 1.0)), "uniform_"),
    "xavier_normal": ((("gain", 1.0),), "xavier_normal_"),
    "xavier_uniform": ((("gain", 1.0),), "xavier_uniform_"),
    "kaiming_normal": ((("a", 0.0),), "kaiming_normal_"),
    "kaiming_uniform": ((("a", 0.0),), "kaiming_uniform_"),
}
