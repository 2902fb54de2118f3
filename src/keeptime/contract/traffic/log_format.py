"""How a line of an access log is written: a template of text and variables, as nginx and Envoy say it.

Guarantees: a template that is accepted can be read from left to right without guessing: between two variables
stands text. Knows no file and no line.
"""

import difflib
import re
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from keeptime.contract.report import nearest, quote
from keeptime.contract.traffic import log_variables

NGINX = (
    '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" '
    '"$http_user_agent" $request_time'
)
"""nginx' own `combined`, and how long it took."""

ENVOY = (
    '[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" %RESPONSE_CODE% '
    "%RESPONSE_FLAGS% %BYTES_RECEIVED% %BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "
    '"%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" "%REQ(X-REQUEST-ID)%" "%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%"'
)
"""Envoy's default format string (the access log documentation, "Default Format String")."""

JSON = "json"
NAMED = {"nginx": NGINX, "envoy": ENVOY, JSON: ""}


class Unit(StrEnum):
    """What a latency is counted in."""

    S = "s"
    MS = "ms"
    US = "us"
    NS = "ns"


@dataclass(frozen=True, slots=True)
class Part:
    """Text as it stands, or a variable by its name. `at`: the character of the template where it begins."""

    text: str
    variable: bool
    at: int


class Unreadable(ValueError):
    """`at`: the character that is wrong."""

    def __init__(self, at: int, why: str) -> None:
        self.at = at
        super().__init__(why)


_OF_NGINX = re.compile(r"\$(?:\{(\w*)\}|(\w*))", re.ASCII)
_OF_ENVOY = re.compile(r"%(?:([A-Z_]+(?:\((?:[^()]|\([^()]*\))*\))?)(?::\d+)?)?%|%", re.ASCII)


def is_envoy(format: str) -> bool:
    """Is it in Envoy's language: its default, or a template with %OPERATOR%?"""
    return format == "envoy" or (format not in NAMED and "$" not in format and "%" in format)


def parts_of(format: str) -> tuple[Part, ...]:
    """Text and variables in turn; empty for JSON. Raises Unreadable."""
    template = NAMED.get(format, format)
    envoy = is_envoy(format)
    parts: list[Part] = []
    done = 0
    for found in (_OF_ENVOY if envoy else _OF_NGINX).finditer(template):
        if found.start() > done:
            parts.append(Part(template[done : found.start()], False, done))
        parts.append(_envoy_part(found) if envoy else _nginx_part(found))
        done = found.end()
    if done < len(template):
        parts.append(Part(template[done:], False, done))
    _check_order(parts)
    return tuple(parts)


def _nginx_part(found: re.Match[str]) -> Part:
    name = found[1] or found[2]
    if not name:
        raise Unreadable(found.start(), "a '$' without the name of a variable")
    hint = (
        nearest(name, sorted(log_variables.NGINX))
        if name not in log_variables.NGINX and not _of_a_family(name)
        else ""
    )
    if hint:
        raise Unreadable(found.start(), f"unknown variable {quote('$' + name)}{hint}")
    return Part(name, True, found.start())


def _of_a_family(name: str) -> bool:
    """Headers, cookies and the like have names of their own."""
    return name.startswith(("http_", "sent_http_", "upstream_http_", "arg_", "cookie_", "upstream_cookie_", "ssl_"))


def _envoy_part(found: re.Match[str]) -> Part:
    name = found[1]
    if found[0] == "%%":
        return Part("%", False, found.start())
    if name is None:
        raise Unreadable(found.start(), "a '%' that begins no operator such as %DURATION%")
    operator = name.partition("(")[0]
    if operator not in log_variables.ENVOY:
        hint = _near_operator(operator)
        raise Unreadable(found.start(), f"unknown operator {quote('%' + name + '%')}{hint}")
    return Part(name, True, found.start())


def _near_operator(operator: str) -> str:
    near = difflib.get_close_matches(operator, sorted(log_variables.ENVOY), n=1, cutoff=0.6)
    return f"; did you mean '%{near[0]}%'?" if near else ""


def _check_order(parts: list[Part]) -> None:
    for before, after in pairwise(parts):
        if before.variable and after.variable:
            raise Unreadable(
                after.at, f"nothing stands between {before.text} and {after.text}; expected a blank or the like"
            )
