"""`POST /api/v1/reload`: the contracts are read again; what changed, or why that was refused.

Guarantees: a refusal changed nothing, and names every mistake with its place. Who may post is the guard's to say.
"""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from keeptime.app.reloading import Changed
from keeptime.app.view import Showable
from keeptime.errors import ContractError, KeeptimeError, Problem, StoreError
from keeptime.web.kept import Json
from keeptime.web.posted import Refused, author, fields_of

EXPECTED = 'expected {"author": "who asks for it"}'


@dataclass(frozen=True, slots=True)
class Reload:
    """The handler of the route."""

    daemon: Showable

    async def post(self, request: Request) -> Response:
        try:
            who = author(request, await fields_of(request, frozenset({"author"}), EXPECTED))
            done = await self.daemon.reload(who)
        except Refused as error:
            return JSONResponse({"error": str(error)}, 400)
        except KeeptimeError as error:
            problems = error.problems if isinstance(error, ContractError) else ()
            status = 503 if isinstance(error, StoreError) else 422
            refusal = {"error": str(error), "reloaded": False, "problems": [_problem(each) for each in problems]}
            return JSONResponse(refusal, status)
        return JSONResponse({"reloaded": True, **changed_json(done)})


def changed_json(done: Changed) -> dict[str, Json]:
    """What a reload did, by contract and version."""
    return {
        "added": [{"contract": name, "version": version} for name, version in done.added],
        "removed": [{"contract": name, "version": version} for name, version in done.removed],
        "changed": [{"contract": name, "from": old, "to": new} for name, old, new in done.changed],
        "unchanged": done.unchanged,
    }


def _problem(problem: Problem) -> dict[str, Json]:
    names = ("file", "line", "column", "severity", "code", "message")
    return {name: getattr(problem, name) for name in names}
