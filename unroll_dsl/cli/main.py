"""`unroll`: the list of commands, and what is common to all of them.

A command is a module of this package with `arguments(parser)`, which declares its options, and
`run(options) -> int`, which does the work and returns the exit status. Here is only what help
needs; the module of a command is imported when that command is called, and imports what is heavy
(numpy, torch) when it runs.
"""

import os
import sys
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import NoReturn

from unroll_dsl.cli.memory import asked_for, is_no_memory
from unroll_dsl.cli.terminal import prepare_streams, problem, quiet_stdout, report_diagnostics
from unroll_dsl.cli.usage import Exit, Parser, UsageError, did_you_mean
from unroll_dsl.diagnostics.raised import InternalError, UnrollError
from unroll_dsl.files import CannotRead
from unroll_dsl.version import VERSION


@dataclass(frozen=True, slots=True)
class Command:
    """One command; `module` is the last part of its module's name."""

    name: str
    module: str
    summary: str


COMMANDS = (
    Command("new", "new", "write a commented spec to start from"),
    Command("list", "listing", "name the algorithms that come along"),
    Command("check", "check", "check a spec: shapes and names, then numbers"),
    Command("fmt", "fmt", "format pages as the shipped ones are written"),
    Command("lsp", "lsp", "serve pages to an editor, which starts this by itself"),
    Command("compile", "compile", "write the PyTorch module of a spec"),
    Command("show", "show", "summarise a spec; draw it; print it as LaTeX"),
    Command("derive", "derive", "derive an algorithm from a problem"),
    Command("relax", "relax", "make a network of an algorithm: learn some of its parts"),
    Command("family", "family", "list the algorithms and networks that a problem has"),
    Command("deck", "deck", "derive the shipped networks from their objectives, on one page"),
    Command("certify", "certify", "bound the worst case of an iteration over a class"),
    Command("run", "run", "apply an algorithm to arrays from files"),
    Command("train", "train", "train a spec by its own loss; go on with a run"),
    Command("report", "report", "make one HTML page of a training run"),
    Command("explore", "explore", "train the networks of a problem and compare them"),
    Command("eval", "eval", "judge a trained network by PSNR, SSIM, NMSE, ..."),
    Command("compare", "compare", "hold networks against each other and classical iterations"),
    Command("weights", "weights", "import authors' weights into one file with their spec"),
    Command("export", "export", "write a network as ONNX, for torch.export, or as a folder"),
    Command("reproduce", "reproduce", "run a paper's test with its authors' weights"),
    Command("explain", "explain", "explain the code of an error"),
    Command("demo", "demo", "train LISTA on natural images and compare it with FISTA"),
)

DESCRIPTION = """\
Algorithm unrolling from a page of mathematics: an .unroll file is an iteration as a
paper prints it; from it come a PyTorch network, a classical solver and their comparison."""

EPILOG = """\
`unroll COMMAND --help` tells more of each. Where a FILE is asked for, the name of an
algorithm that comes along does as well: `unroll check lista`."""


_INSTALL = "`pip install 'unroll_dsl[demo,train]'` installs all that the demo and training need"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status."""
    prepare_streams()
    given = list(sys.argv[1:] if arguments is None else arguments)
    options = Namespace(json=False, no_colour=False)
    try:
        status = _run(given, options)
        sys.stdout.flush()
    except UnrollError as error:
        report_diagnostics(error.diagnostics, json=options.json, no_colour=options.no_colour)
        return Exit.ERRORS
    except (UsageError, CannotRead) as error:
        problem(error.message, error.mend)
        return Exit.USAGE
    except BrokenPipeError:
        quiet_stdout()
        return Exit.BROKEN_PIPE
    except OSError as error:
        problem(f"{error.filename or 'input or output'}: {error.strerror or error}")
        return Exit.USAGE
    except KeyboardInterrupt:
        problem("interrupted")
        return Exit.INTERRUPTED
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] == "unroll_dsl":
            return _fault(f"{error}")
        problem(f"this needs `{error.name}`, which is not installed", _INSTALL)
        return Exit.USAGE
    except InternalError as error:
        return _fault(f"{error}")
    except MemoryError as error:
        return _no_memory(error)
    except Exception as error:
        if is_no_memory(error):
            return _no_memory(error)
        if (
            "the system of `solve` is singular" in f"{error}"
        ):  # by network or reference, with the line
            problem(f"{error}")
            return Exit.ERRORS
        return _fault(f"{type(error).__name__}: {error}")
    return status


def _run(given: list[str], options: Namespace) -> int:
    """Parse what was given into `options` and run the command it names."""
    parser = Parser(prog="unroll", description=DESCRIPTION, epilog=EPILOG)
    parser.add_argument("--version", action="store_true", help="print the version and leave")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", dest="command")
    chosen = next((word for word in given if not word.startswith("-")), None)
    module = None
    for command in COMMANDS:
        sub = commands.add_parser(command.name, help=command.summary, description=command.summary)
        if command.name == chosen:
            module = import_module(f"unroll_dsl.cli.{command.module}")
            sub.description = module.__doc__
            module.arguments(sub)
            sub.add_argument("--no-colour", "--no-color", action="store_true", help=NO_COLOUR)
    if chosen is not None and module is None:
        _unknown_command(chosen)
    parser.parse_args(given, namespace=options)
    if options.version:
        print(f"unroll_dsl {VERSION}")
        return Exit.FINE
    if module is None:
        parser.print_help()
        return Exit.USAGE
    return int(module.run(options))


NO_COLOUR = "print without colours (also by the variable NO_COLOR)"


def _unknown_command(word: str) -> NoReturn:
    names = tuple(command.name for command in COMMANDS)
    mend = did_you_mean(word, names) or f"the commands are {', '.join(names)}"
    raise UsageError(f"unknown command `{word}`", mend)


def _no_memory(error: BaseException) -> int:
    words = asked_for(error)
    problem(
        f"there is not enough memory{f': {words}' if words else ''}",
        "take smaller sizes (`--dims n=100`, of `check`), fewer samples at a time, or a machine with more",
    )
    return Exit.USAGE


def _fault(what: str) -> int:
    """Report a fault of the compiler; its traceback only for those who mend it."""
    if os.environ.get("UNROLL_TRACEBACK"):
        raise  # what is being handled where this is called
    mend = "please report it with the file and the command; UNROLL_TRACEBACK=1 shows where"
    problem(f"a fault of unroll_dsl {VERSION}, not of your program: {what}", mend)
    return Exit.FAULT


if __name__ == "__main__":
    sys.exit(main())
