"""Explain the code of an error: what it means, a wrong program, the right one."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from unroll_dsl.cli.terminal import print_json, said
from unroll_dsl.cli.usage import Exit, UsageError


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("codes", metavar="CODE", nargs="*", help="such as U0301")
    parser.add_argument("--all", action="store_true", help="list all codes")
    parser.add_argument(
        "--write", metavar="DIR", type=Path, help="with --all: write one Markdown page per code"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(options: Namespace) -> int:
    from unroll_dsl.diagnostics.catalogue import UnknownCode, body, catalogue, explain, find

    codes: list[str] = options.codes
    if options.write is not None:
        if not options.all:
            raise UsageError("`--write` writes all pages", "add `--all`")
        _write(options.write)
        return Exit.FINE
    if not codes and not options.all:
        raise UsageError("no code given", "`unroll explain U0301`, or `unroll explain --all`")
    try:
        classes = [find(code) for code in (catalogue() if options.all else codes)]
    except UnknownCode as error:
        near = " or ".join(f"`{code}`" for code in error.near)
        mend = f"did you mean {near}?" if near else "`unroll explain --all` lists them"
        raise UsageError(str(error), mend) from None
    if options.json:
        print_json([{"code": c.code, "title": c.title, "page": body(c)} for c in classes])
    elif options.all:
        for diagnostic in classes:
            print(f"{diagnostic.code}  {diagnostic.title}")
    else:
        print("\n\n".join(explain(code).rstrip() for code in codes))
    return Exit.FINE


def _write(folder: Path) -> None:
    """Write the pages, and remove those of codes that are no more."""
    from unroll_dsl.cli.files import write_text
    from unroll_dsl.diagnostics.pages import markdown_pages

    folder.mkdir(parents=True, exist_ok=True)
    pages = markdown_pages()
    for name, text in pages.items():
        write_text(folder / name, text, force=True)
    for path in folder.glob("[UW]*.md"):
        if path.name not in pages:
            path.unlink()
    said(f"wrote {len(pages)} pages to {folder}")
