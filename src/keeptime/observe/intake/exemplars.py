"""Evidence as a program posts it: requests that were slow or failed there, and a few others, one by one.

Guarantees: what is unknown, out of range or no number is refused with a sentence that says what was expected;
nothing of it is counted for a promise. Pure.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from keeptime.model.exemplar import Exemplar
from keeptime.model.sample import Failure
from keeptime.model.trace import Why
from keeptime.observe.intake.attributes import attributes_of
from keeptime.observe.intake.instants import instant
from keeptime.observe.intake.refusing import Refused, TooMany, Unreadable, Wrong, shown
from keeptime.observe.intake.when import SECOND, When

OBSERVER = "exemplars"
MOST, MOST_STACKS, MOST_TIMINGS = 1_000, 200, 30
LONGEST_STACK, LONGEST_NAME, LONGEST_SECONDS = 8_000, 60, 86_400.0
FIELDS = frozenset(
    {"at", "latency_seconds", "failure", "status", "why", "weight", "attributes", "timings", "trace", "stacks"}
)
_EXPECTED = 'expected {"exemplars": [{"latency_seconds", "at"?, "why"?, "attributes"?, "timings"?, ...}]}'
_TRACE = re.compile(r"[0-9a-f]{32}")
_FAILURES = frozenset(map(str, Failure))


def exemplars_of(contract: str, body: bytes, when: When) -> tuple[list[Exemplar], Refused]:
    """Those that can be read, and which not. Raises Unreadable, TooMany."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise Unreadable(f"the body is no JSON; {_EXPECTED}") from None
    given = found.get("exemplars") if isinstance(found, dict) else None
    if not isinstance(given, list):
        raise Unreadable(f"the body is {shown(found)}; {_EXPECTED}")
    if len(given) > MOST:
        raise TooMany(f"the body holds {len(given)} requests; at most {MOST} are taken at once")
    taken, refused = [], Refused()
    for index, each in enumerate(given):
        try:
            taken.append(_exemplar(contract, each, when))
        except Wrong as error:
            refused.note(index, error)
    return taken, refused


def _exemplar(contract: str, found: object, when: When) -> Exemplar:
    if not isinstance(found, dict) or not found.keys() <= FIELDS:
        raise Wrong(f"expected an object of {', '.join(sorted(FIELDS))}")
    failure = found.get("failure") or ""
    if failure not in {"", *_FAILURES}:
        raise Wrong(f"failure: expected null or one of {', '.join(sorted(_FAILURES))}")
    status = found.get("status")
    if status is not None and (type(status) is not int or not 0 <= status <= 999):
        raise Wrong("status: expected a status of HTTP, or null")
    return Exemplar(
        contract=contract,
        at_ns=when.counted(when.now if found.get("at") is None else instant(found["at"])),
        latency_ns=_nanoseconds("latency_seconds", found.get("latency_seconds")),
        why=_why(found.get("why"), failure),
        failure=failure,
        status=status,
        observer=OBSERVER,
        weight=_weight(found.get("weight")),
        timings=_timings(found.get("timings")),
        attributes=attributes_of(found.get("attributes")),
        trace=_trace(found.get("trace")),
        stacks=_stacks(found.get("stacks")),
    )


def _nanoseconds(name: str, given: object) -> int:
    if isinstance(given, bool) or not isinstance(given, int | float) or not 0 <= given <= LONGEST_SECONDS:
        raise Wrong(f"{name}: given {shown(given)}; expected 0 to {LONGEST_SECONDS:.0f} seconds")
    return round(given * SECOND)


def _why(given: object, failure: str) -> Why:
    if given is None:
        return Why.FAILED if failure else Why.SLOW
    if given not in set(Why):
        raise Wrong(f"why: given {shown(given)}; expected {', '.join(Why)}")
    return Why(str(given))


def _weight(given: object) -> float:
    if given is None:
        return 1.0
    if isinstance(given, bool) or not isinstance(given, int | float) or not 0 < given <= 1e9:
        raise Wrong("weight: expected for how many requests it stands, 1 or more")
    return float(given)


def _timings(given: object) -> Mapping[str, int]:
    if given is None:
        return {}
    if not isinstance(given, dict) or len(given) > MOST_TIMINGS or any(len(name) > LONGEST_NAME for name in given):
        raise Wrong(f"timings: expected an object of at most {MOST_TIMINGS} short names and seconds")
    return {name: _nanoseconds(f"timings: {name[:LONGEST_NAME]}", each) for name, each in given.items()}


def _trace(given: object) -> str:
    if given in (None, ""):
        return ""
    if not isinstance(given, str) or _TRACE.fullmatch(given) is None:
        raise Wrong("trace: expected 32 hexadecimal digits")
    return given


def _stacks(given: object) -> tuple[tuple[str, int], ...]:
    if given is None:
        return ()
    if not isinstance(given, list) or len(given) > MOST_STACKS:
        raise Wrong(f'stacks: expected at most {MOST_STACKS} of {{"stack", "count"}}')
    return tuple(map(_stack, given))


def _stack(given: Any) -> tuple[str, int]:
    if isinstance(given, dict):
        stack, count = given.get("stack"), given.get("count")
        fits = isinstance(stack, str) and 0 < len(stack) <= LONGEST_STACK and stack.isprintable()
        if isinstance(stack, str) and fits and type(count) is int and 1 <= count <= 1_000_000_000:
            return stack, count
    raise Wrong('stacks: expected {"stack": "outer;inner", "count": 3}, in printable characters')
