"""Name the algorithms that come along: each is one file, and a starting point for a new one."""

from argparse import ArgumentParser, Namespace
from dataclasses import asdict, dataclass

from unroll_dsl.cli.terminal import print_json
from unroll_dsl.cli.usage import Exit


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(options: Namespace) -> int:
    entries = _entries()
    if options.json:
        print_json([asdict(entry) for entry in entries])
        return Exit.FINE
    for heading, learned in (("Classical iterations", False), ("Learned networks", True)):
        chosen = [entry for entry in entries if bool(entry.learnable) is learned]
        if not chosen:
            continue
        print(f"{heading}:")
        width = max(len(entry.name) for entry in chosen)
        for entry in chosen:
            print(f"  {entry.name:<{width}}  {entry.title}")
            if entry.learnable:
                print(f"  {'':<{width}}  learns {', '.join(entry.learnable)}")
        print()
    print("`unroll show NAME` summarises one; `unroll new MINE --from NAME` copies it.")
    return Exit.FINE


@dataclass(frozen=True, slots=True)
class ListedAlgorithm:
    """One algorithm. `fixed` and `learnable` are the names of its constants."""

    name: str
    title: str
    kind: str  # algorithm | problem
    path: str
    inputs: tuple[str, ...]
    fixed: tuple[str, ...]
    learnable: tuple[str, ...]
    phases: int | None


def _entries() -> list[ListedAlgorithm]:
    """The packaged algorithms in the order of their names, parsed but not checked."""
    from unroll_dsl.diagnostics.raised import UnrollError
    from unroll_dsl.resources import algorithm_names, algorithm_path
    from unroll_dsl.source import SourceFile
    from unroll_dsl.syntax import parse
    from unroll_dsl.syntax.nodes import Declaration, Number, Phase, Role
    from unroll_dsl.syntax.reading import read_source

    def entry(name: str) -> ListedAlgorithm:
        source = read_source(algorithm_path(name))
        if not isinstance(source, SourceFile):
            raise UnrollError((source,))
        result = parse(source)
        if result.program is None:
            raise UnrollError(result.diagnostics)
        program = result.program
        names: dict[Role, list[str]] = {role: [] for role in Role}
        phases = None
        for statement in program.statements:
            match statement:
                case Declaration():
                    names[statement.role] += [declared.text for declared in statement.names]
                case Phase(count=Number(value=int(value))):
                    phases = value
                case _:
                    pass
        return ListedAlgorithm(
            name=name,
            title=program.comment.strip().split("\n")[0],
            kind=program.kind,
            path=str(algorithm_path(name)),
            inputs=tuple(names[Role.INPUT]),
            fixed=tuple(names[Role.FIXED]),
            learnable=tuple(names[Role.LEARNABLE]),
            phases=phases,
        )

    return [entry(name) for name in algorithm_names()]
