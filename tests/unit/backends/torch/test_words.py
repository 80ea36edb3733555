"""Words of generated code: names of a page in Python, names of values without one, docstrings, constants."""

import ast
from typing import Any

import pytest

import unroll_dsl
from unroll_dsl.backends.torch.names import Scope, class_name, distinct, identifier, is_reserved
from unroll_dsl.backends.torch.naming import derived_name, factor_name, name_for
from unroll_dsl.backends.torch.templates import call, fill, name, number, replaced, text, trailing
from unroll_dsl.backends.torch.tree import SELF, Class, Do, Function, Parameter, With
from unroll_dsl.backends.torch.tree.folding import Folding, folded_body
from unroll_dsl.backends.torch.tree.nodes import Define, Module, Return
from unroll_dsl.backends.torch.tree.printing import WIDTH, docstring, function_text, printed
from unroll_dsl.ir.nodes import Node, Size
from unroll_dsl.types import SCALAR, Dim


@pytest.mark.parametrize(
    ("word", "python"),
    [
        ("x", "x"),
        ("lambda", "lambda_"),
        ("lambda_", "lambda__"),
        ("x_", "x__"),
        ("_x", "_x_"),
        ("_x_", "_x__"),
        ("__x", "__x___"),
        ("__x__", "__x_____"),
        ("_", "____"),
        ("__", "_____"),
        ("phase", "phase_"),
        ("total_2", "total_2_"),
        ("total_x", "total_x"),
        ("sum", "sum_"),
        ("nonnegative", "nonnegative_"),
        ("x₁", "x1_"),
        ("µ", "μ_"),
        ("μ", "μ"),
        ("x′", "x_"),
    ],
)
def test_a_name_of_a_page_in_python(word: str, python: str) -> None:
    found = identifier(word)
    assert found == python
    assert found.isidentifier() and not is_reserved(found)


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("ista_net_plus", "IstaNetPlus"),
        ("lista", "Lista"),
        ("_a__b_", "AB"),
        ("phase", "PhaseNetwork"),
        ("__", "Network"),
        ("PhaseBeforeLast3", "PhaseBeforeLast3Network"),
        ("LISTA", "LISTA"),
        ("none", "NoneNetwork"),
    ],
)
def test_a_class_has_the_name_of_its_page(word: str, found: str) -> None:
    assert class_name(word) == found


def test_the_first_two_names_that_python_takes_for_one() -> None:
    assert distinct(["x", "y", "x"]) is None
    assert distinct(["x", "x₁", "x1_"]) is None
    assert distinct(["x₁", "y", "x¹", "y"]) == ("x₁", "x¹")


def test_a_scope_gives_each_name_once() -> None:
    scope = Scope({"a", "b_2"})
    assert [scope.fresh(word) for word in ("a", "a", "b", "b", "lambda", "lambda")] == [
        *("a_2", "a_3", "b", "b_3", "lambda_", "lambda_2")
    ]
    assert scope.fresh("c", "d") == "c" and scope.fresh("c", "d") == "d"
    assert scope.fresh("c", "d") == "d_2"
    scope.take("e")
    assert scope.fresh("e") == "e_2"
    assert scope.inner("f") == "f" == scope.fresh("f")  # what is within is not taken out here
    assert scope.inner("a") == "a_4"
    other = scope.copy()
    other.take("g")
    assert scope.fresh("g") == "g"


# ---- names of values ----------------------------------------------------------------------------

