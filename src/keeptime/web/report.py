"""`GET /api/v1/report`: a period's report, in the form that is asked for.

Guarantees: the bytes are those of `keeptime report`; a browser keeps them as a file and shows nothing of them here.
Knows the daemon by `Showable` alone.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from keeptime.app.happened import Unknown
from keeptime.app.quieting import Impossible
from keeptime.app.reports import Busy, MadeReport
from keeptime.app.view import Showable
from keeptime.contract.calendar import PERIOD_NAME
from keeptime.errors import StoreError
from keeptime.web.answering import marked
from keeptime.web.posted import Refused

FORMS: Mapping[str, str] = {
    "json": "application/json",
    "html": "text/html; charset=utf-8",
    "md": "text/markdown; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
    "pdf": "application/pdf",
}
"""What each form is called in HTTP."""

COMPLIANCE = "Keeptime-Compliance"
"""The header that says how all that is in the report stands."""

_NAME = re.compile("[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class Asked:
    """`consumer`: "" for the provider."""

    contract: str
    period: str
    consumer: str
    form: str

    @property
    def file(self) -> str:
        """What it is kept as."""
        return "-".join(each for each in (self.contract, self.period, self.consumer) if each) + f".{self.form}"


@dataclass(frozen=True, slots=True)
class ReportRoute:
    """The handler of the route."""

    daemon: Showable

    async def get(self, request: Request) -> Response:
        try:
            asked = asked_of(request.query_params)
            made = await self.daemon.reports.report(asked.contract, asked.period, asked.consumer, asked.form)
        except Refused as error:
            return _error(str(error), 400)
        except Unknown as error:
            return _error(str(error), 404)
        except Impossible as error:
            return _error(str(error), 409)
        except Busy as error:
            return JSONResponse({"error": str(error)}, 503, {"Retry-After": "1"})
        except StoreError as error:
            return _error(str(error), 503)
        return marked(request, answer(asked, made))


def asked_of(given: Mapping[str, str]) -> Asked:
    """Raises Refused with what was expected."""
    contract, period, consumer = (given.get(name, "") for name in ("contract", "period", "consumer"))
    asked = Asked(contract, period, consumer, given.get("format", "json"))
    if _NAME.fullmatch(asked.contract) is None:
        raise Refused("contract: expected a contract's name")
    if re.fullmatch(PERIOD_NAME, asked.period, re.ASCII) is None:
        raise Refused("period: expected a month such as 2026-10, a quarter (2026-Q4), a week (2026-W41) or a day")
    if "consumer" in given and _NAME.fullmatch(asked.consumer) is None:
        raise Refused("consumer: expected a consumer's name")
    if asked.form not in FORMS:
        raise Refused(f"format: expected one of {', '.join(FORMS)}")
    return asked


def answer(asked: Asked, made: MadeReport) -> Response:
    headers = {
        "Content-Disposition": f'attachment; filename="{asked.file}"',
        "Cache-Control": "private, no-cache",
        COMPLIANCE: made.state.value,
    }
    return Response(made.body, media_type=FORMS[asked.form], headers=headers)


def _error(text: str, status: int) -> Response:
    return JSONResponse({"error": text}, status)
