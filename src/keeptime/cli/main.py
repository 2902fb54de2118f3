"""The command line's front door: which commands there are, and how errors leave the program.

Guarantees: only the module of the command that was called is imported; an expected error is one clear message and
an exit code (0 fine, 1 the answer is no, 2 usage), never a traceback; a bug's traceback holds no
secret. Knows nothing of what a command does.
"""

import argparse
import errno
import importlib
import io
import keyword
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import NoReturn, Protocol, cast

import keeptime
from keeptime.errors import KeeptimeError, UsageError
from keeptime.redaction import redact


@dataclass(frozen=True, slots=True)
class Command:
    """One command: the module in keeptime.cli that has its `configure` and `run`, and its line of help."""

    name: str
    help: str

    @property
    def module(self) -> str:
        return f"keeptime.cli.{self.name}{'_' * keyword.iskeyword(self.name)}"


class CommandModule(Protocol):
    """What a file of a command has."""

    def configure(self, parser: argparse.ArgumentParser) -> None: ...

    def run(self, args: argparse.Namespace) -> int: ...


COMMANDS = (
    Command("init", "measure an endpoint, write a starter contract"),
    Command("check", "validate contracts; say what they can detect, and how fast"),
    Command("run", "observe, judge, tell; dashboard, API and /metrics on one port"),
    Command("probe", "one probe now, phase by phase"),
    Command("tell", "try the receivers of a contract with a test message"),
    Command("status", "condition and budget of every objective"),
    Command("incidents", "what happened to the promises, and who was told"),
    Command("stacks", "where slow requests stood in their code, for a browser or another tool"),
    Command("explain", "why requests were slow, as far as the evidence tells"),
    Command("ack", "take on the alert that is open now"),
    Command("silence", "mute the operators of a contract for a while"),
    Command("event", "mark a deploy or another change, so that it stands beside what happened"),
    Command("push", "report requests of a batch job to the keeptime that runs"),
    Command("reload", "have the keeptime that runs read its contracts again"),
    Command("outbox", "messages that were not delivered; send dead letters again"),
    Command("ledger", "what can be proven: list, verify and export it"),
    Command("token", "who may ask: make, list and revoke bearer tokens"),
    Command("compliance", "was the promise kept: every period that is over"),
    Command("exclude", "leave out of the counts what was agreed to after the contract was written"),
    Command("exclusions", "what was left out of the counts, and why"),
    Command("report", "a period's promises, verdicts, incidents and credits, to sign and keep"),
    Command("presets", "the model servers whose own metrics can be read, and what they cannot tell"),
    Command("import", "make contracts of OpenSLO, Sloth or Pyrra files"),
    Command("export", "the same contract for Prometheus, Alertmanager, Grafana, OpenSLO, Sloth"),
    Command("receive", "a ready receiver of webhooks: verify, drop repeats, print"),
    Command("schema", "print the JSON Schema of a contract"),
    Command("demo", "a model, a contract, a fault, an alert: two minutes"),
)
"""Every command, in the order in which a new user meets them."""

EPILOG = """\
examples:
  keeptime init http://127.0.0.1:5000/predict --json-body '{"data": "sample_input"}' -o contract.yaml
  keeptime check contract.yaml
  keeptime run contract.yaml

`keeptime COMMAND --help` has more. Exit codes: 0 fine, 1 the answer is no, 2 usage.
"""


class _Parser(argparse.ArgumentParser):
    """Says what was wrong in one line, and where help is."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\nTry `{self.prog} --help`.\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    sys.excepthook = _bug
    try:
        args, command = _parse(words)
        _print_what_can_be_printed()
        code = command.run(args)
        if sys.stdout is not None:
            sys.stdout.flush()
        return code
    except UsageError as error:
        return _say(error, 2)
    except KeeptimeError as error:
        return _say(error, 1)
    except BrokenPipeError:
        return _pipe_closed()
    except OSError as error:
        if error.errno != errno.ENOSPC or error.filename is not None:
            raise
        _pipe_closed()
        return _say(KeeptimeError("the output cannot be written: no space is left where it goes"), 1)
    except KeyboardInterrupt:
        return 130


def _parse(words: list[str]) -> tuple[argparse.Namespace, CommandModule]:
    parser = _Parser(
        prog="keeptime",
        description="Keeps latency SLAs for machine-learning models.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"keeptime {keeptime.__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    called = next((word for word in words if not word.startswith("-")), None)
    module: CommandModule | None = None
    for command in COMMANDS:
        sub = commands.add_parser(
            command.name, help=command.help, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        if command.name == called:
            module = cast(CommandModule, importlib.import_module(command.module))
            module.configure(sub)
    args = parser.parse_args(words)
    assert module is not None, "argparse ends the program unless a command was called"
    return args, module


def _say(error: KeeptimeError, code: int) -> int:
    print(f"keeptime: {error}" if "\n" not in str(error) else str(error), file=sys.stderr)
    return code


def _bug(kind: type[BaseException], error: BaseException, frames: TracebackType | None) -> None:
    """What Python prints of an exception that nobody caught, without secrets."""
    import traceback

    sys.stderr.write(redact("".join(traceback.format_exception(kind, error, frames))))


def _print_what_can_be_printed() -> None:
    """In a locale without '±' or '–' a '?' stands for it, where Python would give up."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _pipe_closed() -> int:
    """Whoever read our output has gone (`| head`): end quietly, without Python's own complaint at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1
