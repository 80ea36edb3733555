"""The way from an objective to a network as LaTeX, and as a page of HTML with MathML."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence

from unroll_dsl.derive.explain import Change, changes
from unroll_dsl.derive.method import Derivation
from unroll_dsl.derive.model import Formula
from unroll_dsl.diagnostics.raised import InternalError
from unroll_dsl.driver import check_source
from unroll_dsl.relax import Relaxed
from unroll_dsl.semantics import TypedProgram
from unroll_dsl.source import SourceFile
from unroll_dsl.syntax import nodes as n
from unroll_dsl.typeset.equations import aligned, row, updated
from unroll_dsl.typeset.latex import Setter

_HEAD = r"""\documentclass{article}
\usepackage[margin=1.1in]{geometry}
\usepackage{amsmath, amssymb}
\usepackage[T1]{fontenc}
\setlength{\parindent}{0pt}
\setlength{\parskip}{.5\baselineskip}
\frenchspacing
\raggedright
\begin{document}
"""


def latex(derivation: Derivation, relaxed: Sequence[Relaxed] = (), *, whole: bool = True) -> str:
    """The way as LaTeX that compiles by itself, or, not `whole`, as sections for a document with amsmath."""
    setter = Setter(derivation.form.typed)
    name = derivation.form.typed.program.name.text
    lines = [rf"\section*{{{_words(name)} by {_words(derivation.method.title)}}}"]
    for step in derivation.way:
        lines += ["", rf"\subsection*{{{_words(step.heading)}}}", _words(step.words)]
        if step.formulas:
            rows = " \\\\\n".join(row(setter, formula) for formula in step.formulas)
            lines += [r"\begin{align*}", rows, r"\end{align*}"]
        if step.source:
            lines += ["", rf"\emph{{{_words(step.source)}.}}"]
    method = derivation.method
    lines += ["", _words(f"Needs: {method.needs}. Steps: {method.condition}. Rate: {method.rate}.")]
    for change, (before, after) in zip(changes(relaxed), _typed(derivation, relaxed), strict=True):
        lines += [
            "",
            rf"\subsection*{{{_words(change.title)}}}",
            rf"\emph{{{_words(change.source)}.}}",
        ]
        shown = [
            *(updated(Setter(before), x, "before") for x in change.before),
            *(updated(Setter(after), x, "after") for x in change.after),
        ]
        if shown:
            lines += [r"\begin{align*}", " \\\\\n".join(shown), r"\end{align*}"]
        for sentence in _remarks(change):
            lines += ["", _words(sentence)]
    body = "\n".join(lines) + "\n"
    return f"{_HEAD}{body}\\end{{document}}\n" if whole else body


def markdown(derivation: Derivation, text: str, relaxed: Sequence[Relaxed] = ()) -> str:
    """The way as Markdown with formulas between `$$`, as notebooks show it; `text` is the page."""
    setter = Setter(derivation.form.typed)
    name = derivation.form.typed.program.name.text
    parts = [f"## {name} by {derivation.method.title}"]
    for step in derivation.way:
        parts += [f"**{step.heading}**", step.words]
        if step.formulas:
            parts.append(aligned(row(setter, formula) for formula in step.formulas))
        if step.source:
            parts.append(f"*{step.source}.*")
    for change, (before, after) in zip(changes(relaxed), _typed(derivation, relaxed), strict=True):
        shown = [
            *(updated(Setter(before), line, "before") for line in change.before),
            *(updated(Setter(after), line, "after") for line in change.after),
        ]
        parts += [f"**{change.title}**", *([aligned(shown)] if shown else []), *_remarks(change)]
    return "\n\n".join([*parts, f"```\n{text.rstrip()}\n```"]) + "\n"


def page(derivation: Derivation, text: str, relaxed: Sequence[Relaxed] = ()) -> str:
    """The way as one HTML page that needs nothing else; `text` is the page in the language."""
    name = html.escape(derivation.form.typed.program.name.text)
    title = f"{name} by {html.escape(derivation.method.title)}"
    body = section(derivation, relaxed)
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width">\n<title>{title}</title>\n'
        f"<style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n{body}"
        f"<h2>The page</h2>\n<pre>{html.escape(text)}</pre>\n</body>\n</html>\n"
    )


def section(derivation: Derivation, relaxed: Sequence[Relaxed] = ()) -> str:
    """The way as a section of a page of HTML."""
    return derived(derivation) + relaxations(derivation, relaxed)


def derived(derivation: Derivation, *, level: int = 2) -> str:
    """The way from the objective to the iteration; headings are of that level."""
    setter = Setter(derivation.form.typed)
    parts: list[str] = []
    for step in derivation.way:
        parts += [_heading(step.heading, level), f"<p>{_prose(step.words)}</p>"]
        parts += [_display(row(setter, formula)) for formula in step.formulas]
        if step.source:
            parts.append(f"<p class=source>{html.escape(step.source)}</p>")
    method = derivation.method
    rows = (
        ("Needs", method.needs),
        ("Steps", method.condition),
        ("Rate", method.rate),
        ("Source", method.source),
    )
    table = "".join(f"<tr><th>{a}</th><td>{html.escape(b)}</td></tr>" for a, b in rows)
    return "\n".join([*parts, f"<table>{table}</table>"]) + "\n"


def relaxations(derivation: Derivation, relaxed: Sequence[Relaxed], *, level: int = 2) -> str:
    """The way from the iteration to the network: each relaxation, what it changes before and after."""
    parts: list[str] = []
    for change, (before, after) in zip(changes(relaxed), _typed(derivation, relaxed), strict=True):
        parts += [
            _heading(change.title, level),
            f"<p class=source>{html.escape(change.source)}</p>",
        ]
        for kind, typed, lines in (
            ("before", before, change.before),
            ("after", after, change.after),
        ):
            parts += [
                f"<div class={kind}>{_display(updated(Setter(typed), x, None))}</div>"
                for x in lines
            ]
        parts += [f"<p>{_prose(sentence)}</p>" for sentence in _remarks(change)]
    return "\n".join(parts) + "\n"


def objective(typed: TypedProgram) -> str:
    """What a program minimises, as a formula."""
    setter = Setter(typed)
    found = (s for s in typed.program.statements if isinstance(s, n.Minimize))
    rows = (Formula("", s.body, "", ", ".join(v.name.text for v in s.variables)) for s in found)
    return "\n".join(_display(row(setter, formula)) for formula in rows) + "\n"


def phase(typed: TypedProgram) -> str:
    """The lines of a phase, as formulas."""
    setter = Setter(typed)
    found = (s for s in typed.program.statements if isinstance(s, n.Phase))
    return (
        "\n".join(
            _display(updated(setter, x, None))
            for s in found
            for x in s.body
            if not isinstance(x, n.Repeat)
        )
        + "\n"
    )


STYLE = """
:root { color-scheme: light dark; --soft: #68727c; --line: #cfd5db; --accent: #2f7fc4; }
body { margin: 2rem auto; max-width: 52rem; padding: 0 1rem; font: 1rem/1.55 system-ui, sans-serif; }
h1 { font-size: 1.7rem; } h2 { font-size: 1.15rem; margin: 2rem 0 .3rem; }
.source { color: var(--soft); font-size: .9rem; } math { font-size: 1.15em; }
.formula { overflow-x: auto; overflow-y: hidden; padding: .35rem 0 .35rem 1.5rem; }
.before { border-left: 3px solid var(--line); } .after { border-left: 3px solid var(--accent); }
code { overflow-wrap: anywhere; }
table { border-collapse: collapse; margin: 1rem 0; } th { text-align: left; vertical-align: top; padding-right: 1.2rem; }
pre { overflow-x: auto; padding: 1rem; border: 1px solid var(--line); font-size: .85rem; }
"""


def _typed(
    derivation: Derivation, relaxed: Sequence[Relaxed]
) -> Iterator[tuple[TypedProgram, TypedProgram]]:
    """The programs before and after each relaxation."""
    name = f"{derivation.program.name.text}.unroll"
    before = check_source(SourceFile(name, derivation.text)).typed
    if before is None:
        raise InternalError("a derived page has been checked")
    for step in relaxed:
        yield before, step.typed
        before = step.typed


def _remarks(change: Change) -> Iterator[str]:
    if change.learned:
        yield f"Learned: {'; '.join(f'`{text}`' for text in change.learned)}."
    if not change.classical:
        yield "It does not start at the classical value."
    yield from (f"{note[0].upper()}{note[1:]}." for note in change.notes)


def _heading(words: str, level: int) -> str:
    return f"<h{level}>{html.escape(words)}</h{level}>"


def _display(row: str) -> str:
    from latex2mathml.converter import convert

    row = row.replace(
        r"\operatorname*{arg\,min}", r"\mathrm{arg}\,\min"
    )  # which the converter knows
    return f"<div class=formula>{convert(row.replace('&', ' '), display='block')}</div>"


def _prose(words: str) -> str:
    return re.sub(r"`([^`]*)`", r"<code>\1</code>", html.escape(words))


def _words(words: str) -> str:
    """Words as LaTeX: code in typewriter, signs escaped."""
    pieces = re.split(r"`([^`]*)`", words)
    return "".join(
        rf"\texttt{{{_escaped(piece)}}}" if i % 2 else _escaped(piece)
        for i, piece in enumerate(pieces)
    )


def _escaped(words: str) -> str:
    words = words.replace("\\", r"\textbackslash ")
    for character in "&%$#_{}":
        words = words.replace(character, "\\" + character)
    for character, name in (
        ("^", "asciicircum"),
        ("~", "asciitilde"),
        ("<", "less"),
        (">", "greater"),
        ("|", "bar"),
    ):
        words = words.replace(character, rf"\text{name}{{}}")
    return words
