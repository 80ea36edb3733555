"""Run a paper's test with the authors' weights, and print it beside the published numbers.

Images are measured, reconstructed and compared as the authors do it. `--data` is a folder laid out
as the protocol of the network says (algorithms/NAME.protocol.toml); `--images`, `--weights` and
`--bind` give other places. A classical algorithm has no weights: it is run as the program has it.
"""

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unroll_dsl.cli.terminal import print_json, said
from unroll_dsl.cli.usage import Exit, UsageError
from unroll_dsl.cli.values import by_name, pair

if TYPE_CHECKING:
    from unroll_dsl.reproduce import Result
    from unroll_dsl.reproduce.run import Reconstruction


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="name of the network (see `unroll list`)")
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder of weights and images")
    parser.add_argument("--set", metavar="SET", help="images of this set")
    parser.add_argument("--ratio", metavar="PERCENT", help="sampling ratio")
    parser.add_argument("--stages", metavar="N", help="weights of that many stages")
    parser.add_argument(
        "--images", type=Path, metavar="PATH", help="folder of images, an image, or arrays"
    )
    parser.add_argument(
        "--weights",
        type=Path,
        metavar="FILE",
        help="the authors' weights, or a run's best.safetensors",
    )
    parser.add_argument(
        "--untrained", action="store_true", help="no weights: the network as the program has it"
    )
    parser.add_argument("--phases", type=int, metavar="K", help="how many, where no weights tell")
    parser.add_argument(
        "--bind", type=pair, action="append", default=[], metavar="NAME=FILE", help="matrix or mask"
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="save reconstructions and a figure")
    parser.add_argument("--per-image", action="store_true", help="a line for each image")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(options: Namespace) -> int:
    from unroll_dsl.cli.arrays import read_value
    from unroll_dsl.cli.progress import progress
    from unroll_dsl.cli.specs import load
    from unroll_dsl.data.errors import BadImages
    from unroll_dsl.files import CannotRead
    from unroll_dsl.reproduce import reproduce
    from unroll_dsl.reproduce.protocol import BadProtocol, read_protocol
    from unroll_dsl.resources import beside
    from unroll_dsl.weights.names import BadMap

    spec = load(options.name, no_colour=options.no_colour)
    if options.weights is not None and options.untrained:
        raise UsageError("--weights and --untrained exclude each other")
    try:
        protocol = read_protocol(beside(options.name, "protocol.toml"))
        chosen = {key: getattr(options, key) for key in ("set", "ratio", "stages")}
        choices = protocol.choices({key: value for key, value in chosen.items() if value})
        given = by_name(options.bind, "--bind")
        own_data = bool(given or options.images or options.weights or options.untrained)
        bind: dict[str, Any] = {}
        for name in protocol.data:
            if name not in ("images", "weights"):
                place = given.pop(name, None) or protocol.place(name, options.data, choices)
                bind[name] = read_value(name, str(place))
        bind |= {name: read_value(name, value) for name, value in given.items()}
        weights = options.weights
        if weights is None and "weights" in protocol.data and not options.untrained:
            weights = protocol.place("weights", options.data, choices)
        if weights is None or options.weights is not None:
            choices.pop("stages", None)  # of weights that are not used
        images = options.images or protocol.place("images", options.data, choices)
        if options.out is not None:
            options.out.mkdir(parents=True, exist_ok=True)
        kept: list[Reconstruction] = []

        def each(result: "Reconstruction") -> None:
            if options.out is not None:
                from unroll_dsl.reproduce.figure import save_image

                name = Path(result.name).stem if "[" not in result.name else result.name
                save_image(result.found, options.out / f"{name.replace(':', '_')}.png")
                kept[:1] = kept[:1] or [result]

        with progress(spec.name, quiet=options.json) as advance:
            found = reproduce(
                spec,
                protocol,
                images=images,
                weights=weights,
                names=beside(options.name, "weights.toml"),
                bind=bind,
                choices=choices,
                phases=options.phases,
                own_data=own_data,
                progress=advance,
                each=each,
            )
    except (BadProtocol, BadImages, CannotRead, BadMap) as error:
        raise UsageError(str(error)) from error
    if kept:
        from unroll_dsl.reproduce.figure import draw

        draw(kept[0], options.out / "figure.png")
    if options.json:
        print_json(found.to_json())
        return Exit.FINE
    _table(found, per_image=options.per_image)
    if options.out is not None:
        said(f"reconstructions and figure.png are in {options.out}")
    return Exit.FINE


def _table(found: "Result", *, per_image: bool) -> None:
    from rich.console import Console
    from rich.table import Table

    words = [f"{key} {value}" for key, value in found.choices.items() if key != "set"]
    title = ", ".join([found.name, found.choices["set"], *words])
    table = Table(title=title, title_justify="left")
    for heading in ("", "PSNR, dB", "SSIM", "NMSE", "start, dB"):
        table.add_column(heading, justify="right" if heading else "left", no_wrap=True)
    mean = found.mean
    for row in (*(found.rows if per_image else ()), mean):
        figures = (f"{row.psnr:.4f}", f"{row.ssim:.4f}", f"{row.nmse:.4f}", f"{row.start_psnr:.4f}")
        table.add_row(row.image, *figures, end_section=row is found.rows[-1])
    start = (f"{mean.start_psnr:.4f}", f"{mean.start_ssim:.4f}", f"{mean.start_nmse:.4f}")
    table.add_row("mean at the start", *start, "")
    for heading, value in (("authors' code", found.measured), ("published", found.published)):
        if value is not None:
            table.add_row(heading, f"{value:.2f}", "", "", "")
    console = Console()
    console.print(table)
    count = "1 image" if len(found.rows) == 1 else f"{len(found.rows)} images"
    console.print(f"{count} in {found.seconds:.1f} s")
