"""docs/atoms.md: what the records say, as a page."""

from __future__ import annotations

from unroll_dsl.atoms.model import Atom
from unroll_dsl.atoms.registry import atoms

_HEAD = """\
# Atoms of objectives

An objective is a sum of terms `weight * atom(affine map of the variables)`. These are the atoms, {count} of them; this page is
generated from their records (`unroll_dsl/atoms/`), each of which the tests hold against SciPy's minimisers, differences,
samples and Moreau's identity. In the formulas `v` is the argument, `t` the weight of the proximal map
argmin 1/2 ||z - v||^2 + t phi(z), `p` a dual point, `s` the step and `w` the weight within the conjugate's proximal map; where
that is not given it follows by Moreau's identity.

The calculus (`unroll_dsl/objectives/proximal.py`): weights, translations, scalings, tilts, added squares, separable sums with an
interval, composition with maps of L L' = I, quadratics of any map through `solve`.
"""


def page() -> str:
    """The page."""
    groups = (
        ("Penalties and losses, convex", [a for a in atoms() if a.convex and not a.indicator]),
        (
            "Penalties and losses that are not convex",
            [a for a in atoms() if not a.convex and not a.indicator],
        ),
        ("Indicators of sets", [a for a in atoms() if a.indicator]),
    )
    parts = [_HEAD.format(count=len(atoms()))]
    for heading, members in groups:
        parts.append(f"## {heading}\n")
        parts += [_section(atom) for atom in sorted(members, key=lambda a: a.title)]
    return "\n".join(parts)


def _section(atom: Atom) -> str:
    spellings = ", ".join(f"`{s}`" for s in atom.spellings)
    rows = [("written", spellings)]
    rows += [(f"`{p.name}`", p.words) for p in atom.parameters]
    rows.append(("takes", f"{atom.domain.value}, {atom.shape.value}"))
    if atom.where:
        rows.append(("finite where", f"`{atom.where}`" if "=" in atom.where else atom.where))
    for words, formula in (
        ("gradient", atom.gradient),
        ("its Lipschitz constant", atom.lipschitz),
        ("strong convexity", atom.strong if atom.strong != "0" else None),
        ("proximal map", atom.prox),
        ("conjugate's", atom.conjugate),
        ("smallest linear function", atom.linear_minimiser),
    ):
        if formula is not None:
            rows.append((words, f"`{formula}`"))
    rows.append(("source", atom.source))
    if atom.note:
        rows.append(("note", atom.note))
    latex = atom.latex
    for name in ("v", *(p.name for p in atom.parameters)):
        latex = latex.replace("{" + name + "}", name)
    lines = [
        f"### {atom.title[0].upper()}{atom.title[1:]}",
        "",
        f"$${latex}$$",
        "",
    ]
    lines += [
        "| | |",
        "|---|---|",
        *(f"| {a} | {b.replace('|', chr(92) + '|')} |" for a, b in rows),
        "",
    ]
    return "\n".join(lines)
