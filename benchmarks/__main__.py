"""Run benchmarks by name, or all of them, print their tables and draw their ratios."""

import subprocess
import sys
from importlib import import_module

from benchmarks.timing import keep_memory

# all but `peers`, which wants deepinv: `make bench-peers`, and `versions`, which wants another checkout;
# `draw` draws what has been measured
NAMES = (
    "compiler",
    "networks",
    "memory",
    "expert",
    "limit",
    "training",
    "looks",
    "super_resolution",
)


def main() -> int:
    """`python -m benchmarks`, `python -m benchmarks networks`, `... networks ista_net_plus`; with
    `--keep-memory` among them, without what it costs to take memory from the system."""
    words = [word for word in sys.argv[1:] if word != "--keep-memory"]
    if len(words) < len(sys.argv) - 1:
        keep_memory()
    first, rest = words[:1], words[1:]
    if first == ["versions"]:
        import_module("benchmarks.versions").run(*rest)
        return 0
    if first and first[0] not in (*NAMES, "peers", "draw"):
        known = ", ".join((*NAMES, "peers", "versions", "draw"))
        print(f"no benchmark {first[0]}; there is {known}", file=sys.stderr)
        return 2
    for name in first or (*NAMES, "draw"):
        module = import_module(f"benchmarks.{name}")
        cases = rest or list(getattr(module, "CASES", ()))
        if len(cases) < 2:
            module.run(*cases)
            continue
        for case in cases:  # in a process of its own: what one frees serves no other
            flags = [word for word in sys.argv[1:] if word == "--keep-memory"]
            command = [sys.executable, "-m", "benchmarks", *flags, name, case]
            subprocess.run(command, check=True)
    return 0


sys.exit(main())
