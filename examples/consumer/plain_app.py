"""A consumer with no framework: headers and body in, status and text out. Ids are kept through restarts."""

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from printing import port, secret, tell, watch

from keeptime.consumer import Inbox, SeenInSqlite

inbox = Inbox(secret(), tell, SeenInSqlite("keeptime-seen.db"))


class Handler(BaseHTTPRequestHandler):
    timeout = 10

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > inbox.verifier.largest:
            self.send_error(413)
            return
        answer = inbox.take(self.headers, self.rfile.read(int(length)))
        self.send_response(answer.status)
        self.end_headers()
        self.wfile.write(answer.text.encode())
        if answer.refused is not None:
            print(f"refused: {answer.refused}", file=sys.stderr, flush=True)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing of requests."""


if __name__ == "__main__":
    Thread(target=watch, args=(inbox,), daemon=True).start()
    server = ThreadingHTTPServer(("127.0.0.1", port()), Handler)
    print(f"listening on http://127.0.0.1:{server.server_port}/keeptime", flush=True)
    server.serve_forever()
