"""Run a paper's test with the authors' weights, and print it beside the published numbers.

Images are measured, reconstructed, clipped and compared as the authors do it. `--data` is a folder
laid out as the protocol of the network says (algorithms/NAME.protocol.toml); `--images`,
`--weights` and `--bind` give other places.
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
    parser.add_argument("--set", dest="images_of", metavar="SET", help="images of this set")
    parser.add_argument("--ratio", metavar="PERCENT", help="sampling ratio")
    parser.add_argument("--images", type=Path, metavar="DIR", help="folder of images, or one image")
    parser.add_argument("--weights", type=Path, metavar="FILE", help="the authors' weights")
    parser.add_argument(
        "--bind", type=pair, action="append", default=[], metavar="NAME=FILE", help="matrix or mask"
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="save reconstructions and a figure")
    parser.add_argument("--per-image", action="store_true", help="a line for each image")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(options: Namespace) -> int:
    from unroll_dsl.resources import beside

    protocol_path = beside(options.name, "protocol.toml")
    names = beside(options.name, "weights.toml")
    from unroll_dsl.cli.arrays import read_value
    from unroll_dsl.cli.progress import progress
    from unroll_dsl.cli.specs import load
    from unroll_dsl.reproduce import reproduce
    from unroll_dsl.reproduce.images import BadImages
    from unroll_dsl.reproduce.protocol import BadProtocol, read_protocol
    from unroll_dsl.weights.files import CannotRead
    from unroll_dsl.weights.names import BadMap

    spec = load(options.name, no_colour=options.no_colour)
    try:
        protocol = read_protocol(protocol_path)
        choices = dict(protocol.defaults)
        choices |= {"set": options.images_of} if options.images_of else {}
        choices |= {"ratio": options.ratio} if options.ratio else {}
        given = by_name(options.bind, "--bind")
        bind: dict[str, Any] = {}
        for name in protocol.data:
            if name not in ("images", "weights"):
                place = given.pop(name, None) or protocol.place(name, options.data, choices)
                bind[name] = read_value(str(place))
        bind |= {name: read_value(value) for name, value in given.items()}
        if options.out is not None:
            options.out.mkdir(parents=True, exist_ok=True)
        kept: list[Reconstruction] = []

        def each(result: "Reconstruction") -> None:
            if options.out is not None:
                from unroll_dsl.reproduce.figure import save_image

                save_image(result.found, options.out / f"{result.path.stem}.png")
                kept[1:] = []
                kept.append(result)

        with progress(spec.name, quiet=options.json) as advance:
            found = reproduce(
                spec,
                protocol,
                images=options.images or protocol.place("images", options.data, choices),
                weights=options.weights or protocol.place("weights", options.data, choices),
                names=names,
                bind=bind,
                choices=choices,
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

    table = Table(title=f"{found.name}, {found.set}, ratio {found.ratio} %", title_justify="left")
    for heading in ("image", "PSNR, dB", "SSIM", "start, dB", "start, SSIM", "published, dB"):
        table.add_column(heading, justify="left" if heading == "image" else "right")
    mean = found.mean
    for row in (*(found.rows if per_image else ()), mean):
        published = f"{found.published:.2f}" if row is mean and found.published else ""
        figures = (f"{row.psnr:.4f}", f"{row.ssim:.4f}", f"{row.start_psnr:.4f}")
        table.add_row(row.image, *figures, f"{row.start_ssim:.4f}", published)
    console = Console()
    console.print(table)
    console.print(f"{len(found.rows)} images in {found.seconds:.1f} s")
