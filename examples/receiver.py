"""A webhook receiver in one file: checks the signature, drops repeats, names gaps, prints what it was told.

    KEEPTIME_SECRET=whsec_… python examples/receiver.py [--port PORT]

Without KEEPTIME_SECRET nothing is checked, and it says so. Prints the address to write into the contract first.
Needs `pip install standardwebhooks`; the rest is the standard library.
"""

import argparse
import contextlib
import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock

from standardwebhooks import Webhook

LARGEST = 1_048_576


class Inbox:
    """What came, each message once. Keep the ids in your own database: a repeat can come after a restart."""

    def __init__(self, secret: str) -> None:
        self._webhook = Webhook(secret) if secret else None
        self._seen: set[str] = set()
        self._lock = Lock()

    def take(self, body: bytes, headers: dict[str, str]) -> dict[str, object] | None:
        """The message, or None where it came before. Raises ValueError where it is not from keeptime."""
        if self._webhook is not None:
            self._verify(body, headers)
        message = json.loads(body)
        with self._lock:
            if message["id"] in self._seen:
                return None
            before = message.get("previous_id")
            if self._seen and before is not None and before not in self._seen:
                print(
                    f"something is missing before the next line: {before} never came", file=sys.stderr, flush=True
                )
            self._seen.add(message["id"])
        return message

    def _verify(self, body: bytes, headers: dict[str, str]) -> None:
        """On garbage the library raises more than its own error: whatever it is, the message is not genuine."""
        assert self._webhook is not None
        try:
            self._webhook.verify(body, headers)
        except Exception as error:
            raise ValueError(f"not signed by who knows our secret: {error}") from error


class Handler(BaseHTTPRequestHandler):
    inbox: Inbox

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > LARGEST:
            return self._answer(413)
        try:
            message = self.inbox.take(self.rfile.read(int(length)), dict(self.headers.items()))
        except (ValueError, KeyError, TypeError) as error:
            print(f"refused: {error}", file=sys.stderr, flush=True)
            return self._answer(400)
        if message is not None:
            print(told(message), flush=True)
        return self._answer(204)  # only now: an answer is a promise that it will not be forgotten

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing of requests."""


def told(message: dict[str, object]) -> str:
    """One message as one line for people."""
    if message["type"] == "keeptime.heartbeat":
        return (
            f"{message['at']} heartbeat {message['contract']}: the next one comes in {message['every_seconds']} s"
        )
    objective = message["objective"]
    assert isinstance(objective, dict)
    topic = str(message["type"]).rpartition(".")[2]
    return f"{message['at']} {topic:<9} {message['contract']}/{objective['name']}: {message['reason']}"


def main() -> None:
    arguments = argparse.ArgumentParser(description="Print what keeptime tells, each message once.")
    arguments.add_argument("--port", type=int, default=0, help="0: the system chooses one")
    given = arguments.parse_args()
    secret = os.environ.get("KEEPTIME_SECRET", "")
    if not secret:
        print("KEEPTIME_SECRET is not set: signatures are not checked", file=sys.stderr, flush=True)
    Handler.inbox = Inbox(secret)
    server = ThreadingHTTPServer(("127.0.0.1", given.port), Handler)
    print(f"listening on http://127.0.0.1:{server.server_port}/", flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        server.serve_forever()


if __name__ == "__main__":
    main()
