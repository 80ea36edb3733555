"""From what a user typed, the name of an algorithm that comes along or a path, to a spec."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from unroll_dsl.cli.terminal import report_diagnostics
from unroll_dsl.cli.usage import UsageError, did_you_mean
from unroll_dsl.cli.values import by_name

if TYPE_CHECKING:
    from unroll_dsl import Spec
    from unroll_dsl.driver import Checked


def check(word: str) -> "Checked":
    """What the front end finds in what `word` means, without importing what comes behind it."""
    from unroll_dsl.driver import check_path
    from unroll_dsl.resources import packaged_path

    if (packaged := packaged_path(word)) is not None:
        return check_path(packaged, f"{word}.unroll")
    if Path(word).is_file():
        return check_path(Path(word))
    from unroll_dsl.loading import check_named

    return check_named(word)  # neither: this says so and names what is near


def load(word: str, *, no_colour: bool = False, quiet: bool = False) -> "Spec":
    """The spec that `word` means; its warnings are shown unless `quiet`."""
    import unroll_dsl

    spec = unroll_dsl.load(word)
    if not quiet:
        report_diagnostics(spec.warnings, no_colour=no_colour)
    return spec


def known_sizes(spec: "Spec", dims: Iterable[tuple[str, int]]) -> dict[str, int]:
    """`--dims` by name, if the spec has sizes of those names."""
    known = tuple(name for name, _ in spec.graph.dims)
    found = by_name(dims, "--dims")
    for name in found:
        if name not in known:
            mend = did_you_mean(name, known) or f"its sizes are {', '.join(known)}"
            raise UsageError(f"{spec.name} has no size `{name}`", mend)
    return found
