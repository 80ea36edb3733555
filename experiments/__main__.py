"""Run an experiment by name: train, print its table, leave results.json, plots and run folders."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from pathlib import Path

from unroll_dsl.data import DataError
from unroll_dsl.diagnostics import UnrollError
from unroll_dsl.train import TrainingError

NAMES = ("gregor_lecun", "sparse_recovery", "ista_net_plus", "admm_net")
OF_DATA = ("ista_net_plus", "admm_net")  # those that want --data


def main(words: list[str] | None = None) -> int:
    """`python -m experiments NAME ...`; 0, or 2 for what a user can mend."""
    parser = argparse.ArgumentParser(prog="python -m experiments", description=__doc__)
    parser.add_argument("name", choices=NAMES)
    parser.add_argument("--quick", action="store_true", help="a small one, to see that it works")
    parser.add_argument("--out", type=Path, help="folder to make; default build/experiments/NAME")
    parser.add_argument(
        "--data", type=Path, help="folder of images and masks, for networks of images"
    )
    options = parser.parse_args(words)
    words_of = f"{options.name}-quick" if options.quick else options.name
    out = options.out or Path("build/experiments") / words_of
    try:
        out.mkdir(parents=True, exist_ok=True)
        given = {"data": options.data} if options.name in OF_DATA else {}
        import_module(f"experiments.{options.name}").run(out, quick=options.quick, **given)
    except (DataError, TrainingError, UnrollError) as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        print(f"{error.filename or out}: {error.strerror or error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
