"""Run a paper's test with the authors' weights, and print it beside the published numbers.

Images are measured, reconstructed and compared as the authors do it. `--data` is a folder laid out
as the protocol of the network says (algorithms/NAME.protocol.toml); `--images`, `--weights` and
`--bind` give other places. A classical algorithm has no weights: it is run as the program has it.
"""

import math
from argparse import ArgumentParser, Namespace
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unroll_dsl.cli.refusals import BIND, DATA
from unroll_dsl.cli.terminal import print_json, problem, said
from unroll_dsl.cli.usage import Exit, UsageError, did_you_mean
from unroll_dsl.cli.values import by_name, pair
from unroll_dsl.files import weight_formats

if TYPE_CHECKING:
    from unroll_dsl import Spec
    from unroll_dsl.reproduce import Result
    from unroll_dsl.reproduce.protocol import Protocol
    from unroll_dsl.reproduce.run import Reconstruction


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="name of the network (see `unroll list`)")
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder of weights and images")
    parser.add_argument("--set", metavar="SET", help="images of this set")
    parser.add_argument("--ratio", metavar="PERCENT", help="sampling ratio")
    parser.add_argument("--stages", metavar="N", help="weights of that many stages")
    parser.add_argument("--images", type=Path, metavar="PATH", help=DATA)
    parser.add_argument(
        "--weights",
        type=Path,
        metavar="FILE",
        help=f"the authors' weights ({weight_formats()}; FILE:KEY of a checkpoint), or a run's best.safetensors",
    )
    parser.add_argument(
        "--untrained", action="store_true", help="no weights: the network as the program has it"
    )
    parser.add_argument("--phases", type=int, metavar="K", help="how many, where no weights tell")
    parser.add_argument(
        "--bind",
        type=pair,
        action="append",
        default=[],
        metavar="NAME=FILE",
        help=f"matrix or mask: {BIND}",
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="save reconstructions and a figure")
    parser.add_argument("--per-image", action="store_true", help="a line for each image")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(options: Namespace) -> int:
    from unroll_dsl.cli.progress import progress
    from unroll_dsl.cli.specs import load
    from unroll_dsl.data.errors import DataError
    from unroll_dsl.reproduce import reproduce
    from unroll_dsl.reproduce.protocol import BadProtocol, read_protocol
    from unroll_dsl.resources import beside
    from unroll_dsl.weights.names import BadMap

    spec = load(options.name, no_colour=options.no_colour)
    if options.weights is not None and options.untrained:
        raise UsageError("--weights and --untrained exclude each other")
    kept: list[Reconstruction] = []

    def each(result: "Reconstruction") -> None:
        if options.out is not None:
            from unroll_dsl.reproduce.figure import save_image

            name = Path(result.name).stem if "[" not in result.name else result.name
            save_image(result.found, options.out / f"{name.replace(':', '_')}.png")
            kept[:1] = kept[:1] or [result]

    try:
        protocol = read_protocol(beside(options.name, "protocol.toml"))
        inputs = _inputs(spec, protocol, options)
        if options.out is not None:
            options.out.mkdir(parents=True, exist_ok=True)
        with progress(spec.name, quiet=options.json) as advance:
            found = reproduce(
                spec,
                protocol,
                images=inputs.images,
                weights=inputs.weights,
                names=beside(options.name, "weights.toml"),
                bind=inputs.bind,
                choices=inputs.choices,
                phases=options.phases,
                used=inputs.used,
                progress=advance,
                each=each,
            )
    except DataError as error:
        raise UsageError(error.message, error.mend) from error
    except (BadProtocol, BadMap) as error:
        raise UsageError(str(error)) from error
    for note in found.notes:
        said(f"note: {note}")
    if kept:
        from unroll_dsl.reproduce.figure import draw

        draw(kept[0], options.out / "figure.png")
    if options.json:
        print_json(found.to_json())
    else:
        _table(found, per_image=options.per_image)
        if options.out is not None:
            said(f"reconstructions and figure.png are in {options.out}")
    for words in found.problems():
        problem(words, "the image, or what the network makes of it, is 0 everywhere or not finite")
    return Exit.ERRORS if found.problems() else Exit.FINE


@dataclass(frozen=True, slots=True)
class _Inputs:
    """The data of a test: those of the protocol, and in `used` what was given instead; `choices` are those that
    the protocol's own places depended on."""

    images: Path
    weights: Path | None
    bind: dict[str, Any]
    choices: dict[str, str]
    used: dict[str, str]


def _inputs(spec: "Spec", protocol: "Protocol", options: Namespace) -> _Inputs:
    from unroll_dsl.cli.arrays import values_of

    chosen = {key: getattr(options, key) for key in ("set", "ratio", "stages")}
    asked = {key: value for key, value in chosen.items() if value}
    choices = protocol.choices(asked)
    given = by_name(options.bind, "--bind")
    known = tuple(c.name for c in spec.graph.constants)
    for name in given:
        if name not in known:
            mend = did_you_mean(name, known) or f"it has {', '.join(known)}"
            raise UsageError(f"{spec.name} has no `{name}` to bind", mend)
    used = {"images": str(options.images)} if options.images else {}
    if options.untrained:
        used["weights"] = "none"
    elif options.weights is not None:
        used["weights"] = str(options.weights)
    used |= given
    ours = [name for name in protocol.data if name not in used]
    depends = {choice for name in ours for choice in protocol.chooses(name)}
    for key in asked:
        if key not in depends:
            raise UsageError(
                f"--{key} chooses nothing: {' and '.join(used)} are given",
                f"leave out `--{key}`, or what is given in its place",
            )
    places = {name: protocol.place(name, options.data, choices) for name in ours}
    files = {name: str(place) for name, place in places.items() if name in known} | given
    return _Inputs(
        options.images or places["images"],
        options.weights or places.get("weights"),
        values_of(spec, files, doubts=False),  # the test itself knows how its masks are stored
        {key: value for key, value in choices.items() if key in depends},
        used,
    )


def _table(found: "Result", *, per_image: bool) -> None:
    from rich.console import Console
    from rich.table import Table

    words = [value if key == "set" else f"{key} {value}" for key, value in found.choices.items()]
    words += [f"{name}: {what}" for name, what in found.used.items()]
    title = ", ".join([found.name, *words, f"{100 * found.sampling:.3g} % sampled"])
    caption = "means over the images; of PSNR of the decibels" if len(found.rows) > 1 else None
    table = Table(title=title, title_justify="left", caption=caption, caption_justify="left")
    for heading in ("", "PSNR, dB", "SSIM", "NMSE", "start, dB"):
        table.add_column(heading, justify="right" if heading else "left", no_wrap=True)
    mean = found.mean
    for row in (*(found.rows if per_image else ()), mean):
        figures = map(_figure, (row.psnr, row.ssim, row.nmse, row.start_psnr))
        table.add_row(row.image, *figures, end_section=row is found.rows[-1])
    start = map(_figure, (mean.start_psnr, mean.start_ssim, mean.start_nmse))
    table.add_row("mean at the start", *start, "")
    for heading, value in (("authors' code", found.measured), ("published", found.published)):
        if value is not None:
            table.add_row(heading, f"{value:.2f}", "", "", "")
    console = Console()
    console.print(table)
    count = "1 image" if len(found.rows) == 1 else f"{len(found.rows)} images"
    console.print(f"{count} in {found.seconds:.1f} s")


def _figure(value: float) -> str:
    """SSIM is none of images that are smaller than its window."""
    return f"{value:.4f}" if not math.isnan(value) else "-"
