"""A server of a language model that answers by a script: streams tokens exactly when it is told to.

    python serve.py [--host 127.0.0.1] [--port 8001]
    curl -N 'http://127.0.0.1:8001/v1/chat/completions?ttft_ms=800&gap_ms=20&tokens=10' -d '{"stream": true}'

One thread sends every piece at its own instant (the last part of each wait is spun), so that a prober can be
checked against it: `GET /sent?name=N` says when the pieces with tokens of the newest streams that were asked with
`?name=N` were sent.
"""

import argparse
import heapq
import json
import selectors
import socket
import sys
import time
from collections import defaultdict, deque
from urllib.parse import parse_qsl, urlsplit

from script import Dialect, Piece, Script, pieces_of, script_of

PATHS = {
    "/v1/chat/completions": "chat",
    "/v1/completions": "text",
    "/sse": "sse",
    "/ndjson": "ndjson",
}
SPIN_NS = 150_000
"""Before an instant the thread stops sleeping so long: a sleep may end late."""
MOST_REQUEST = 1 << 20
MOST_NAMES = 1_000


class Client:
    """One connection: what has come of the next request, and what of the answer is still to be sent."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.incoming = b""
        self.outgoing = b""
        self.busy = self.closing = self.closed = self.chunked = False


class Server:
    """One thread: `serve` takes requests and sends pieces until it is stopped."""

    def __init__(self, host: str, port: int) -> None:
        self.listener = listen(host, port)
        self.port: int = self.listener.getsockname()[1]
        self._ready = selectors.DefaultSelector()
        self._ready.register(self.listener, selectors.EVENT_READ)
        self._due: list[tuple[int, int, Client, Piece, list[int]]] = []
        self._number = 0
        self._sent: dict[str, deque[dict[str, object]]] = defaultdict(lambda: deque(maxlen=256))

    def serve(self) -> None:
        while True:
            self._wait()
            now = time.monotonic_ns()
            while self._due and self._due[0][0] <= now:
                _, _, client, piece, sent = heapq.heappop(self._due)
                self._send_piece(client, piece, sent)

    def _wait(self) -> None:
        """Until a socket is ready or the next piece is due."""
        left = self._due[0][0] - time.monotonic_ns() - SPIN_NS if self._due else 1_000_000_000
        for key, events in self._ready.select(max(0.0, left / 1e9)):
            if key.data is None:
                self._accept()
            elif events & selectors.EVENT_WRITE:
                self._flush(key.data)
            else:
                self._read(key.data)

    def _accept(self) -> None:
        sock, _ = self.listener.accept()
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._ready.register(sock, selectors.EVENT_READ, Client(sock))

    def _read(self, client: Client) -> None:
        try:
            data = client.sock.recv(65_536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        client.incoming += data
        if not data or len(client.incoming) > MOST_REQUEST:
            self._close(client)
            return
        head, end, body = client.incoming.partition(b"\r\n\r\n")
        length = content_length(head)
        if end and len(body) >= length and not client.busy:
            client.incoming = body[length:]
            self._answer(client, head.decode("latin-1"), body[:length], time.monotonic_ns())

    def _answer(self, client: Client, head: str, body: bytes, now: int) -> None:
        method, target, *_ = [*head.split("\r\n", 1)[0].split(" "), "", ""]
        url = urlsplit(target)
        query = dict(parse_qsl(url.query))
        client.busy, client.chunked = True, False
        client.closing = "connection: close" in head.lower()
        if url.path == "/sent":
            self._say(client, 200, {"streams": list(self._sent[query.get("name", "")])})
        elif url.path not in PATHS:
            self._say(client, 404, {"error": f"{method} {url.path}: expected one of {', '.join(PATHS)} or /sent"})
        else:
            self._stream(client, PATHS[url.path], query, body, now)

    def _stream(self, client: Client, kind: str, query: dict[str, str], body: bytes, now: int) -> None:
        try:
            given = json.loads(body or b"{}")
            if not isinstance(given, dict):
                raise ValueError("the body is no JSON object")
            script = script_of(query, given)
        except (ValueError, RecursionError) as error:
            self._say(client, 400, {"error": {"message": str(error)}})
            return
        if script.status != 200:
            self._say(client, int(script.status), {"error": {"message": "told to fail"}})
            return
        options = given.get("stream_options")
        usage = isinstance(options, dict) and options.get("include_usage") is True
        dialect = Dialect(kind, str(given.get("model", "scripted")))
        pieces = pieces_of(script, dialect, usage)
        if script.whole or (kind in ("chat", "text") and not given.get("stream")):
            self._plan(client, [Piece(pieces[-1].after_ms, whole(script))], now, "")
            return
        client.chunked = True
        self._push(client, head_of(200, dialect.media, None))
        self._plan(client, pieces, now, query.get("name", ""))

    def _plan(self, client: Client, pieces: list[Piece], now: int, name: str) -> None:
        """Every piece at its own instant from now; the end is a piece of its own."""
        sent: list[int] = []
        if name and len(self._sent) < MOST_NAMES:
            self._sent[name].append({"read_ns": now, "sent_ns": sent})
        for piece in (*pieces, Piece(pieces[-1].after_ms, b"", -1)):
            self._number += 1
            heapq.heappush(self._due, (now + round(piece.after_ms * 1e6), self._number, client, piece, sent))

    def _send_piece(self, client: Client, piece: Piece, sent: list[int]) -> None:
        if client.closed:
            return
        if piece.tokens < 0:
            self._end(client)
        elif not piece.data:
            self._close(client)
        elif piece.data.startswith(b"HTTP/1.1"):
            self._push(client, piece.data)
        else:
            data = b"%x\r\n%s\r\n" % (len(piece.data), piece.data)
            if piece.tokens:
                sent.append(time.monotonic_ns())
            self._push(client, data)

    def _end(self, client: Client) -> None:
        if client.busy:
            client.busy = False
            self._push(client, b"0\r\n\r\n" if client.chunked else b"")
            if client.closing:
                self._close(client)

    def _say(self, client: Client, status: int, value: object) -> None:
        body = json.dumps(value).encode()
        self._push(client, head_of(status, "application/json", len(body)) + body)
        client.busy = False
        if client.closing:
            self._close(client)

    def _push(self, client: Client, data: bytes) -> None:
        client.outgoing += data
        self._flush(client)

    def _flush(self, client: Client) -> None:
        if client.closed:
            return
        try:
            count = client.sock.send(client.outgoing) if client.outgoing else 0
        except BlockingIOError:
            count = 0
        except OSError:
            self._close(client)
            return
        client.outgoing = client.outgoing[count:]
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if client.outgoing else 0)
        if self._ready.get_key(client.sock).events != wanted:
            self._ready.modify(client.sock, wanted, client)

    def _close(self, client: Client) -> None:
        if not client.closed:
            client.closed = True
            self._ready.unregister(client.sock)
            client.sock.close()


def whole(script: Script) -> bytes:
    """An answer that is no stream, with its head."""
    count = int(script.tokens)
    usage = {"prompt_tokens": 8, "completion_tokens": count, "total_tokens": count + 8}
    body = json.dumps({"choices": [{"message": {"content": "one two"}}], "usage": usage}).encode()
    return head_of(200, "application/json", len(body)) + body


def head_of(status: int, media: str, length: int | None) -> bytes:
    framing = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    return f"HTTP/1.1 {status} Scripted\r\nContent-Type: {media}\r\n{framing}\r\n\r\n".encode()


def content_length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name == b"content-length" and value.strip().isdigit():
            return int(value)
    return 0


def listen(host: str, port: int) -> socket.socket:
    """A bound socket; ends the program with one clear line where there is none to be had."""
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
        sock.listen(256)
    except (OSError, OverflowError) as error:
        sock.close()
        why = getattr(error, "strerror", None) or error
        sys.exit(f"cannot listen on {host}:{port}: {why}; choose another with --port N (0: any free one)")
    sock.setblocking(False)
    return sock


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8001, help="0: any free one (default: 8001)")
    given = parser.parse_args()
    server = Server(given.host, given.port)
    print(f"model ready at http://{given.host}:{server.port}/v1/chat/completions", flush=True)
    try:
        server.serve()
    except KeyboardInterrupt:
        server.listener.close()


if __name__ == "__main__":
    main()
