"""Proximal maps that become networks: learned transforms, residuals, denoisers."""

from __future__ import annotations

from itertools import pairwise

from unroll_dsl.relax import find
from unroll_dsl.relax.model import Given, Relaxation
from unroll_dsl.relax.page import Page, Refused, swapped
from unroll_dsl.syntax import nodes as n
from unroll_dsl.syntax.templates import fill, template
from unroll_dsl.syntax.tidy import name
from unroll_dsl.types import Field, Form


def _only(page: Page) -> find.Proximal:
    found = list(find.proximal(page))
    if not found:
        raise Refused("it has no proximal map `soft(r, theta)`")
    if len(found) > 1:
        raise Refused("it has several proximal maps", found[1].node.span)
    if found[0].transform is not None:
        page.give_up(found[0].transform, 2)
    return found[0]


def _image(page: Page, expr: n.Expr) -> tuple[str, bool]:
    """The channels of an image, and whether it is complex."""
    type_ = page.array(expr)
    if type_.form is not Form.IMAGE and type_.rank != 3:
        raise Refused(f"layers act on images, and this is {type_}", expr.span)
    return str(type_.shape[0]), type_.field is Field.COMPLEX


def _local(text: str, value: n.Expr, comment: str = "") -> n.Local:
    return n.Local(name(text), value, comment, value.span)


def _trace(text: str, value: n.Expr, comment: str = "") -> n.Trace:
    return n.Trace(name(text), value, comment, value.span)


def _layer(channels: list[str], bias: bool, size: int) -> str:
    options = ", bias" if bias else ""
    pairs = pairwise(channels)
    return " >> relu >> ".join(f"conv[{a} -> {b}, {size}{options}]" for a, b in pairs)


def _sharing(given: Given) -> str:
    return "" if "shared" in given.flags else " per phase"


def _transform(page: Page, given: Given) -> None:
    found = _only(page)
    c, is_complex = _image(page, found.point)
    if is_complex:
        raise Refused("its image is complex: let it be real", found.point.span)
    width, size = given.number("channels", 32), given.number("size", 3)
    F, Ft = page.letter(None, "F", "T"), page.letter(None, "Ft", "F_t")
    r = page.letter(None, "r", "g")
    there = _layer([c, str(width), str(width)], "bias" in given.flags, size)
    back = _layer([str(width), str(width), c], "bias" in given.flags, size)
    share = _sharing(given)
    page.declare(f"learnable {F} : {there}{share} ~ xavier_normal")
    page.declare(f"learnable {Ft} : {back}{share} ~ xavier_normal")
    line = found.shrinkage.line
    values = {"F": name(F), "Ft": name(Ft), "r": name(r)}
    theta = found.shrinkage.threshold
    page.insert_before(line, _local(r, found.point))
    page.rewrite(
        found.node, fill(f"Ft({found.shrinkage.name}(F(r), theta))", theta=theta, **values)
    )
    symmetry = page.letter(None, "symmetry")
    page.append_lines(_trace(symmetry, fill("Ft(F(r)) - r", **values), f"{Ft} undoes {F}"))
    page.add_to_loss(f"0.01 * sum over phases mean({symmetry}^2)")


