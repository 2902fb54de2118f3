"""A message in words for people: what mails, Slack and PagerDuty show, said once for all of them.

Guarantees: made from the message's body alone, so a repetition reads the same; every text is one line of printable
characters, whatever stands in the contract. Plain text: who puts it into a mark-up escapes it. Knows no receiver.
"""

import json
from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from keeptime.units import speak_duration

TEST = "keeptime.test"
"""The type of a message that tries a receiver."""

ATTACHED = "Attached"

MISSING = "Missing"
"""The heading over what this receiver was not told."""

EXPLAINED = "keeptime.objective.explained"
"""The type of a message that says why an objective is missed."""

SERVICE = "keeptime.service."
"""What the type of a message about keeptime itself begins with; the rest is its code."""

REPORT = "keeptime.report"
"""The type of a message that brings a report."""

ITSELF = {
    "dead_letter": "a message could not be delivered",
    "undelivered": "a message waits to be delivered",
    "reload_refused": "contracts that were changed are not used",
    "probe_failed": "probes are not sent",
    "clock": "a clock is wrong",
    "silence_ended": "a silence has ended",
    "store": "the store fails",
}
"""A few words for each code; of another the code itself stands there."""

STANDS = {
    "keeptime.objective.at_risk": "is at risk",
    "keeptime.objective.broken": "is broken",
    "keeptime.objective.no_data": "has no data",
    "keeptime.objective.recovered": "holds again",
    "keeptime.objective.withdrawn": "is watched no more",
    EXPLAINED: "is missed, and this is why",
}
HAPPENED = {
    "keeptime.objective.at_risk": "At this pace the promise will be missed.",
    "keeptime.objective.broken": "The promise is broken.",
    "keeptime.objective.no_data": "Data stopped coming: nobody knows whether the promise holds.",
    "keeptime.objective.recovered": "The promise holds again.",
    "keeptime.objective.withdrawn": "The promise was withdrawn while it did not hold. Nobody knows how it goes on.",
    EXPLAINED: "More is known of an alert that was told before.",
    TEST: "Nothing: somebody tries whether messages arrive.",
}
WERE = {"at_risk": "at risk", "broken": "broken", "no_data": "without data"}


@dataclass(frozen=True, slots=True)
class Wording:
    """`title`: one line of a few words. `lines`: (heading, sentence) in the order in which a person asks.

    `links`: (name, URL). `footer`: which message this is. `incident`: equal for all messages of one alert.
    """

    title: str
    lines: tuple[tuple[str, str], ...]
    links: tuple[tuple[str, str], ...]
    footer: str
    incident: str


def worded(body: bytes) -> Wording:
    """The words of a message's body."""
    said: Mapping[str, Any] = json.loads(body)
    links = tuple((_line(name), _line(url)) for name, url in said["links"].items())
    lines = tuple((heading, _line(text)) for heading, text in _lines(said) if text)
    footer = f"keeptime, contract {said['contract']} in version {said['contract_version']}, message {said['id']}"
    return Wording(_line(_title(said)), lines, links, _line(footer), _incident(said))


@dataclass(frozen=True, slots=True)
class Attached:
    """A file that comes with a message."""

    name: str
    type: str
    data: bytes


def attached(body: bytes) -> Attached | None:
    """The file of a message's body, if it has one."""
    found = json.loads(body).get("attachment")
    return None if found is None else Attached(_line(found["name"]), found["type"], b64decode(found["base64"]))


def decided(body: bytes) -> datetime:
    """The instant that a message's body tells of."""
    return _instant(json.loads(body)["at"])


def of_itself(kind: str) -> bool:
    """Is a message of this type about keeptime itself?"""
    return kind.startswith(SERVICE)


def _title(said: Mapping[str, Any]) -> str:
    if said["type"] == TEST:
        return f"[TEST] {said['contract']}: a test message, nothing happened"
    if said["type"] == REPORT:
        return f"{said['contract']}: report of {said['period']}, {said['compliance']}"
    if of_itself(said["type"]):
        code = said["service"]["code"]
        return f"keeptime itself: {ITSELF.get(code, code.replace('_', ' '))} (contract {said['contract']})"
    severity = f" ({said['severity']})" if said["severity"] else ""
    return f"{said['contract']}/{said['objective']['name']} {STANDS[said['type']]}{severity}"


