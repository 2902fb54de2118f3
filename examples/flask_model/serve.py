"""A model behind an HTTP endpoint, as a team might have it: Flask, `POST /predict`, JSON in and out.

It answers as fast as it can until `POST /control` makes it slow or failing: {"delay_ms": 800, "fail": false}, or
{"fault": "lock"}, which is slow for a reason (`faults.py` has five). `Server-Timing` says how long each step took.

    python serve.py [--host 127.0.0.1] [--port 5000] [--stacks http://127.0.0.1:5337/api/v1/push/digits-latency]

With --stacks keeptime's middleware tells the keeptime at this URL where late requests stood in the code.
"""

import argparse
import logging
import socket
import sys
import threading
import time
from collections.abc import Callable

from flask import Flask, Response, jsonify, request
from werkzeug.serving import WSGIRequestHandler, make_server

from faults import FAULTS, Work, server_timing
from keeptime.middleware import Stacks
from keeptime.middleware.wsgi import KeeptimeWSGI
from model import DigitReader

LOOPBACK = ("127.0.0.1", "::1")
LONGEST_MS = 60_000
LATE = 0.3
"""Seconds."""

Pause = Callable[[], float]
"""Seconds to wait before the next answer."""


class Control:
    """How the service misbehaves now. Safe to change while it answers."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._lock = threading.Lock()
        self._delay_ms = 0.0
        self._fail = False

    def state(self) -> dict[str, object]:
        with self._lock:
            return {"delay_ms": self._delay_ms, "fail": self._fail, "fault": self._work.fault or None}

    def pause(self) -> float:
        with self._lock:
            return self._delay_ms / 1000

    @property
    def failing(self) -> bool:
        with self._lock:
            return self._fail

    def change(self, wanted: object) -> None:
        """Raises ValueError with a sentence that says what is wrong; then nothing has changed."""
        if not isinstance(wanted, dict) or not wanted.keys() <= {"delay_ms", "fail", "fault"}:
            raise ValueError('expected a JSON object with "delay_ms", "fail" or "fault", or several of them')
        delay, fail = wanted.get("delay_ms", None), wanted.get("fail", None)
        if delay is not None and (type(delay) not in (int, float) or not 0 <= delay <= LONGEST_MS):
            raise ValueError(f'"delay_ms" must be a number from 0 to {LONGEST_MS}')
        if fail is not None and type(fail) is not bool:
            raise ValueError('"fail" must be true or false')
        if wanted.get("fault") not in (None, *FAULTS):
            raise ValueError(f'"fault" must be null or one of {", ".join(FAULTS)}')
        with self._lock:
            if "fault" in wanted:
                self._work.choose(wanted["fault"] or "")
            self._delay_ms = self._delay_ms if delay is None else float(delay)
            self._fail = self._fail if fail is None else fail


def sent_json() -> object:
    """The JSON in the request's body; None for anything else."""
    try:
        return request.get_json(silent=True)
    except RecursionError:
        return None


def build(reader: DigitReader, pause: Pause | None = None) -> Flask:
    """The service. `pause`: how long to wait before each answer beside what /control asks for."""
    app, work = Flask("flask_model"), Work(reader)
    control = Control(work)
    app.config["MAX_CONTENT_LENGTH"] = 64 * 1024

    @app.post("/predict")
    def predict() -> tuple[Response, int]:
        body = sent_json()
        try:
            image = reader.image_of(body.get("data") if isinstance(body, dict) else None)
        except ValueError as error:
            return jsonify(error=str(error)), 400
        prediction, took = work.predict(image)
        time.sleep(control.pause() + (pause() if pause else 0.0))
        if control.failing:
            return jsonify(error="told to fail by /control"), 500
        answer = jsonify(digit=prediction.digit, confidence=prediction.confidence)
        answer.headers["Server-Timing"] = server_timing(took)
        return answer, 200

    @app.post("/control")
    def change() -> tuple[Response, int]:
        if request.remote_addr not in LOOPBACK:
            return jsonify(error="/control answers to this machine alone"), 403
        try:
            control.change(sent_json())
        except ValueError as error:
            return jsonify(error=str(error)), 400
        return jsonify(control.state()), 200

    @app.get("/")
    def about() -> Response:
        return jsonify(model="digits", held_out_accuracy=round(reader.held_out_accuracy, 4), **control.state())

    return app


class Quiet(WSGIRequestHandler):
    """HTTP/1.1, so that connections can be used again; no line per request."""

    protocol_version = "HTTP/1.1"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


def listen(host: str, port: int) -> socket.socket:
    """A bound socket; ends the program with one clear line where there is none to be had."""
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
        sock.listen(128)
    except (OSError, OverflowError) as error:
        sock.close()
        why = getattr(error, "strerror", None) or error
        sys.exit(f"cannot listen on {host}:{port}: {why}; choose another with --port N (0: any free one)")
    return sock


def arguments(text: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=text.partition("\n")[0])
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=5000, help="0: any free one (default: 5000)")
    parser.add_argument("--stacks", default="", metavar="URL", help="where keeptime is told what late requests did")
    return parser


def watched(app: Flask, push: str) -> KeeptimeWSGI:
    """Of requests that take longer than LATE it is seen where they stand, and told to this URL."""
    return KeeptimeWSGI(app, stacks=Stacks(late=LATE, push=push))


def serve(host: str, port: int, pause: Pause | None = None, stacks: str = "") -> None:
    """Listen, train, say where, answer until stopped."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    with listen(host, port) as sock:
        app = build(DigitReader(), pause)
        bound = sock.getsockname()[1]
        served = watched(app, stacks) if stacks else app
        server = make_server(host, bound, served, threaded=True, request_handler=Quiet, fd=sock.fileno())
        shown = f"[{host}]" if ":" in host else host
        print(f"model ready at http://{shown}:{bound}/predict", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            server.server_close()


if __name__ == "__main__":
    given = arguments(__doc__ or "").parse_args()
    serve(given.host, given.port, stacks=given.stacks)
