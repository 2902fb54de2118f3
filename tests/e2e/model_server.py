"""A model server with the metrics of prometheus_client, as a program: GET /work?requests=3&seconds=0.2 observes,
GET /scrapes says how often its metrics were read.

    python model_server.py PORT          PORT 0: any; it prints the one it took
"""

import sys
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs
from wsgiref.simple_server import WSGIRequestHandler, make_server

from prometheus_client import Histogram, make_wsgi_app

TOOK = Histogram("took_seconds", "How long requests took.", ["name", "code"], buckets=(0.1, 0.5, 1.0))
METRICS = make_wsgi_app()
SCRAPES: list[None] = []


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    if environ["PATH_INFO"] == "/metrics":
        SCRAPES.append(None)
        return METRICS(environ, start_response)
    if environ["PATH_INFO"] == "/scrapes":
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [str(len(SCRAPES)).encode()]
    asked = {name: value[0] for name, value in parse_qs(environ["QUERY_STRING"]).items()}
    for _ in range(int(asked["requests"])):
        TOOK.labels("llama", asked.get("code", "200")).observe(float(asked["seconds"]))
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"done"]


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


if __name__ == "__main__":
    with make_server("127.0.0.1", int(sys.argv[1]), app, handler_class=Quiet) as server:
        print(server.server_port, flush=True)
        server.serve_forever()