def _incident(said: Mapping[str, Any]) -> str:
    """The contract, the objective and the instant at which the alert began; a test is its own incident,
    and so is a report.

    What keeptime says of itself is one incident for each code and subject, however often it is said.
    """
    if of_itself(said["type"]):
        which = f"{said['service']['code']}/{said['service']['subject']}"
    else:
        which = said["id"] if said["type"] in (TEST, REPORT) else said["started"]
    return f"{said['contract']}/{said['objective']['name']}/{which}"


def _lines(said: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
    if said["type"] == REPORT:
        what = [("Report", said["reason"]), ("Until", _shown(said["at"])), ("What is next", said["next"])]
        return [*what, (ATTACHED, _attached(said)), (MISSING, lost(said))]
    if of_itself(said["type"]):
        at = _shown(said["at"])
        what = [("What happened", said["reason"]), ("When", at), ("What is next", said["next"])]
        return [*what, (MISSING, lost(said))]
    happened = ("What happened", HAPPENED[said["type"]])
    after = [("Reason", said["reason"]), ("What is next", said["next"])]
    if said["type"] == TEST:
        return [happened, *after]
    promised = f"{said['objective']['promise']}, by {said['provider']} for {said['model']}"
    return [
        ("Promised", promised),
        happened,
        *(("Why", line) for line in said.get("explanation", {}).get("lines", ())),
        ("Since", _since(said)),
        ("How bad", _how_bad(said)),
        ("Budget", _budget(said)),
        ("Taken on", _taken_on(said)),
        *after,
        (MISSING, lost(said)),
    ]


def _attached(said: Mapping[str, Any]) -> str:
    """The name of the report's file, where there is one."""
    found = said.get("attachment")
    return str(found["name"]) if found else ""


def lost(said: Mapping[str, Any]) -> str:
    """Which messages to this receiver were given up before this one, "" where none was."""
    missing = said.get("missing")
    if not missing or not missing["count"]:
        return ""
    count, ids = missing["count"], missing["ids"]
    more = f" and {count - len(ids)} more" if count > len(ids) else ""
    which = "1 message before this one" if count == 1 else f"{count} messages before this one"
    return f"{which} could not be delivered here: {', '.join(ids)}{more}"


def _taken_on(said: Mapping[str, Any]) -> str:
    """Who has acknowledged the alert, if anybody."""
    if (ack := said.get("acknowledged")) is None:
        return ""
    note = f": {ack['note']}" if ack["note"] else ""
    return f"by {ack['author']} at {_shown(ack['at'])}{note}"


def _since(said: Mapping[str, Any]) -> str:
    """When this condition began, and what was before it."""
    lasted = (_instant(said["at"]) - _instant(said["started"])).total_seconds()
    text = _shown(said["since"])
    if (before := WERE.get(said["previous"]["condition"])) is None:
        return text
    return f"{text}; before that it was {before}; the alert began {speak_duration(lasted)} earlier"


def _how_bad(said: Mapping[str, Any]) -> str:
    counts, allowed = said["counts"], 100 * (1 - said["objective"]["target"])
    events = counts["good"] + counts["bad"]
    if not events:
        return "not known: nothing was counted in the window"
    share = 100 * counts["bad"] / events
    return f"{counts['bad']:,} of {events:,} were bad in the window: {share:.3g}%, where {allowed:.3g}% is allowed"


def _budget(said: Mapping[str, Any]) -> str:
    """How many may still be bad, and for how long that lasts."""
    total, left = said["budget"]["total"], said["budget"]["left"]
    if total <= 0:
        return ""
    if left <= 0:
        return f"gone: {said['budget']['spent']:,} were bad where {total:,.0f} may be"
    text = f"{left:,.0f} of the {total:,.0f} that may be bad are left ({100 * left / total:.3g}%)"
    pace = said["exhausted_in_seconds"]
    return text if pace is None else f"{text}; at this pace gone in {speak_duration(pace)}"


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _shown(text: str) -> str:
    return _instant(text).strftime("%Y-%m-%d %H:%M:%S UTC")


def _line(text: str) -> str:
    """One line; what cannot be printed becomes a blank."""
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())