VALUES = """algorithm v
dims m, n
input y : vector[m]
fixed A : matrix[m, n]
fixed Phi : matrix[m, n]
fixed L : scalar = 1
fixed rho : scalar = 1
fixed w : vector[n] = 1
output {}
"""


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("A' @ y", "Aty"),
        ("A' @ (A @ w)", "At_Aw"),
        ("Phi' @ y", "Phit_y"),
        ("A @ w", "Aw"),
        ("Phi @ w", "Phi_w"),
        ("1 / L", "inverse_L"),
        ("2 / L", "2_over_L"),
        ("rho / L", "rho_over_L"),
        ("2 * L", "L_2"),
        ("L * 2", "L_2"),
        ("L * rho", "L_rho"),
        ("L * L", "L_squared"),
        ("L^2", "L_squared"),
        ("L^3", "L_3"),
        ("L + 1", "L_plus_1"),
        ("1 + L", "L_plus_1"),
        ("1 - L", "1_minus_L"),
        ("L - 1", "L_minus_1"),
        ("L + rho", "L_plus_rho"),
        ("norm(A)", "norm_A"),
        ("norm(w)", "norm_w"),
        ("sqrt(L)", "sqrt_L"),
        ("w[2]", "w_2"),
        ("sqrt(L) * sqrt(rho) * sqrt(rho + 1)", None),
        ("sqrt(sqrt(sqrt(sqrt(sqrt(sqrt(L))))))", None),
    ],
)
def test_a_value_without_a_name_has_one_of_what_it_is(text: str, found: str | None) -> None:
    graph = unroll_dsl.loads(VALUES.format(text).replace("dims m, n", "dims m, n")).graph
    (index,) = graph.outputs
    if found is not None and not found.isidentifier():
        found = None
    assert derived_name(graph.nodes, index) == found


def test_the_authors_name_goes_before_all_others() -> None:
    graph = unroll_dsl.loads(VALUES.replace("output {}", "let c = A' @ y\noutput 2 * c")).graph
    labelled = next(i for i, node in enumerate(graph.nodes) if node.label == "c")
    assert name_for(graph.nodes, labelled) == "c"
    assert name_for(graph.nodes, graph.outputs[0]) == "c_2"
    assert factor_name(graph.nodes[labelled]) is None


def test_a_factor_has_the_name_of_its_system() -> None:
    graph = unroll_dsl.loads(
        VALUES.replace("output {}", "let c = solve(A' @ A + rho * I, A' @ y)\noutput c")
    ).graph
    labelled = next(node for node in graph.nodes if node.label == "c")
    assert factor_name(labelled) == "c_factor"


# ---- expressions --------------------------------------------------------------------------------


def test_holes_of_a_template_are_filled_with_brackets_where_they_are_wanted() -> None:
    product = fill("a * b", a=name("x"), b=fill("u + v"))
    assert text(product) == "x * (u + v)"
    assert text(fill("a * b")) == "a * b"  # the template is as it was
    assert text(replaced(product, x=number(-2))) == "-2 * (u + v)"
    assert text(call("f", name("self.A"), number(3))) == "f(self.A, 3)"
    assert text(number(-0.5)) == "-0.5" and text(number(0)) == "0"


@pytest.mark.parametrize(
    ("count", "found"), [(0, "x"), (1, "x[..., None]"), (2, "x[..., None, None]")]
)
def test_axes_at_the_end(count: int, found: str) -> None:
    assert text(trailing(name("x"), count)) == found


