"""The words of the language for an editor: what each means, and a line to begin with.

Snippets are in the form that editors share: `${1:name}` is a place to fill in, `$0` where the cursor comes to rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from unroll_dsl.editor.names import CONSTANTS


@dataclass(frozen=True, slots=True)
class Word:
    """A keyword: what it means in one sentence, and what is inserted for it; "" for the word itself."""

    text: str
    meaning: str
    snippet: str = ""


STATEMENTS = (
    Word("algorithm", "Names an algorithm: the first line of its file.", "algorithm ${1:name}"),
    Word("problem", "Names a problem, an objective without an iteration.", "problem ${1:name}"),
    Word("dims", "Sizes, with defaults where the page has some.", "dims ${1:m}, ${2:n}"),
    Word("input", "What the network is given at every call.", "input ${1:y} : ${2:vector[m]}"),
    Word(
        "fixed",
        "A constant, bound when the network is made; it may have a default.",
        "fixed ${1:A} : ${2:matrix[m, n]}",
    ),
    Word(
        "learnable",
        "What is learned, `per phase` or shared; its value is the classical one.",
        "learnable ${1:t} : ${2:scalar > 0} per phase = ${3:1}",
    ),
    Word("let", "A value that follows from others.", "let ${1:L} = ${2:norm(A)^2}"),
    Word(
        "state",
        "What each phase updates, and what it starts at.",
        "state ${1:x} : ${2:vector[n]} = ${3:0}",
    ),
    Word(
        "phase",
        "One phase of the iteration, and how many there are.",
        "phase (${1:10}):\n    ${2:x} <- $0",
    ),
    Word("output", "What the network gives, computed after the last phase.", "output ${1:x}"),
    Word(
        "minimize",
        "The objective that the iteration minimises.",
        "minimize over ${1:x}:\n    ${2:1/2 * sumsq(A @ x - y)}",
    ),
    Word(
        "loss",
        "What training makes small; its targets are what is to be found.",
        "loss (${1:x_star} : ${2:vector[n]}):\n    ${3:mean((x - x_star)^2)}",
    ),
    Word(
        "measure",
        "How the data of an input are made of the targets of the loss.",
        "measure ${1:y} = ${2:A @ x_star}",
    ),
    Word("def", "A function of the page, or a named block of layers.", "def ${1:f}(${2:v}) = $0"),
)
IN_PHASE = (
    Word("trace", "A value of each phase that the loss reads.", "trace ${1:s} = $0"),
    Word(
        "repeat",
        "An inner loop: so many steps in each phase.",
        "repeat (${1:3}):\n    $0",
    ),
)
IN_LOOP = (STATEMENTS[7],)
IN_DEFINITION = (Word("return", "What a function returns.", "return $0"),)
IN_TYPES = (
    Word("complex", "Of complex numbers.", "complex ${1:vector[n]}"),
    Word(
        "linear",
        "A linear map that is bound from outside, with its adjoint.",
        "linear ${1:image[1, h, w]} -> ${2:vector[m]}",
    ),
    Word(
        "network",
        "A network that is bound from outside.",
        "network ${1:image[1, h, w]} -> ${2:image[1, h, w]}",
    ),
    Word(
        "conv", "A convolution; a chain of layers is joined by `>>`.", "conv[${1:1 -> 32}, ${2:3}]"
    ),
)
BEHIND_TYPES = (
    Word("per phase", "A value for each phase."),
    Word("per step", "A value for each step of the inner loop that reads it."),
    Word("shared", "One value for all phases, which is what a declaration means by itself."),
    Word(
        "in", "Between two bounds: `in [0, 1]`, without an end `in [0, 1)`.", "in [${1:0}, ${2:1}]"
    ),
)
OPERATORS = (
    Word("and", "Both hold."),
    Word("or", "One of both holds."),
    Word("not", "It does not hold."),
)
IN_LOSS = (
    Word("sum over phases", "The sum of a trace's terms over all phases.", "sum over phases $0"),
)
OTHERS = (Word("over", "What an objective is minimised over: `minimize over x:`."),)
SPACES: Mapping[str, Word] = {
    word.text: word
    for word in (
        Word("scalar", "One number."),
        Word("vector", "A vector: `vector[n]`.", "vector[${1:n}]"),
        Word("matrix", "A matrix of rows and columns: `matrix[m, n]`.", "matrix[${1:m}, ${2:n}]"),
        Word("tensor", "An array of any number of axes.", "tensor[${1:n}]"),
        Word(
            "image",
            "Channels first: `image[1, h, w]`.",
            "image[${1:1}, ${2:h}, ${3:w}]",
        ),
        Word(
            "mask", "Factors of the pixels of each channel: `mask[h, w]`.", "mask[${1:h}, ${2:w}]"
        ),
    )
}
WORDS: Mapping[str, Word] = {
    word.text: word
    for group in (
        STATEMENTS,
        IN_PHASE,
        IN_DEFINITION,
        IN_TYPES,
        BEHIND_TYPES,
        OPERATORS,
        IN_LOSS,
        OTHERS,
    )
    for word in group
}
RANDOM_STARTS: Mapping[str, str] = {
    "normal": "Normal with mean and standard deviation.",
    "uniform": "Uniform between two ends.",
    "xavier_normal": "Normal, scaled by rows and columns (Glorot).",
    "xavier_uniform": "Uniform, scaled by rows and columns (Glorot).",
    "kaiming_normal": "Normal, scaled by what enters (He).",
    "kaiming_uniform": "Uniform, scaled by what enters (He).",
    "orthogonal": "Orthonormal rows, or columns where there are fewer.",
}


def meaning(word: str) -> str | None:
    """What a word of the language means, in a sentence; None where it is none."""
    if word in WORDS or word in SPACES:
        return (WORDS.get(word) or SPACES[word]).meaning
    return CONSTANTS.get(word) or RANDOM_STARTS.get(word)