def _residual(page: Page, given: Given) -> None:
    found = _only(page)
    c, is_complex = _image(page, found.point)
    if is_complex:
        raise Refused("its image is complex: let it be real", found.point.span)
    width, size = str(given.number("channels", 32)), given.number("size", 3)
    depth, bias = given.number("depth", 2), "bias" in given.flags
    D, H = page.letter(None, "D", "D_r"), page.letter(None, "H", "H_r")
    Ht, G = page.letter(None, "Ht", "H_t"), page.letter(None, "G", "G_r")
    r, d = page.letter(None, "r", "g"), page.letter(None, "d", "e")
    share = _sharing(given)
    page.declare(f"learnable {D} : {_layer([c, width], bias, size)}{share} ~ xavier_normal")
    inner = _layer([width] * (depth + 1), bias, size)
    page.declare(f"learnable {H}, {Ht} : {inner}{share} ~ xavier_normal")
    page.declare(f"learnable {G} : {_layer([width, c], bias, size)}{share} ~ xavier_normal")
    line = found.shrinkage.line
    letters = {"D": name(D), "H": name(H), "Ht": name(Ht), "G": name(G), "r": name(r), "d": name(d)}
    point = found.point
    view = given.values.get("view")
    if view is not None:
        point = fill("M' @ (M @ r)", M=view, r=point)
    shrunk = fill(
        f"{found.shrinkage.name}(H(d), theta)", theta=found.shrinkage.threshold, **letters
    )
    before = [_local(r, point), _local(d, fill("D(r)", **letters))]
    extra: list[n.Update | n.Local | n.Trace] = []
    if "sparsity" in given.flags:
        s = page.letter(None, "s", "shrunk")
        before.append(_local(s, shrunk))
        shrunk = name(s)
        extra.append(_trace(page.letter("sparsity"), name(s)))
    value = fill("r + G(Ht(s))", s=shrunk, **letters)
    if "nonneg" in given.flags:
        value = fill("relu(v)", v=value)
    page.insert_before(line, *before)
    page.rewrite(found.node, value)
    symmetry = page.letter(None, "symmetry")
    page.append_lines(_trace(symmetry, fill("Ht(H(d)) - d", **letters), f"{Ht} undoes {H}"), *extra)
    page.add_to_loss(f"0.01 * sum over phases mean({symmetry}^2)")
    if "sparsity" in given.flags:
        page.add_to_loss("0.001 * sum over phases mean(abs(sparsity))")


def _prox(page: Page, given: Given) -> None:
    found = _only(page)
    c, is_complex = _image(page, found.point)
    line = found.shrinkage.line
    u = page.letter(None, "v", "r", "g")
    space = page.array(found.point)
    word = given.word("denoiser")
    if word is not None:
        N = page.letter(word)
        page.declare(f"fixed {N} : network {space} -> {space}", "a denoiser, bound from outside")
        value = fill("N(u)", N=name(N), u=name(u))
    else:
        N = page.letter(given.word("letter"), "N", "R")
        width, size = str(given.number("channels", 128)), given.number("size", 5)
        middle = "plf" if "plf" in given.flags else "relu"
        layers = (
            f"conv[{c} -> {width}, {size}, bias] >> {middle} >> conv[{width} -> {c}, {size}, bias]"
        )
        share = " per phase" if "untied" in given.flags else ""
        page.declare(
            f"learnable {N} : {layers}{share} ~ normal(0, 0.025)", "takes off what is no image"
        )
        call = "split(N)(u)" if is_complex else "N(u)"
        value = fill(f"u - {call}", N=name(N), u=name(u))
    page.insert_before(line, _local(u, found.point))
    page.rewrite(found.node, value)


RELAXATIONS = (
    Relaxation(
        "transform",
        "A learned transform",
        "J. Zhang, B. Ghanem: ISTA-Net, CVPR, 2018, with the trace and the loss that Ft undoes F",
        "Psi' @ soft(Psi @ r, theta)",
        "Ft(soft(F(r), theta))",
        False,
        _transform,
        ("shared", "bias"),
        ("channels", "size"),
    ),
    Relaxation(
        "residual",
        "A learned residual",
        "J. Zhang, B. Ghanem: ISTA-Net+, CVPR, 2018; J. Xiang et al.: FISTA-Net, 2021",
        "Psi' @ soft(Psi @ r, theta)",
        "r + G(Ht(soft(H(D(r)), theta)))",
        False,
        _residual,
        ("shared", "bias", "sparsity", "nonneg"),
        ("channels", "size", "depth", "view"),
    ),
    Relaxation(
        "prox",
        "A network in place of the proximal map",
        "Y. Yang, J. Sun, H. Li, Z. Xu: ADMM-CSNet, TPAMI, 2020; S. Venkatakrishnan et al.: plug-and-play, 2013",
        "soft(x + u, lambda / rho)",
        "v - N(v)",
        False,
        _prox,
        ("plf", "untied"),
        ("channels", "size", "letter", "denoiser"),
    ),
)

__all__ = ["RELAXATIONS", "swapped", "template"]
