"""A consumer's webhook receiver, as a team that calls the model would have it.

Guarantees: a message is taken only when `keeptime.consumer` believes it; each is appended to a file as one JSON
line. Knows nothing else of keeptime but the body it is sent.

    KEEPTIME_DEMO_SECRET=whsec_… python -m keeptime.demo.consumer FILE
"""

import json
import os
import sys
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock

from keeptime import clock
from keeptime.consumer import MessageRefused, Verifier

SECRET = "KEEPTIME_DEMO_SECRET"
LARGEST = 256 * 1024

Take = Callable[[bytes, dict[str, str]], int]


class Inbox:
    """Verifies and keeps messages; `take` answers with the HTTP status to give."""

    def __init__(self, secret: str, file: Path) -> None:
        self._verifier = Verifier(secret, largest=LARGEST)
        self._file = file
        self._lock = Lock()

    def take(self, body: bytes, headers: dict[str, str]) -> int:
        now = clock.wall_ns() / 1e9
        try:
            found = self._verifier.verify(headers, body, now)
        except MessageRefused:
            return 401
        line = json.dumps({"received": now, "id": found.id, "message": dict(found.fields)})
        with self._lock, self._file.open("a", encoding="utf-8") as out:
            out.write(line + "\n")
        return 204


def handler(take: Take) -> type[BaseHTTPRequestHandler]:
    """A request handler that passes each POST's body and headers (lower case) on."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("content-length", 0))
            status = 413
            if length <= LARGEST:
                headers = {name.lower(): value for name, value in self.headers.items()}
                status = take(self.rfile.read(length), headers)
            self.send_response(status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler


def main() -> None:
    inbox = Inbox(os.environ[SECRET], Path(sys.argv[1]))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(inbox.take))
    print(f"consumer ready at http://127.0.0.1:{server.server_port}/hook", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
