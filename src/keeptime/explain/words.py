"""What was found, as sentences for people.

Guarantees: figures are rounded for reading alone; what is named is named as it was observed. Pure.
"""

from datetime import UTC, datetime

from keeptime.explain.along import Moved
from keeptime.explain.attributes import Candidate
from keeptime.explain.near import Near
from keeptime.explain.phases import Grown
from keeptime.model.event import EventKind
from keeptime.model.explanation import CauseKind, Changed, Looked, Share
from keeptime.units import speak_duration

_SAID = {
    EventKind.DEPLOY: "deploy",
    EventKind.CONFIG: "change of configuration",
    EventKind.VERSION: "new version",
    EventKind.CONTRACT: "edit of the contract",
}


def percent(part: float) -> str:
    """ "42%", "0.3%"; never 0 or 100 for what is neither."""
    value = 100 * part
    if 0 < value < 0.05:
        return "under 0.1%"
    if 0 < value < 10:
        return f"{value:.1f}%".replace(".0%", "%")
    return f"{min(round(value), 99) if part < 1 else 100}%"


def many(count: int, noun: str) -> str:
    """ "1 phase", "1,200 phases"."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def clock(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%H:%M:%S} UTC"


def accounted(share: Share) -> str:
    surely = f"{percent(max(0.0, share.low))} to {percent(share.high)}"
    return f"it accounts for {percent(share.at)} of the bad requests ({surely})"


def _against(bad_in: float, good_in: float) -> str:
    return f"{percent(bad_in)} of the bad requests, {percent(good_in)} of the others"


def of_attributes(one: Candidate, share: Share) -> str:
    which = " with ".join(one.names)
    return f"{which}: {_against(one.bad_in, one.good_in)}; {accounted(share)}"


def of_phase(one: Grown) -> str:
    part = f"{percent(one.part)} of them took most of their extra time there, of the slowest before"
    return f"{one.name}: +{speak_duration(one.more)} in bad requests; {part} {percent(one.before)}"


def of_moved(one: Moved) -> str:
    along = one.along
    if along.kind is CauseKind.TRAFFIC:
        when = f"when {along.noun} of its own are {one.cut:g} or more at a time"
    else:
        when = f"when {along.name}, on the same host, has {one.cut:g} {along.noun} or more at a time"
    return f"{when}: {_against(one.bad_in, one.good_in)}; {accounted(one.share)}"


def of_event(one: Near) -> str:
    event = one.event
    version = f" {event.version}" if event.version else ""
    text = f" ({event.text})" if event.text else ""
    far = (
        "just then"
        if abs(one.lead) < 1
        else f"{speak_duration(round(abs(one.lead)))} {'before' if one.lead > 0 else 'after'} it began"
    )
    return f"{_SAID[event.kind]}{version} by {event.author}{text} at {clock(event.at)}, {far}"


def of_change(changed: Changed) -> str:
    sure = changed.latest - changed.earliest
    about = f" (between {clock(changed.earliest)} and {clock(changed.latest)})" if sure >= 1 else ""
    over = "" if changed.until is None else f", until {clock(changed.until)}"
    instead = f"{percent(changed.during)} bad instead of {percent(changed.before)}"
    return f"since {clock(changed.at)}{about}{over}: {instead}"


def nothing(looked: Looked) -> str:
    if not looked.bad:
        return "Nothing stands out: no request that was bad is kept as evidence"
    if not looked.good:
        return f"Nothing stands out: {looked.bad} bad requests are kept, and no other to compare them with"
    of = f"{many(looked.attributes, 'attribute')}, {many(looked.phases, 'phase')}"
    of = f"{of} and {many(looked.events, 'change')}"
    return f"Nothing stands out: the {looked.bad} bad requests look like the {looked.good} others in {of}"
