"""Run benchmarks by name, or all of them, and print their tables."""

import sys
from importlib import import_module

# all but `peers`, which wants deepinv: `make bench-peers`
NAMES = ("compiler", "networks", "expert", "limit", "training")


def main() -> int:
    """`python -m benchmarks`, `python -m benchmarks networks`, `... networks ista_net_plus`."""
    first, rest = sys.argv[1:2], sys.argv[2:]
    if first and first[0] not in (*NAMES, "peers"):
        print(f"no benchmark {first[0]}; there is {', '.join(NAMES)}, peers", file=sys.stderr)
        return 2
    for name in first or NAMES:
        import_module(f"benchmarks.{name}").run(*rest)
    return 0


sys.exit(main())
