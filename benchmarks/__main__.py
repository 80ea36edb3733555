"""Run benchmarks by name, or all of them, and print their tables."""

import sys
from importlib import import_module

from benchmarks.timing import keep_memory

# all but `peers`, which wants deepinv: `make bench-peers`
NAMES = ("compiler", "networks", "expert", "limit", "training")


def main() -> int:
    """`python -m benchmarks`, `python -m benchmarks networks`, `... networks ista_net_plus`; with
    `--keep-memory` among them, without what it costs to take memory from the system."""
    words = [word for word in sys.argv[1:] if word != "--keep-memory"]
    if len(words) < len(sys.argv) - 1:
        keep_memory()
    first, rest = words[:1], words[1:]
    if first and first[0] not in (*NAMES, "peers"):
        print(f"no benchmark {first[0]}; there is {', '.join(NAMES)}, peers", file=sys.stderr)
        return 2
    for name in first or NAMES:
        import_module(f"benchmarks.{name}").run(*rest)
    return 0


sys.exit(main())
