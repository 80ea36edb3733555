"""Run benchmarks by name, or all of them, and print their tables."""

import sys
from importlib import import_module

NAMES = ("compiler",)


def main() -> int:
    wanted = sys.argv[1:] or NAMES
    unknown = [name for name in wanted if name not in NAMES]
    if unknown:
        print(f"no benchmark {', '.join(unknown)}; there is {', '.join(NAMES)}", file=sys.stderr)
        return 2
    for name in wanted:
        import_module(f"benchmarks.{name}").run()
    return 0


sys.exit(main())
