"""`derive`: a problem, a method, a page."""

from __future__ import annotations

import dataclasses
import pkgutil
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module

from unroll_dsl.derive.errors import MethodRefused, OptionRefused
from unroll_dsl.derive.method import Derivation, Method
from unroll_dsl.derive.model import Options, Refusal, Scheme
from unroll_dsl.derive.options import unreadable
from unroll_dsl.derive.page import page
from unroll_dsl.derive.proof import holds
from unroll_dsl.derive.setting import Setting
from unroll_dsl.derive.statements import with_statements
from unroll_dsl.diagnostics.raised import InternalError, UnrollError
from unroll_dsl.driver import check_source
from unroll_dsl.objectives import NormalForm, read
from unroll_dsl.objectives.errors import NoAtom
from unroll_dsl.objectives.penalties import Penalty
from unroll_dsl.semantics import TypedProgram
from unroll_dsl.source import SourceFile
from unroll_dsl.syntax import nodes as n
from unroll_dsl.syntax.printer import statement_text


@cache
def methods() -> Mapping[str, Method]:
    """All methods by name: every module of `methods/` that binds `METHODS`."""
    import unroll_dsl.derive.methods as package

    found: dict[str, Method] = {}
    for module in sorted(info.name for info in pkgutil.iter_modules(package.__path__)):
        for method in getattr(import_module(f"{package.__name__}.{module}"), "METHODS", ()):
            if method.name in found:
                raise InternalError(f"two methods are called `{method.name}`")
            found[method.name] = method
    return found


def method_names() -> tuple[str, ...]:
    """The names of all methods."""
    return tuple(methods())


def derive(typed: TypedProgram, method: str, options: Options | None = None) -> Derivation:
    """The page of a method for the objective of a program.

    Parameters
    ----------
    typed
        A checked problem, or an algorithm with `minimize`.
    method
        One of `method_names()`.

    Raises
    ------
    UnrollError
        U0601, U0602, U0603 where the objective has no normal form; U0610 where the method does not serve it,
        with the term in the way and the methods that would; U0611 for an option that does not fit.
    KeyError
        There is no such method.
    """
    chosen, options = methods()[method], options or Options()
    typed = with_statements(typed, options.statements)
    form = read(typed)
    for own in form.penalties:
        _prove(typed, own)
    setting = Setting(form, options)
    if wrong := list(unreadable(setting, options)):
        raise UnrollError(wrong)
    answer = attempt(chosen, setting, options)
    if isinstance(answer, Refusal):
        if answer.option:
            refused = OptionRefused(answer.option, answer.reason, answer.span, answer.mend)
            raise UnrollError([refused])
        instead = _serving(form, chosen, answer.instead)
        raise UnrollError([MethodRefused(method, answer.reason, answer.span, instead)])
    if wrong := list(_ill_fitting(chosen, setting, options, answer)):
        raise UnrollError(wrong)
    title = options.name or f"{typed.program.name.text}_{method}"
    text = page(form, answer, options, title)
    checked = check_source(SourceFile(f"{title}.unroll", text))
    if checked.program is None or checked.has_errors:
        words = f"what it would write is wrong: {checked.diagnostics[0].message()}"
        raise UnrollError([MethodRefused(method, words, setting.variable.span, ())])
    return Derivation(chosen, form, checked.program, text, answer.way)


def _prove(typed: TypedProgram, own: Penalty) -> None:
    """Refuse a penalty whose proximal map does not hold against brute force."""
    definition = next(
        s
        for s in typed.program.statements
        if isinstance(s, n.Definition) and s.name.text == own.atom.name
    )
    if not holds(own, statement_text(definition)):
        words = "the minimiser that was found for it is not the smallest on a grid"
        raise UnrollError([NoAtom(definition.span, own.atom.name, words)])


def _serving(form: NormalForm, refused: Method, hints: tuple[str, ...]) -> tuple[str, ...]:
    """Up to three methods that do serve, those that the refusal thinks of first."""
    found = []
    for name in dict.fromkeys((*hints, *methods())):
        method = methods()[name]
        if method is refused:
            continue
        if not isinstance(attempt(method, Setting(form, Options()), Options()), Refusal):
            found.append(name)
    return tuple(found[:3])


def _ill_fitting(
    method: Method, setting: Setting, options: Options, scheme: Scheme
) -> Iterator[OptionRefused]:
    """The options that the method has no use for: none is ignored."""
    place = setting.variable.span
    name = method.name
    if options.split and not method.splits:
        yield OptionRefused(
            "--split", f"{name} splits nothing", place, "it is for admm and its like"
        )
    if options.momentum != "nesterov" and name != "fista":
        yield OptionRefused("--momentum", f"it is for fista, not for {name}", place)
    for role in options.letters:
        if role not in setting.roles:
            words = f"{name} names {', '.join(dict.fromkeys(setting.roles)) or 'nothing'}"
            yield OptionRefused(f"--letter {role}=...", f"{name} has no such name", place, words)
    declared = [c.name for c in scheme.constants if c.type is not None]
    for word in options.values:
        if word not in declared:
            words = f"it declares {', '.join(declared) or 'no constants'}"
            yield OptionRefused(f"--value {word}=...", f"{name} does not declare it", place, words)


def attempt(method: Method, setting: Setting, options: Options) -> Scheme | Refusal:
    """The scheme of a method, or why there is none."""
    answer = method.run(setting, options)
    if isinstance(answer, Refusal):
        return answer
    return dataclasses.replace(answer, constants=(*setting.lets(), *answer.constants))
