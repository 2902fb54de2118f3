"""What is known of the cause, for the page of an incident.

Guarantees: the sentences are those of the explanation, and nothing is decided; a share is told in words beside its
bar. Pure.
"""

from dataclasses import dataclass

from keeptime.explain.words import many, percent
from keeptime.model.explanation import Cause, CauseKind, Explanation, PhaseTime
from keeptime.units import speak_duration
from keeptime.web.pages.moments import moment
from keeptime.web.pages.when import When

WIDE = 1000
"""Units across a bar."""
CALLED = {
    CauseKind.ATTRIBUTE.value: "Attribute",
    CauseKind.ATTRIBUTES.value: "Two attributes together",
    CauseKind.NEIGHBOUR.value: "Neighbour",
    CauseKind.TRAFFIC.value: "Traffic",
    CauseKind.EVENT.value: "Change",
    CauseKind.PHASE.value: "Phase",
}


@dataclass(frozen=True, slots=True)
class CauseRow:
    """`fill`: of WIDE, None where no share is known; `label`: the same in words."""

    kind: str
    sentence: str
    fill: int | None
    label: str


@dataclass(frozen=True, slots=True)
class PhaseRow:
    name: str
    usual: str
    bad: str
    more: str
    part: str
    width: int


@dataclass(frozen=True, slots=True)
class Why:
    lines: tuple[str, ...]
    causes: tuple[CauseRow, ...]
    phases: tuple[PhaseRow, ...]
    looked: str


def why_of(found: Explanation | None, when: When) -> Why | None:
    """None where nothing is known."""
    if found is None:
        return None
    return Why(
        found.lines, tuple(map(_cause, found.causes)), tuple(map(_phase, found.phases)), _looked(found, when)
    )


def _cause(one: Cause) -> CauseRow:
    kind = CALLED.get(str(one.kind), str(one.kind))
    if one.share is None:
        return CauseRow(kind, one.sentence, None, "")
    part = min(1.0, max(0.0, one.share.at))
    return CauseRow(kind, one.sentence, round(WIDE * part), f"accounts for {percent(part)} of the bad requests")


def _looked(found: Explanation, when: When) -> str:
    """On what it rests."""
    if (seen := found.looked) is None:
        return ""
    span = f"from {moment(when, seen.since).text} to {moment(when, seen.until).text}"
    of = ", ".join([many(seen.attributes, "attribute"), many(seen.phases, "phase"), many(seen.events, "change")])
    among = f"{many(seen.bad, 'bad request')} and {many(seen.good, 'other')} that are kept {span}"
    return f"Found in {among}; {of} were looked at."


def _phase(one: PhaseTime) -> PhaseRow:
    more = one.bad - one.usual
    return PhaseRow(
        one.name,
        speak_duration(one.usual),
        speak_duration(one.bad),
        f"{'+' if more >= 0 else '−'}{speak_duration(abs(more))}",
        percent(one.most),
        round(WIDE * one.most),
    )
