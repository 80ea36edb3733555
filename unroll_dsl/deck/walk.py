"""One page of HTML that walks from each objective to each iteration to each network."""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from unroll_dsl.deck.figures import AuthorsFigure, Skipped
from unroll_dsl.deck.pages import Slide
from unroll_dsl.syntax.pages import page_text
from unroll_dsl.typeset import derivation as shown


def walk(slides: Sequence[Slide], figures: Sequence[AuthorsFigure | Skipped] = ()) -> str:
    """The page; it needs nothing else. Networks of one iteration stand below it, iterations below their objective."""
    by_problem = _grouped(slides)
    count = f"{len(by_problem)} objectives, {len(slides)} pages"
    body = [
        "<h1>From objectives to iterations to networks</h1>",
        f"<p>{count}, derived by rule. Each iteration comes from its objective by a method, each network from an iteration by "
        "relaxations: constants, maps or proximal steps that become learnable. What is before has a grey edge, what is after a "
        "blue one.</p>",
        _contents(by_problem, figures),
    ]
    for group in by_problem:
        body += _problem(group, figures)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n<title>The deck</title>\n'
        f"<style>{shown.STYLE}{_STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(body)
        + "\n</body>\n</html>\n"
    )


_STYLE = """
h2 { font-size: 1.5rem; margin-top: 4rem; border-bottom: 2px solid var(--line); }
h3 { font-size: 1.25rem; margin-top: 2.6rem; } h4 { font-size: 1.05rem; margin: 1.5rem 0 .2rem; }
h5 { font-size: 1rem; margin: 1.2rem 0 .2rem; } summary { cursor: pointer; color: var(--accent); }
.network { border: 1px solid var(--line); border-radius: .5rem; padding: 0 1.2rem .8rem; margin: 1.6rem 0; }
.network h3 { margin-top: 1rem; } .deck td, .deck th { padding: .2rem .8rem .2rem 0; text-align: left; }
.scroll { overflow-x: auto; } .deck td { vertical-align: top; } .deck td.number { text-align: right; } .deck { font-size: .92rem; } a { color: var(--accent); }
"""


def _grouped(slides: Sequence[Slide]) -> list[list[Slide]]:
    """By problem, in the order of first mention."""
    names = list(dict.fromkeys(slide.problem.name for slide in slides))
    return [[slide for slide in slides if slide.problem.name == name] for name in names]


def _iterations(group: Sequence[Slide]) -> list[list[Slide]]:
    """By the iteration that they come from: the same way, whatever the name and the number of phases."""

    def key(slide: Slide) -> str:
        return f"{slide.derivation.method.name} {slide.derivation.way}"

    order = list(dict.fromkeys(map(key, group)))
    by_order = sorted(group, key=lambda slide: order.index(key(slide)))
    return [list(same) for _, same in groupby(by_order, key=key)]


def _contents(groups: Sequence[Sequence[Slide]], figures: Sequence[AuthorsFigure | Skipped]) -> str:
    figure = "<th>authors' figure</th>" if figures else ""
    rows = [
        f"<tr><th>objective</th><th>method</th><th>page</th><th>lines</th><th>learnt</th>{figure}</tr>"
    ]
    for group in groups:
        for same in _iterations(group):
            for slide in same:
                learnt = ", ".join(p.name for p in slide.spec.graph.parameters) or "nothing"
                found = "; ".join(_figure(f) for f in figures if f.name == slide.name)
                cell = f"<td>{found}</td>" if figures else ""
                rows.append(
                    f'<tr><td><a href="#{slide.problem.name}">{slide.problem.name}</a></td>'
                    f"<td>{html.escape(slide.derivation.method.name)}</td>"
                    f'<td><a href="#{slide.name}">{slide.name}</a></td><td class=number>{slide.lines}</td>'
                    f"<td>{html.escape(learnt)}</td>{cell}</tr>"
                )
    return f"<div class=scroll><table class=deck>{''.join(rows)}</table></div>"


def _figure(found: AuthorsFigure | Skipped) -> str:
    match found:
        case AuthorsFigure():
            return f"{found.found:.3f} dB (theirs {found.authors:.3f})"
        case Skipped():
            return "not run"


def _problem(group: Sequence[Slide], figures: Sequence[AuthorsFigure | Skipped]) -> Iterator[str]:
    problem = group[0].problem
    yield f'<h2 id="{problem.name}">{problem.name}</h2>'
    yield shown.objective(problem.typed)
    yield _folded("The problem page", page_text(problem.program))
    for same in _iterations(group):
        first = same[0].derivation
        yield f"<h3>{problem.name} by {html.escape(first.method.title)}</h3>"
        yield shown.derived(first, level=4)
        for slide in same:
            yield _network(slide, [f for f in figures if f.name == slide.name])


def _network(slide: Slide, figures: Iterable[AuthorsFigure | Skipped]) -> str:
    kind = "The network" if slide.relaxed else "The iteration"
    parts = [f'<section class=network id="{slide.name}">', f"<h3>{kind} {slide.name}</h3>"]
    parts.append(shown.relaxations(slide.derivation, slide.relaxed, level=5))
    parts += ["<h4>A phase</h4>", shown.phase(slide.spec.typed), _learnt(slide)]
    for found in figures:
        match found:
            case AuthorsFigure():
                parts.append(
                    f"<p>With the authors' weights ({_choices(found)}, {found.images} "
                    f"image{'s' * (found.images > 1)}): <b>{found.found:.3f} dB</b>; their own code has {found.authors:.3f} dB.</p>"
                )
            case Skipped():
                parts.append(
                    f"<p class=source>Not run ({_choices(found)}): {html.escape(found.reason)}.</p>"
                )
    title = f"{slide.name}.unroll: {slide.lines} lines and comments"
    return "\n".join([*parts, _folded(title, slide.text), "</section>"])


def _choices(found: AuthorsFigure | Skipped) -> str:
    return html.escape(", ".join(f"{key} {value}" for key, value in found.choices.items()))


def _learnt(slide: Slide) -> str:
    rows = "".join(
        f"<tr><th>{html.escape(p.name)}</th><td>{html.escape(str(p.type))}{' per phase' * p.per_phase}</td></tr>"
        for p in slide.spec.graph.parameters
    )
    phases = f"{slide.spec.graph.phases} phases"
    return (
        f"<p>{phases}; learnt:</p><table>{rows}</table>"
        if rows
        else f"<p>{phases}; nothing is learnt.</p>"
    )


def _folded(title: str, text: str) -> str:
    return (
        f"<details><summary>{html.escape(title)}</summary><pre>{html.escape(text)}</pre></details>"
    )
