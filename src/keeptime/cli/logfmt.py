"""The log of `keeptime run`: one line per event, `time level message key=value …`, on stderr.

Guarantees: one event is one line whatever it holds; no secret's value is in it, not even in a traceback of a bug.
What ends a thread, or is raised where nobody catches, is logged the same way.
"""

import json
import logging
import sys
import threading
from datetime import UTC, datetime
from typing import TextIO

from keeptime.model.alert import Message
from keeptime.redaction import redact

log = logging.getLogger("keeptime")

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "taskName"}


class Line(logging.Formatter):
    """A record as one line."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        fields = {name: value for name, value in vars(record).items() if name not in _STANDARD}
        if record.exc_info:
            fields["error"] = self.formatException(record.exc_info)
        words = [at, record.levelname.lower(), value_of(record.getMessage())]
        return redact(" ".join([*words, *(f"{name}={value_of(value)}" for name, value in fields.items())]))


def value_of(value: object) -> str:
    """A value as one word, or as a JSON string where it holds spaces or anything odd."""
    text = str(value)
    plain = text.isprintable() and text and not any(sign in text for sign in ' "=')
    return text if plain else json.dumps(text, ensure_ascii=False)


class _Stderr(logging.StreamHandler[TextIO]):
    """Writes to what is stderr now: the live table, while it is shown, which puts lines above itself."""

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)


def set_up(*, quiet: bool) -> None:
    """Log to stderr; `quiet` (a live table is shown): errors alone."""
    handler = _Stderr()
    handler.setFormatter(Line())
    logging.basicConfig(level=logging.ERROR if quiet else logging.INFO, handlers=[handler], force=True)
    threading.excepthook = _thread_ended
    sys.unraisablehook = _unraisable


def _thread_ended(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is not None:
        name = args.thread.name if args.thread is not None else "?"
        log.error("a bug of keeptime ended its thread '%s'", name, exc_info=args.exc_value)


def _unraisable(args: "sys.UnraisableHookArgs") -> None:
    if args.exc_value is not None:
        log.error("a bug of keeptime, where nothing can be raised", exc_info=args.exc_value)


def told(message: Message) -> None:
    """Log one transition with the reason that everybody is told."""
    body = json.loads(message.body)
    level = logging.INFO if message.topic == "recovered" else logging.WARNING
    extra = {"contract": message.key.contract, "objective": message.key.objective, "told": len(message.addresses)}
    log.log(level, message.topic.value, extra=extra | {"reason": body["reason"]})
