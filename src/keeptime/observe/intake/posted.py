"""One request as a program posts it, as a sample.

Guarantees: what is unknown, out of range, NaN or at odds with itself is refused with a sentence that says what was
expected; nothing is guessed, but that a request without an instant has ended now. Pure.
"""

from typing import Any

from keeptime.model.sample import Connection, Failure, Phases, Sample, Stream
from keeptime.observe.intake.attributes import attributes_of
from keeptime.observe.intake.instants import instant
from keeptime.observe.intake.refusing import Wrong, shown
from keeptime.observe.intake.when import SECOND, When

OBSERVER = "push"
LONGEST_SECONDS = 86_400.0
MOST_TOKENS, MOST_GAPS = 10_000_000, 20_000
FIELDS = frozenset(
    {"at", "latency_seconds", "failure", "status", "first_token_seconds", "gaps", "tokens", "attributes"}
)
_EXPECTED = f"expected {', '.join(sorted(FIELDS))}"
_FAILURES = {str(each): each for each in Failure}


def sample_of(contract: str, found: object, when: When) -> Sample:
    """The request that this JSON value says. Raises Wrong."""
    if not isinstance(found, dict):
        raise Wrong("expected an object with latency_seconds")
    if not found.keys() <= FIELDS:
        unknown = min(found.keys() - FIELDS)
        raise Wrong(f"{shown(unknown)} is unknown; {_EXPECTED}")
    took = round(_seconds(found, "latency_seconds") * SECOND)
    done = when.counted(when.now if found.get("at") is None else instant(found["at"]))
    status = _status(found.get("status"))
    return Sample(
        contract=contract,
        due_ns=done - took,
        sent_ns=done - took,
        done_ns=done,
        phases=Phases(wait=took),
        failure=_failure(found.get("failure"), status),
        status=status,
        size=0,
        connection=Connection.FRESH,
        stamped=False,
        lag_ns=0,
        attributes=attributes_of(found.get("attributes")),
        tokens=_whole(found, "tokens", MOST_TOKENS),
        stream=_stream(found, took),
        observer=OBSERVER,
    )


def _seconds(found: dict[str, Any], name: str) -> float:
    given = found.get(name)
    if type(given) is not float and type(given) is not int:
        raise Wrong(f"{name}: expected a number of seconds" if name in found else f"{name} is missing")
    if not 0 <= given <= LONGEST_SECONDS:
        raise Wrong(f"{name}: given {shown(given)}; expected 0 to {LONGEST_SECONDS:.0f} seconds")
    return float(given)


def _whole(found: dict[str, Any], name: str, most: int) -> int | None:
    given = found.get(name)
    if given is None:
        return None
    if type(given) is not int or not 0 <= given <= most:
        raise Wrong(f"{name}: expected a whole number from 0 to {most}")
    return given


def _status(given: object) -> int | None:
    if given is None:
        return None
    if type(given) is not int or not 100 <= given <= 599:
        raise Wrong("status: expected a status of HTTP, 100 to 599")
    return given


def _failure(given: object, status: int | None) -> Failure | None:
    """An answer of 5xx is one, whoever says nothing of it."""
    if given is None:
        return Failure.STATUS if status is not None and status >= 500 else None
    if not isinstance(given, str) or given not in _FAILURES:
        raise Wrong(f"failure: expected null or one of {', '.join(_FAILURES)}")
    return _FAILURES[given]


def _stream(found: dict[str, Any], took: int) -> Stream | None:
    """None where nothing is said of its pieces. Without gaps its last token came at its end."""
    gaps = _gaps(found.get("gaps"))
    if found.get("first_token_seconds") is None:
        if gaps:
            raise Wrong("gaps: they follow a first token; first_token_seconds is missing")
        return None
    first = round(_seconds(found, "first_token_seconds") * SECOND)
    last = first + sum(gap for gap, _ in gaps) if gaps else max(first, took)
    if max(first, last) > took + 1_000:
        raise Wrong(
            f"its tokens came later than it ended: {max(first, last) / SECOND:.6g} s of {took / SECOND:.6g} s"
        )
    tokens = _whole(found, "tokens", MOST_TOKENS)
    return Stream(first, last, gaps, sum(n for _, n in gaps) + 1 if tokens is None and gaps else tokens or 0)


def _gaps(given: object) -> tuple[tuple[int, int], ...]:
    if given is None:
        return ()
    if not isinstance(given, list) or len(given) > MOST_GAPS:
        raise Wrong(f"gaps: expected a list of at most {MOST_GAPS} pairs [seconds, tokens]")
    return tuple(map(_gap, given))


def _gap(pair: object) -> tuple[int, int]:
    if isinstance(pair, list) and len(pair) == 2:
        seconds, tokens = pair
        in_time = type(seconds) in (int, float) and 0 <= seconds <= LONGEST_SECONDS
        if in_time and type(tokens) is int and 1 <= tokens <= MOST_TOKENS:
            return round(seconds * SECOND), tokens
    raise Wrong("gaps: expected pairs [seconds since the tokens before, how many tokens came], such as [0.02, 1]")
