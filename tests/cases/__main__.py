"""Print the table: case, before, now. Exit status 1 if an answer is wrong."""

import sys

from rich.console import Console
from rich.table import Table

from tests.cases import files, programs


def main() -> int:
    table = Table("case", "before", "now", "")
    wrong = 0
    for case in (*programs.CASES, *files.CASES):
        try:
            now, right = case.now()
        except Exception as error:
            now, right = f"{type(error).__name__}: {error}", False
        wrong += not right
        table.add_row(case.name, case.before, now, "right" if right else "WRONG")
    Console(width=140 if not sys.stdout.isatty() else None).print(table)
    print(f"{wrong} wrong" if wrong else "all are right")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