# ---- text ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("indent", [0, 4])
def test_a_docstring_stands_on_one_line_where_there_is_room(indent: int) -> None:
    room = WIDTH - 1 - indent - 6
    space = " " * indent
    assert docstring("x" * room, indent) == f'{space}"""{"x" * room}"""'
    assert docstring("y" + " x" * (room // 2) + " z", indent).count("\n") > 0


def test_a_long_docstring_is_a_sentence_and_what_follows_it() -> None:
    words = "The first sentence. " + "Then more of it that goes on for long " * 3
    found = docstring(words.strip(), 4).splitlines()
    assert found[:2] == ['    """The first sentence.', ""] and found[-1] == '    """'
    assert found[2].startswith("    Then more") and max(map(len, found)) <= WIDTH - 1
    colon = docstring("A list: " + "what is in it, and what is not, " * 4, 4).splitlines()
    assert colon[:2] == ['    """A list.', ""] and colon[2].startswith("    What is in it")


def test_a_long_sentence_is_wrapped() -> None:
    found = docstring("word " * 30 + "end", 4).splitlines()
    assert found[0].startswith('    """word word') and found[-1] == '    """'
    assert all(line.startswith("    word") for line in found[1:-1]) and len(found) == 3
    assert max(len(line) for line in found) <= WIDTH - 1


def test_paragraphs_stay_and_quotes_and_backslashes_are_text() -> None:
    assert docstring('a\n\nb """c""" \\d', 0) == "\"\"\"a\n\nb '''c''' \\\\d\n\"\"\""


def test_a_function_with_keywords_and_blocks_within() -> None:
    body = (
        With(name("torch.no_grad()"), (Do(name("f(x)"), "a.unroll:3"),)),
        Define("g", "v", (Return((fill("v + 1"),)),)),
        Return((call("g", name("x")), name("y"))),
    )
    only = (Parameter("seed", "int | None", "None"),)
    made = Function("run", (SELF, Parameter("x", "Tensor")), "T", "", body, only)
    assert function_text(made).splitlines() == [
        "def run(self, x: Tensor, *, seed: int | None = None) -> T:",
        "    with torch.no_grad():",
        "        f(x)  # a.unroll:3",
        "    def g(v: Tensor) -> Tensor:",
        "        return v + 1",
        "",
        "    return g(x), y",
    ]


def test_a_module_is_its_network_first() -> None:
    def class_(word: str) -> Class:
        return Class(
            word, f"{word} words.", (Function("f", (SELF,), "None", "", (Do(name("g()")),)),)
        )

    function = Function("h", (), "None", "", (Do(name("i()")),))
    module = Module("Of 'this' \"\"\"kind\"\"\".", ("import torch",), *map(class_, "N"), (class_("P"),),
                    (class_("B"),), (function,), ())  # fmt: skip
    found = printed(module)
    ast.parse(found)
    assert found.startswith(
        "\"\"\"Of 'this' '''kind'''.\"\"\"\n\nimport torch\n\n\nclass N(nn.Module):\n"
    )
    places = [found.index(part) for part in ("class N", "class P", "class B", "def h")]
    assert places == sorted(places)


# ---- constants in place of names ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("t is None", "True"),
        ("t is not None", "False"),
        ("u is None", "False"),
        ("u is not None", "True"),
        ("w is None", "w is None"),
        ("w == True", "w"),
        ("w == False", "not w"),
        ("w != False", "w"),
        ("w != True", "not w"),
        ("not yes", "False"),
        ("not w", "not w"),
        ("yes and w", "w"),
        ("no and w", "False"),
        ("w and no", "w and False"),
        ("yes or w", "True"),
        ("no or w", "w"),
        ("w or yes", "w or True"),
        ("yes and yes", "True"),
        ("no or no", "False"),
        ("w and yes and z", "w and z"),
        ("a if yes else b", "a"),
        ("a if no else b", "b"),
        ("a if w else b", "a if w else b"),
        ("f(yes, n)", "f(True, 3)"),
    ],
)
def test_what_constants_decide(source: str, found: str) -> None:
    values: dict[str, Any] = {"t": None, "yes": True, "no": False, "n": 3}
    folding = Folding({word: ast.Constant(value) for word, value in values.items()}, {"u"})
    assert ast.unparse(folding.visit(ast.parse(source, mode="eval").body)) == found


def test_tests_that_are_decided_leave_what_is_reached() -> None:
    source = """
if yes:
    a = 1
else:
    a = 2
if no:
    b = 1
if w:
    return a
    c = 3
return b
d = 4
"""
    tree = ast.parse("def f():" + source.replace("\n", "\n    ")).body[0]
    assert isinstance(tree, ast.FunctionDef)
    folding = Folding({"yes": ast.Constant(True), "no": ast.Constant(False)}, set())
    found = folded_body([folding.visit(each) for each in tree.body])
    assert [ast.unparse(each) for each in found] == [
        "a = 1",
        "if w:\n    return a\n    c = 3",
        "return b",
    ]


def test_the_new_value_of_a_state_has_its_name_whatever_else_would_be_called_so() -> None:
    text = """algorithm t
dims n
input y : vector[n]
fixed A : matrix[n, n]
state Ax, x : vector[n] = 0
phase (3):
    Ax <- x^2
    x <- y + (A @ x) / (1 + abs(A @ x))
output x + Ax
"""
    source = unroll_dsl.loads(text).source(optimize=1)
    assert "        Ax = x**2" in source and "        Ax_2 = x @ self.A.mT" in source


@pytest.mark.parametrize(
    ("dim", "found"),
    [
        (Dim.of("n"), "n"),
        (Dim.of("n") * 2, None),
        (Dim.of("n") + 1, None),
        (Dim.of("m") * Dim.of("n"), None),
        (Dim.of(3), None),
    ],
    ids=str,
)
def test_a_size_has_the_name_of_its_symbol_alone(dim: Dim, found: str | None) -> None:
    assert derived_name([Node(Size(dim), (), SCALAR, None)], 0) == found
