"""The log beside the live table: a line is put above the table, and nothing of the table is left behind."""

import io
import logging
import sys

import pytest

from keeptime.cli import live, logfmt
from tests.web.test_outbox import daemon

UP = "\x1b[1A\x1b[2K"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_an_error_goes_above_the_live_table(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", terminal)
    root, hooks = logging.getLogger(), (sys.unraisablehook, logfmt.threading.excepthook)
    handlers, level = root.handlers[:], root.level
    try:
        logfmt.set_up(quiet=True)
        with live.show(daemon(), "http://127.0.0.1:5337"):
            logging.getLogger("keeptime").error("the first, after which the table is drawn")
            before = len(terminal.getvalue())
            logging.getLogger("keeptime").error("the reload was refused")
            said = terminal.getvalue()[before:]
    finally:
        root.handlers[:], (sys.unraisablehook, logfmt.threading.excepthook) = handlers, hooks
        root.setLevel(level)
    above, _, below = said.partition("the reload was refused")
    assert UP in above
    assert "Ctrl-C ends" in below


def test_afterwards_it_goes_to_stderr(monkeypatch: pytest.MonkeyPatch) -> None:
    handler = logfmt._Stderr()
    monkeypatch.setattr(sys, "stderr", Terminal())
    handler.emit(logging.makeLogRecord({"msg": "a line"}))
    assert isinstance(sys.stderr, Terminal)
    assert sys.stderr.getvalue() == "a line\n"
