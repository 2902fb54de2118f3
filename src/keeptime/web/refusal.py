"""Why a request is not let in, and the answer that says so.

Guarantees: one short code for each reason, so that what is counted has few series; nothing of a credential is
in it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from starlette.responses import JSONResponse, Response

from keeptime.web.pages.answered import trouble
from keeptime.web.rpc_status import status_response

CHALLENGES = ('Bearer realm="keeptime"', 'Basic realm="keeptime", charset="UTF-8"')


@dataclass(frozen=True, slots=True)
class Refusal:
    """`reason`: a code. `unread`: a body may be on its way that nobody will read, so the connection ends."""

    status: int
    reason: str
    message: str
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    unread: bool = False

    def response(self, rpc: str | None = None, *, page: bool = False) -> Response:
        """`rpc`: as a google.rpc.Status for a body of this form; `page`: as a page for people."""
        if page:
            answer: Response = trouble(self.status, "/", self.message)
            answer.headers.update(self.headers)
        elif rpc is None:
            answer = JSONResponse({"error": self.message}, self.status, dict(self.headers))
        else:
            answer = status_response(self.status, self.message, rpc, dict(self.headers))
        if self.status == 401:
            for challenge in CHALLENGES:
                answer.headers.append("WWW-Authenticate", challenge)
        if self.unread:
            answer.headers["Connection"] = "close"
        return answer


def too_often(reason: str, seconds: float, who: str) -> Refusal:
    """429, with when to come again."""
    after = max(1, round(seconds + 0.5))
    return Refusal(
        429, reason, f"{who} asks too often; try again in {after} s", {"Retry-After": str(after)}, unread=True
    )
