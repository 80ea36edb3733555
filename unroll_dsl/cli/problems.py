"""What the commands about problems share: which problem, which methods, statements in place of its own."""

from argparse import ArgumentParser, Namespace

from unroll_dsl.cli.usage import UsageError, did_you_mean


def add_problem(parser: ArgumentParser) -> None:
    parser.add_argument("file", metavar="PROBLEM", help="path, or name of a problem or algorithm")


def add_methods(parser: ArgumentParser) -> None:
    """`--method`, which narrows a family down."""
    parser.add_argument(
        "--method",
        action="append",
        default=[],
        metavar="M",
        help="of this method alone; again for more",
    )


def add_statements(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--with",
        action="append",
        default=[],
        dest="statements",
        metavar="STATEMENT",
        help="a statement in place of the problem's: 'let D = grad'",
    )


def methods(options: Namespace) -> tuple[str, ...]:
    """The methods that `--method` names, each once. Raises `UsageError` for a name that there is not."""
    for name in options.method:
        known_method(name)
    return tuple(dict.fromkeys(options.method))


def known_method(name: str) -> str:
    """The name of a method. Raises `UsageError` where there is none."""
    from unroll_dsl.derive import method_names

    if name not in method_names():
        mend = did_you_mean(name, method_names())
        words = f"the methods are {', '.join(method_names())}"
        raise UsageError(f"there is no method `{name}`", mend or words)
    return name
