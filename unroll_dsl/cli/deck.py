"""Derive every page of algorithms/problems/deck.toml: from four objectives, by methods and relaxations alone.

The pages are left as files, and index.html walks from each objective to each iteration to each network, with
equations. With `--data`, the authors' weights are loaded into the derived pages, which are held against the
authors' figures (minutes; `--figure NAME` for one network alone). What is not there is skipped, with a reason.
"""

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from unroll_dsl.cli.files import refuse_to_overwrite, write_text
from unroll_dsl.cli.terminal import said
from unroll_dsl.cli.usage import Exit, UsageError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from unroll_dsl.deck import AuthorsFigure, Skipped, Slide


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="write pages here")
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder of weights and images")
    parser.add_argument(
        "--figure",
        action="append",
        default=[],
        metavar="NAME",
        help="the figures of this network alone; again for more",
    )
    parser.add_argument("--force", action="store_true", help="write over existing files")


def run(options: Namespace) -> int:
    from unroll_dsl.deck import slides, walk

    folder: Path = options.out
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file", "give the name of a folder")
    _names(options)
    folder.mkdir(parents=True, exist_ok=True)
    refuse_to_overwrite(folder / "index.html", force=options.force)
    found = list(slides())
    pages = {folder / f"{slide.name}.unroll": slide.text for slide in found}
    for path in pages:
        refuse_to_overwrite(path, force=options.force)
    for path, text in pages.items():
        write_text(path, text, force=options.force)
    for slide in found:
        _line(slide)
    figures = list(_figures(found, options)) if options.data is not None else []
    write_text(folder / "index.html", walk(found, figures), force=options.force)
    said(f"wrote {len(found)} pages and index.html into {folder}")
    return Exit.FINE


def _names(options: Namespace) -> None:
    """Raise `UsageError` for a network that has no figures."""
    from unroll_dsl.derive.deck import deck

    known = tuple(name for name, entry in deck().items() if entry.get("figures"))
    for name in options.figure:
        if name not in known:
            mend = did_you_mean(name, known) or f"those that have are {', '.join(known)}"
            raise UsageError(f"`{name}` has no figures in the deck", mend)
    if options.figure and options.data is None:
        raise UsageError("`--figure` wants the authors' weights and images", "give `--data DIR`")


def _line(slide: "Slide") -> None:
    learnt = ", ".join(p.name for p in slide.spec.graph.parameters) or "-"
    way = f"{slide.problem.name} by {slide.derivation.method.name}"
    print(f"{slide.name:<18} {way:<18} {slide.lines:>3} lines   learnt: {learnt}")


def _figures(slides: "Sequence[Slide]", options: Namespace) -> "Iterator[AuthorsFigure | Skipped]":
    """Each is printed as soon as it is there."""
    from unroll_dsl.cli.progress import progress
    from unroll_dsl.deck import AuthorsFigure, Skipped, figure

    print()
    for slide in slides:
        for asked in slide.tests:
            words = ", ".join((slide.name, *(f"{k} {v}" for k, v in asked.items())))
            if options.figure and slide.name not in options.figure:
                yield Skipped(slide.name, asked, "not asked for")
                continue
            with progress(words, quiet=False) as advance:
                found = figure(slide, asked, options.data, advance)
            match found:
                case AuthorsFigure():
                    print(
                        f"{words:<26} {found.found:.3f} dB by the derived page, {found.authors:.3f} dB by the authors' "
                        f"code ({found.images} image{'s' * (found.images > 1)}, {found.seconds:.0f} s)",
                        flush=True,
                    )
                case Skipped():
                    print(f"{words:<26} skipped: {found.reason}", flush=True)
            yield found
