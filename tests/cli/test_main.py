"""What all commands have in common: help, wrong calls, exit statuses, colours, speed."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from unroll_dsl.cli import explain, main
from unroll_dsl.cli.main import COMMANDS
from unroll_dsl.diagnostics import InternalError

Unroll = Callable[..., Any]  # the fixtures `unroll` and `process`
HEAVY = ("torch", "numpy", "networkx", "rich", "sympy", "matplotlib", "scipy", "ruff")


@pytest.mark.parametrize(
    ("call", "also"),
    [
        (["--help"], ("lark", "unroll_dsl.driver")),
        (["check", "--help"], ("lark", "unroll_dsl.driver")),
        (["explain", "U0301"], ()),
        (["list"], ()),
        (["new", "mine"], ("lark", "unroll_dsl.driver")),
        (["check", "--static", "lista"], ()),
        (["chekc"], ("lark", "unroll_dsl.driver")),
    ],
    ids=" ".join,
)
def test_what_is_quick_imports_nothing_heavy(
    call: list[str], also: tuple[str, ...], process: Unroll
) -> None:
    code = f"""
import sys
from unroll_dsl.cli.main import main
try:
    main({call!r})
except SystemExit:
    pass
print("loaded:", *sorted(set({(*HEAVY, *also)!r}) & set(sys.modules)))
"""
    assert process(code=code).out.splitlines()[-1] == "loaded:"


def test_help_names_every_command(process: Unroll) -> None:
    result = process("--help")
    assert result.status == 0
    for command in COMMANDS:
        assert f"    {command.name} " in result.out
    assert process().out == result.out
    assert process().status == 2


@pytest.mark.parametrize("command", [command.name for command in COMMANDS])
def test_each_command_has_help(command: str, process: Unroll) -> None:
    result = process(command, "--help")
    assert result.status == 0
    assert result.out.startswith(f"usage: unroll {command}")


def test_version(unroll: Unroll) -> None:
    result = unroll("--version")
    assert result.status == 0
    assert result.out.startswith("unroll_dsl ")


def test_unknown_command(unroll: Unroll) -> None:
    result = unroll("lst")
    assert result.status == 2
    assert result.err == "error: unknown command `lst`\nhelp: did you mean `list`?\n"
    assert "the commands are new, list" in unroll("frobnicate").err


def test_unknown_option(unroll: Unroll) -> None:
    result = unroll("check", "lista", "--sttic")
    assert result.status == 2
    assert "`unroll check` does not know `--sttic`" in result.err
    assert "did you mean `--static`?" in result.err
    assert unroll("compile", "lista", "--phases", "0").status == 2
    assert unroll("check").err.endswith("help: `unroll check --help` shows how to call it\n")


def test_unknown_algorithm(unroll: Unroll) -> None:
    result = unroll("check", "--static", "lsta")
    assert result.status == 1
    assert result.err.startswith("error[U0516]: there is no packaged algorithm and no file `lsta`")
    assert "help: did you mean `lista`?" in result.err
    assert "`unroll list`" in unroll("show", "zzzzzzz").err
    unroll("new", "my_net")
    assert "help: did you mean the file `my_net.unroll`?" in unroll("show", "my_net").err


def test_missing_file(unroll: Unroll) -> None:
    result = unroll("check", "nowhere/lista.unroll")
    assert result.status == 1
    assert "error[U0101]" in result.err and "Traceback" not in result.err


@pytest.mark.parametrize("fault", [InternalError("a pass lost a node"), KeyError("x")])
def test_faults_ask_for_a_report(
    fault: Exception, unroll: Unroll, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(options: object) -> int:
        raise fault

    monkeypatch.setattr(explain, "run", fail)
    result = unroll("explain", "U0301")
    assert result.status == 70
    assert result.err.startswith("error: a fault of unroll_dsl ")
    assert "please report it" in result.err and "Traceback" not in result.err
    monkeypatch.setenv("UNROLL_TRACEBACK", "1")
    with pytest.raises(type(fault)):
        main.main(["explain", "U0301"])


@pytest.mark.parametrize(
    ("raised", "status"), [(KeyboardInterrupt(), 130), (OSError(28, "No space left"), 2)]
)
def test_interruptions(
    raised: BaseException, status: int, unroll: Unroll, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(options: object) -> int:
        raise raised

    monkeypatch.setattr(explain, "run", stop)
    result = unroll("explain", "U0301")
    assert result.status == status
    assert len(result.err.splitlines()) == 1


@pytest.mark.skipif(os.name == "nt", reason="pipes of POSIX")
def test_a_closed_pipe_is_no_fault() -> None:
    call = "from unroll_dsl.cli.main import main; main(['explain', '--all'])"
    command = f'{sys.executable} -c "{call}" | true'
    done = subprocess.run(["sh", "-c", command], capture_output=True, check=False, encoding="utf-8")
    assert done.stderr == ""


def test_colours(unroll: Unroll, bad: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[" not in unroll("check", bad.name).err  # not a terminal
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[1;31merror[U0301]" in unroll("check", bad.name).err
    assert "\x1b[" not in unroll("check", "--no-colour", bad.name).err
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in unroll("check", bad.name).err
