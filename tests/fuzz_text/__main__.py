"""`python -m tests.fuzz_text --minutes 5 [--seed 0] [--out DIR]`: damaged pages until the time is up.

Each kind of failure is kept once in DIR, as short as removing pieces makes it; the exit status is 1 if
there was one. Where atheris is installed, `--atheris` lets coverage choose the damage.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz_text", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("build/fuzz-text"))
    parser.add_argument("--atheris", action="store_true")
    options = parser.parse_args()
    if options.atheris:  # before anything imports what it follows
        from tests.fuzz_text.coverage import by_coverage

        return by_coverage(options.minutes, options.out)
    from tests.fuzz_text.chance import by_chance

    return by_chance(options.minutes, options.seed, options.out)


if __name__ == "__main__":
    sys.exit(main())
