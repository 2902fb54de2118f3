"""What a form of a page posts, and how long it asks for.

Guarantees: whatever is not as expected is refused in one sentence; no field comes twice, and none that is unknown.
How large a body may be, and from which page it may come, is the guard's to say. Knows no route.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

from starlette.requests import Request

from keeptime.web.pages.when import zone_of
from keeptime.web.posted import Refused

MOST_FIELDS = 20
LASTS = {"30m": 1800.0, "2h": 7200.0, "8h": 28_800.0, "1d": 86_400.0}
"""Seconds by name."""
UNTIL = "until"


async def form_fields(request: Request, allowed: frozenset[str]) -> dict[str, str]:
    """The fields that were posted. Raises Refused."""
    try:
        text = (await request.body()).decode("ascii")
        pairs = parse_qsl(
            text, keep_blank_values=True, strict_parsing=bool(text), errors="strict", max_num_fields=MOST_FIELDS
        )
    except ValueError:
        raise Refused("the body is no form of at most 20 fields") from None
    found = dict(pairs)
    if len(found) < len(pairs):
        raise Refused("a field is there twice; expected each once")
    if unknown := sorted(found.keys() - allowed):
        raise Refused(f"{unknown[0][:40]!r} is no field of this form")
    return found


def end_of(found: Mapping[str, str], now: float) -> float:
    """When what lasts `for` so long ends, or `until` when by the clock of `tz`. Raises Refused."""
    named = found.get("for", "")
    if named in LASTS:
        return now + LASTS[named]
    if named != UNTIL:
        raise Refused(f"how long is not said; expected one of {', '.join([*LASTS, UNTIL])}")
    try:
        local = datetime.fromisoformat(found.get("until", ""))
    except ValueError:
        raise Refused("until: expected a day and a time, such as 2026-11-26T18:00") from None
    zone = zone_of(found.get("tz") or "UTC")
    if local.tzinfo is not None:
        return local.timestamp()
    return local.replace(tzinfo=UTC if zone == "UTC" else ZoneInfo(zone)).timestamp()
