"""The compiler's own speed: start-up as processes, checking against the number of statements, compiling
against the number of phases. Medians of interleaved repetitions."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.memory import elsewhere
from benchmarks.timing import medians


def program(statements: int) -> str:
    """A program of that many statements: a third each of lets, learnables and lines of the phase."""
    each = (statements - 8) // 3
    lines = ["algorithm long", "dims n", "input y : vector[n]", "fixed A : matrix[n, n]"]
    lines += ["let L = norm(A)^2", "let c0 = 1 / L"]
    lines += [f"let c{i} = c{i - 1} + {i} / L" for i in range(1, each)]
    lines += [f"learnable t{i} : scalar > 0 = c{i}" for i in range(each)]
    lines += ["state x : vector[n] = 0", "phase (5):", "    v0 = x - A' @ (A @ x - y) / L"]
    lines += [f"    v{i} = soft(v{i - 1}, t{i - 1})" for i in range(1, each)]
    lines += [f"    x <- soft(v{each - 1}, t{each - 1})", "output x"]
    return "\n".join(lines) + "\n"


def run(*names: str) -> None:
    import unroll_dsl
    from unroll_dsl.driver import check_source
    from unroll_dsl.resources import algorithm_names
    from unroll_dsl.source import SourceFile

    def process(*arguments: str) -> Callable[[], object]:
        command = [sys.executable, "-m", "unroll_dsl", *arguments]
        return lambda: subprocess.run(command, check=True, capture_output=True)

    console = Console()
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "long.unroll").write_text(program(1000), encoding="utf-8")
        found = medians(
            {
                "python -c pass": lambda: subprocess.run(
                    [sys.executable, "-c", "pass"], check=True
                ),
                "unroll --help": process("--help"),
                "unroll check --static lista": process("check", "--static", "lista"),
                "unroll check --static, 1,000 statements": process(
                    "check", "--static", f"{folder}/long.unroll"
                ),
            }
        )
    _print(console, "As processes", found)
    names = algorithm_names()
    found = medians({name: process("check", "--static", name) for name in names}, 3)
    slowest = dict(sorted(found.items(), key=lambda item: -item[1])[:3])
    _print(console, "unroll check --static, as a process: the slowest of all shipped", slowest)

    sizes = (125, 250, 500, 1000, 2000)
    sources = {size: SourceFile("long.unroll", program(size)) for size in sizes}
    checks: dict[str, Callable[[], object]] = {
        f"{size:,} statements": lambda source=source: check_source(source)  # type: ignore[misc]
        for size, source in sources.items()
    }
    _print(console, "Checking, in one process", medians(checks))

    specs = {name: unroll_dsl.load(name) for name in names}
    specs["lista"].source()  # what is loaded once is not counted

    def emit(name: str, count: int) -> Callable[[], object]:
        """The text of a module and its classes, as `compile` makes them."""
        return lambda: exec(compile(specs[name].source(phases=count), name, "exec"), {})

    loaded = medians({name: emit(name, 9) for name in names}, 5)
    slowest = dict(sorted(loaded.items(), key=lambda item: -item[1])[:5])
    _print(console, "Spec to module, 9 phases: the slowest of all shipped", slowest)
    emits = {f"{name}, {count} phases": emit(name, count) for name in slowest for count in (9, 900)}
    _print(console, "The same against the number of phases", medians(emits, 5))
    _print(console, "First result of a compiled LISTA", firsts())
    lengths = {name: len(specs[name].source()) for name in slowest}
    console.print("characters of source:", ", ".join(f"{k} {v}" for k, v in lengths.items()))


def firsts() -> dict[str, float]:
    """Seconds to the first result, one phase compiled or the network whole, each in a process of its own."""
    found = {}
    for phases in (4, 16, 64):
        for word, made in (
            ("net.compile()", "net.compile()"),
            ("whole", "net = torch.compile(net)"),
        ):
            code = f"""
import time, torch, unroll_dsl
import torch._inductor.config as config
config.force_disable_caches = True
net = unroll_dsl.load("lista").compile({phases}, bind={{"Wd": torch.randn(50, 100) / 7}})
x = torch.randn(8, 50)
torch.compile(torch.sin)(x)  # what compilers load on their first use
begin = time.perf_counter()
{made}
with torch.no_grad():
    net(x)
print(time.perf_counter() - begin)
"""
            found[f"{phases} phases, {word}"] = float(elsewhere(code))
    return found


def _print(console: Console, title: str, found: dict[str, float]) -> None:
    table = Table(title=title, title_justify="left")
    table.add_column("")
    table.add_column("ms", justify="right")
    for name, seconds in found.items():
        table.add_row(name, f"{1000 * seconds:.0f}")
    console.print(table)
