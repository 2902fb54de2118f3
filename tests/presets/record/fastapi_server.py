"""What FastAPI's metrics say after 5 fast requests, 2 that take 0.3 s, 1 that fails and 1 for no route."""

import sys
from pathlib import Path

from recording import ask, expect, free_port, keep, serving

APP = Path(__file__).with_name("fastapi_app.py")


def record(module: str, package: str, names: str, output: str) -> None:
    """`module`: whose metrics the application serves."""
    port = free_port()
    with serving([sys.executable, str(APP), module, str(port)], lambda: ask(port, "/metrics")):
        for seconds in (0, 0, 0, 0, 0, 0.3, 0.3):
            expect(200, port, f"/predict/{seconds}")
        expect(500, port, "/fail")
        expect(404, port, "/none")
        text = ask(port, "/metrics")[1]
    keep(package, __doc__ or "", text, names, output)
