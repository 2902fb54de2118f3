"""What `keeptime receive` does: listen, verify, print, and obey signals.

Guarantees: a message is answered with 200 only after it was printed and its id kept; messages go to stdout, all
else to stderr; whoever reads stdout and goes away ends it.
"""

import argparse
import asyncio
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from keeptime.cli.listening import address, url_of
from keeptime.cli.received import as_json, clean, picture, silence_json
from keeptime.clock import SystemClock
from keeptime.consumer.asgi import Application, Message, Receive, Send
from keeptime.consumer.inbox import Answer, Inbox, Received
from keeptime.consumer.pulse import Silent
from keeptime.consumer.seen import Seen, SeenInMemory, SeenInSqlite
from keeptime.consumer.verify import Verifier
from keeptime.contract.secrets import resolve
from keeptime.errors import KeeptimeError, UsageError
from keeptime.units import parse_duration
from keeptime.web.serve import Server

LOOK = 1.0
"""Seconds between two looks whether heartbeats have stopped."""


@dataclass(frozen=True, slots=True)
class Options:
    """The command line, understood; secrets are references."""

    host: str
    port: int
    secrets: tuple[str, ...]
    tolerance: float
    seen: str | None
    json: bool

    @classmethod
    def of(cls, args: argparse.Namespace) -> "Options":
        """Raises UsageError."""
        host, port = address(args.listen)
        for each in args.secret:
            if not each.startswith(("env:", "file:")):
                raise UsageError("--secret: expected env:NAME or file:PATH, never the secret itself")
        return cls(host, port, tuple(args.secret), _tolerance(args.tolerance), args.seen, args.json)


async def keep_receiving(options: Options) -> int:
    """Receive until SIGTERM or SIGINT; the exit code. Raises KeeptimeError where it cannot start."""
    ending = _Ending()
    verifier = Verifier(_values(options.secrets), tolerance=options.tolerance, unsigned=not options.secrets)
    seen: Seen = SeenInMemory() if options.seen is None else SeenInSqlite(options.seen)
    printer = _Printer(options.json, ending)
    inbox = Inbox(verifier, printer.show, seen)
    server = Server(_Careful(Application(inbox, told=_log)), options.host, options.port)
    port = await server.start()
    if not options.secrets:
        _say("no --secret: signatures are not checked, and whoever reaches this port is believed")
    _say(f"receiving at {url_of(options.host, port)}/ (Ctrl-C ends)")
    watching = asyncio.create_task(_watch(inbox, printer))
    try:
        await ending.wait()
    finally:
        watching.cancel()
        await server.stop()
    return ending.code


async def _watch(inbox: Inbox, printer: "_Printer") -> None:
    """Say once when a contract's heartbeats have stopped, and once that they are back."""
    known: dict[str, Silent] = {}
    while True:
        await asyncio.sleep(LOOK)
        found = {each.contract: each for each in inbox.silent(SystemClock().wall_ns() / 1e9)}
        for name in found.keys() - known.keys():
            printer.silent(found[name])
        for name in known.keys() - found.keys():
            printer.heard(known[name])
        known = found


class _Ending:
    """Ends by a signal with 0, or from a thread with 1."""

    def __init__(self) -> None:
        self.code = 0
        self._event = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, self._event.set)

    async def wait(self) -> None:
        await self._event.wait()

    def fail(self) -> None:
        self.code = 1
        self._loop.call_soon_threadsafe(self._event.set)


class _Printer:
    def __init__(self, json: bool, ending: _Ending) -> None:
        self._json = json
        self._text = as_json if json else picture
        self._ending = ending

    def show(self, received: Received) -> None:
        """Raises OSError where nobody reads any more: then it was not taken."""
        try:
            print(self._text(received), flush=True)
        except OSError:
            self._ending.fail()
            raise

    def silent(self, silent: Silent) -> None:
        self._line(silence_json(silent) if self._json else clean(silent.text))

    def heard(self, silent: Silent) -> None:
        self._line(silence_json(silent, over=True) if self._json else clean(f"{silent.contract} is heard again"))

    def _line(self, text: str) -> None:
        try:
            print(text, flush=True)
        except OSError:
            self._ending.fail()


class _Careful:
    """Answers 500 with a line of its own where a message could not be printed or its id not kept."""

    def __init__(self, app: Application) -> None:
        self._app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        except (OSError, KeeptimeError) as error:
            _say(f"not taken: {error}")
            headers = [(b"content-length", b"0")]
            await send({"type": "http.response.start", "status": 500, "headers": headers})
            await send({"type": "http.response.body", "body": b""})


def _values(references: Sequence[str]) -> list[str]:
    return [resolve(each) for each in references]


def _tolerance(text: str) -> float:
    try:
        seconds = parse_duration(text)
    except ValueError as error:
        raise UsageError(f"--tolerance {text}: {error}") from error
    return seconds


def _log(answer: Answer) -> None:
    if answer.refused is not None:
        _say(f"refused: {answer.refused} [{answer.refused.why}]")
    elif answer.repeat:
        _say("a repeat, known already")


def _say(text: str) -> None:
    print(f"keeptime receive: {clean(text)}", file=sys.stderr, flush=True)
