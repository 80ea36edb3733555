"""The tree of a generated module: its text, what is left out of helpers, names from the page."""

import ast

import pytest

import unroll_dsl
from unroll_dsl.backends.torch.helpers import needed, texts
from unroll_dsl.backends.torch.spelling import LONGEST, spelled
from unroll_dsl.backends.torch.templates import fill, name
from unroll_dsl.backends.torch.tree import (
    SELF,
    Assign,
    For,
    Function,
    Helper,
    If,
    Parameter,
    Return,
)
from unroll_dsl.backends.torch.tree.printing import function_text
from unroll_dsl.backends.torch.tree.reading import attributes, globals_of, names
from unroll_dsl.backends.torch.tree.trimming import trimmed

LONG = "f(" + ", ".join(f"argument_{n}" for n in range(8)) + ")"


def test_a_tree_as_text() -> None:
    step = Assign(("x",), fill("x + d", x=name("x"), d=name("self.d")), "a.unroll:3")
    body = (
        Assign(("x", "z"), name("start(x)")),
        For(("_",), name("range(k)"), (step,)),
        If(name("z is None"), (Assign(("z",), name("x"), "a.unroll:4"),)),
        Assign(("u",), name("x"), "a.unroll:5"),
        Assign(("v",), name("u"), "a.unroll:5"),
        Assign(("w",), name(LONG), "a.unroll:6"),
        Return((name("x"), name("w")), "a.unroll:7"),
    )
    made = Function(
        "run", (SELF, Parameter("x", "Tensor"), Parameter("k", "int", "3")), "T", "Run.", body
    )
    assert function_text(made).splitlines() == [
        "def run(self, x: Tensor, k: int = 3) -> T:",
        '    """Run."""',
        "    x, z = start(x)",
        "    for _ in range(k):",
        "        x = x + self.d  # a.unroll:3",
        "    # a.unroll:4",
        "    if z is None:",
        "        z = x",
        "    # a.unroll:5",
        "    u = x",
        "    v = u",
        "    # a.unroll:6",
        f"    w = {LONG}",
        "    return x, w  # a.unroll:7",
    ]
    assert attributes(body) == {"d"}
    assert {"start", "range", "f"} <= set(names(body))


SHRINK = '''def f(v: Tensor, t: Tensor | None = None, inplace: bool = False, scale: float = 2.0) -> Tensor:
    """Text."""
    u = g(v) if t is None else t  # a guess
    if not inplace or v.numel() < 9:  # small
        return h(v, u) * scale
    for part in v:
        part.sub_(t)
    return v
'''
GUESS = "def g(v: Tensor) -> Tensor:\n    return v\n"
HELPERS = (Helper("f", SHRINK), Helper("g", GUESS))


def call(text: str) -> list[ast.Call]:
    return [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]


@pytest.mark.parametrize(
    ("calls", "expected"),
    [
        (
            "f(a)",
            '''def f(v: Tensor) -> Tensor:
    """Text."""
    u = g(v)  # a guess
    return h(v, u) * 2.0
''',
        ),
        (
            "f(a, b.c)",
            '''def f(v: Tensor, t: Tensor) -> Tensor:
    """Text."""
    u = t  # a guess
    return h(v, u) * 2.0
''',
        ),
        (
            "f(a, b.c, inplace=True); f(a)",
            '''def f(v: Tensor, t: Tensor | None=None, inplace: bool=False) -> Tensor:
    """Text."""
    u = g(v) if t is None else t  # a guess
    if not inplace or v.numel() < 9:  # small
        return h(v, u) * 2.0
    for part in v:
        part.sub_(t)
    return v
''',
        ),
        ("f(*a)", SHRINK),
        ("f(a, b.c, c, d); f(a)", SHRINK),
    ],
)
def test_helpers_lose_what_no_call_gives(calls: str, expected: str) -> None:
    first, *others = trimmed(HELPERS, ["f"], call(calls))
    assert first.text == expected
    assert [each.name for each in others] == (["g"] if "g(v)" in expected else [])


def test_a_parameter_that_is_assigned_stays() -> None:
    text = "def f(v: Tensor, t: float = 0.0) -> Tensor:\n    t = t + 1\n    return v + t\n"
    assert trimmed([Helper("f", text)], ["f"], call("f(a)")) == (Helper("f", text),)


def test_what_a_text_takes_from_its_module() -> None:
    """A parameter called like a function is none of it."""
    text = "def f(grad: Tensor) -> int:\n    return sum(x.soft for x in grad) + soft(grad)\n"
    assert globals_of(text) == {"Tensor", "sum", "soft"} | {"int"}
    assert "grad" in texts()
    assert [each.name for each in needed(["square_sum"])] == ["square_sum", "SquareSum"]


def test_every_helper_parses_alone_and_is_found_by_its_name() -> None:
    for word, text in texts().items():
        assert word in {getattr(node, "name", word) for node in ast.parse(text).body}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A' @ y", "Aty"),
        ("tau * A' @ y", "tau_Aty"),
        ("We @ X", "We_X"),
        ("gamma_H' @ B", "gamma_Ht_B"),
        ("F(d)", "F_d"),
        ("1 - P", "one_minus_P"),
        ("norm(A)^2", "norm_A_squared"),
        ("lambda / rho", "lambda_over_rho"),
        ("-x", "minus_x"),
        ("softplus(w * (k - 1) + c_of_a_long_name)", "softplus_w"),
        ("filters(a, padding=circular)", "filters_a"),
        ("x[1:3]", None),
        ("a +", None),
        ("one_long_name * another_long_name", None),
    ],
)
def test_names_from_the_page(text: str, expected: str | None) -> None:
    found = spelled(text)
    assert found == expected
    assert found is None or (found.isidentifier() and len(found) <= LONGEST)


def test_a_factor_of_a_system_is_told_from_a_letter_of_the_page() -> None:
    source = unroll_dsl.load("fista_net").source()
    assert 'self.register_buffer("R", R, persistent=False)' in source
    assert "self.R_factor" in source and "R_2" not in source
