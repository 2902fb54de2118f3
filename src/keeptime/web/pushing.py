"""`POST /api/v1/push/CONTRACT`: requests that a program reports of itself.

Guarantees: 200 says what became of every item; where nothing was taken, 4xx or 503 and one sentence say why. What a
body holds is not looked at here. Who may post is the guard's to say. Knows the daemon by `Showable` alone.
"""

from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from keeptime.app.view import Showable
from keeptime.observe.intake.push import Posted
from keeptime.observe.intake.refusing import Busy, IntakeRefused, NotAsked, Taken, TooMany, Unknown
from keeptime.web.access import LINES
from keeptime.web.bodies import form_of
from keeptime.web.kept import Json

STATUS: tuple[tuple[type[IntakeRefused], int], ...] = (
    (Unknown, 404),
    (NotAsked, 409),
    (TooMany, 413),
    (Busy, 503),
    (IntakeRefused, 400),
)
"""The first that fits. 503 alone is worth another try."""

AGAIN = {"Retry-After": "1"}


@dataclass(frozen=True, slots=True)
class Pushing:
    """The handler of the route."""

    daemon: Showable

    async def post(self, request: Request) -> Response:
        headers = Headers(scope=request.scope)
        posted = Posted(
            request.path_params["contract"],
            await request.body(),
            form_of(headers) == LINES,
            headers.get("idempotency-key", ""),
            request.scope.get("token", ""),
        )
        try:
            taken = await self.daemon.intake.push(posted)
        except IntakeRefused as error:
            status = status_of(error)
            return JSONResponse({"error": str(error)}, status, AGAIN if status == 503 else None)
        if taken.refused and not taken.taken:
            return JSONResponse(
                {"error": f"nothing of it was taken: {taken.first[0][1]}", **taken_json(taken)}, 400
            )
        return JSONResponse(taken_json(taken))


def status_of(error: IntakeRefused) -> int:
    return next(status for kind, status in STATUS if isinstance(error, kind))


def taken_json(one: Taken) -> dict[str, Json]:
    """What became of a body; thresholds in seconds."""
    return {
        "taken": one.taken,
        "late": one.late,
        "refused": [{"at": at, "why": why} for at, why in one.first],
        "refused_count": one.refused,
        "thresholds": {signal: list(those) for signal, those in one.thresholds.items()},
    }
