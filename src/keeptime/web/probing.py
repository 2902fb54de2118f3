"""`/probe?contract=NAME`: one fresh probe of a configured contract, at most one at a time for each.

Guarantees: what is probed is named by contract and never by URL, so the port cannot be used to reach other
machines; a page of another site cannot make a browser send probes.
"""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from keeptime.app.view import Showable
from keeptime.errors import KeeptimeError
from keeptime.web.describe import probe_json, url_of


class Probing:
    """The route's handler: 200 with the probe's outcome, good or bad; 4xx and 503 mean that no probe was sent."""

    def __init__(self, daemon: Showable) -> None:
        self._daemon = daemon
        self._busy: set[str] = set()

    async def handle(self, request: Request) -> Response:
        if request.method != "GET":
            return JSONResponse({"error": "a probe is sent by GET alone"}, 405, {"Allow": "GET"})
        if request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            return JSONResponse({"error": "a page of another site may not send probes"}, 403)
        names = [view.contract.name for view in self._daemon.snapshot().contracts]
        given = request.query_params.getlist("contract")
        if len(given) != 1 or not given[0]:
            return _refuse(400, "name one contract: /probe?contract=NAME", names)
        name = given[0]
        if "/" in name or ":" in name:
            return _refuse(400, "contract= takes the name of a configured contract, never a URL", names)
        if name not in names:
            return _refuse(404, f"no contract here is named {name!r}", names)
        if name in self._busy:
            return _refuse(429, f"a probe of {name!r} is under way; ask again when it has ended", names)
        return await self._probe(name)

    async def _probe(self, name: str) -> Response:
        self._busy.add(name)
        try:
            sample = await self._daemon.probe(name)
        except KeyError:
            return _refuse(404, f"no contract here is named {name!r} any more", [])
        except KeeptimeError as error:
            return _refuse(503, f"the probe could not be sent: {error}", [])
        finally:
            self._busy.discard(name)
        return JSONResponse(probe_json(sample, self._url(name)))

    def _url(self, name: str) -> str:
        views = self._daemon.snapshot().contracts
        return next((url_of(view.contract) for view in views if view.contract.name == name), "")


def _refuse(status: int, message: str, names: Sequence[str]) -> JSONResponse:
    headers = {"Retry-After": "1"} if status == 429 else None
    return JSONResponse({"error": message, "contracts": list(names)}, status, headers)
