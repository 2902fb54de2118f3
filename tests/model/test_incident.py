"""Incidents: whatever becomes of an alert, in whatever order, they never overlap."""

import json
from datetime import UTC, datetime
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from keeptime.model.alert import AlertRow, AlertState, Message, Topic
from keeptime.model.incident import FIRST, MOST, How, Incident, follow, incident_id
from keeptime.model.key import ObjectiveKey
from keeptime.model.verdict import Condition, Severity

KEY = ObjectiveKey("digits", "fast")
BAD = {
    Condition.AT_RISK: (Severity.TICKET, Severity.PAGE),
    Condition.BROKEN: (Severity.PAGE,),
    Condition.NO_DATA: (None,),
}


def row(
    at: float,
    started: float | None,
    condition: Condition = Condition.BROKEN,
    severity: Severity | None = Severity.PAGE,
    state: AlertState = AlertState.FIRING,
) -> AlertRow:
    return AlertRow(KEY, state, condition, severity, at, started)


def message(topic: Topic, at: float, started: float, reason: str = "why") -> Message:
    said = {"at": _instant(at), "started": _instant(started), "reason": reason, "contract_version": "v1"}
    more = {
        "tiers": [{"name": "page-1h", "state": "firing"}, {"name": "ticket", "state": "quiet"}],
        "burn_rate": 2.5,
    }
    body = json.dumps(said | more | {"counts": {"sli": 0.5}, "budget": {"total": 36.0, "left": -6.0}}).encode()
    return Message(f"{topic}-{at}", KEY, topic, 1, body, ())


def _instant(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()


def over(at: float, started: float) -> AlertRow:
    return row(at, started, Condition.OK, None, AlertState.RESOLVED)


def told(*steps: tuple[AlertRow, Message | None]) -> dict[str, Incident]:
    """By id, in the order in which they began."""
    found: dict[str, Incident] = {}
    for changed, said in steps:
        for each in follow(next(reversed(found.values()), None), changed, said):
            found[each.id] = each
    return found


def test_a_life_from_beginning_to_end() -> None:
    (one,) = told(
        (row(100, 100, Condition.AT_RISK, Severity.TICKET), message(Topic.AT_RISK, 100, 100, "burns")),
        (row(200, 100), message(Topic.BROKEN, 200, 100, "gone")),
        (row(300, 100, Condition.NO_DATA, None), message(Topic.NO_DATA, 300, 100, "silent")),
        (over(400, 100), message(Topic.RECOVERED, 400, 100, "holds")),
    ).values()
    assert (one.started, one.ended, one.how, one.version) == (100, 400, How.RECOVERED, "v1")
    assert (one.condition, one.severity, one.reason) == (Condition.BROKEN, Severity.PAGE, "gone")
    assert [step.reason for step in one.steps] == ["burns", "gone", "silent", "holds"]
    assert [step.tiers for step in one.steps] == [("page-1h",)] * 3 + [()]
    figures = one.steps[0].figures
    assert (figures.sli, figures.burn_rate, figures.budget_total, figures.budget_left) == (0.5, 2.5, 36.0, -6.0)


def test_how_it_ended() -> None:
    began = (row(100, 100), message(Topic.BROKEN, 100, 100))
    withdrawn = (over(150, 100), message(Topic.WITHDRAWN, 150, 100))
    unheard = (row(150, None, Condition.OK, None, AlertState.RESOLVED), None)
    dates = (row(150, None, Condition.OK, None, AlertState.INACTIVE), None)
    for end, how in ((withdrawn, How.WITHDRAWN), (unheard, How.WITHDRAWN), (dates, How.TERMS_ENDED)):
        (one,) = told(began, end).values()
        assert (one.ended, one.how) == (150, how)


def test_one_that_was_withdrawn_within_a_tick_that_is_judged_yet_ends_where_the_next_begins() -> None:
    first, second = told(
        (row(100, 100), message(Topic.BROKEN, 100, 100)),
        (over(111, 100), message(Topic.WITHDRAWN, 111, 100)),
        (row(110, 110), message(Topic.BROKEN, 110, 110)),
    ).values()
    assert (first.ended, second.started, second.ended) == (110, 110, None)


def test_what_changes_nothing_is_no_change_and_what_was_never_open_does_not_end() -> None:
    (open_,) = follow(None, row(100, 100), message(Topic.BROKEN, 100, 100))
    assert follow(open_, row(100, 100)) == ()
    assert follow(None, over(100, 100), message(Topic.RECOVERED, 100, 100)) == ()


def test_of_very_many_changes_the_first_and_the_newest_are_kept() -> None:
    steps = [(row(at, 100), message(Topic.BROKEN, at, 100, str(at))) for at in range(100, 100 + MOST + 30)]
    (one,) = told(*steps).values()
    assert (len(one.steps), one.omitted) == (MOST, 30)
    kept = [int(step.reason) for step in one.steps]
    assert kept == [*range(100, 100 + FIRST), *range(100 + FIRST + 30, 100 + MOST + 30)]


def test_ids_stand_in_a_url_and_tell_segments_apart() -> None:
    started = datetime(2026, 11, 26, 5, 12, tzinfo=UTC).timestamp()
    assert incident_id(ObjectiveKey("sentiment-latency", "p99.5"), started) == (
        "sentiment-latency.p99.5.20261126T051200Z"
    )
    assert incident_id(KEY, started + 0.5) == "digits.fast.20261126T051200_500000Z"
    names = (
        "p[a=b]",
        "p[a-b]",
        "p[a=b,c=d]",
        "p[A=b]",
        "p[a=b ]",
        "p-a-b",
        "p[a=ä]",
        "p[a=/../x]",
        "p[a=\ud800]",
        "",
    )
    ids = [incident_id(ObjectiveKey("c", name), started) for name in names]
    assert len(set(ids)) == len(names)
    for each in ids:
        assert set(each) <= set("abcdefghijklmnopqrstuvwxyz0123456789.-~TZ_")


INSTANTS = st.integers(0, 12).map(float)
ALARMS = st.sampled_from([(c, s) for c, severities in BAD.items() for s in severities])


@st.composite
def changes(draw: st.DrawFn) -> tuple[AlertRow, Message | None]:
    """Any change of an alert, also one that no keeper makes; its message is told, or is not."""
    at, started, said = draw(INSTANTS), draw(INSTANTS), draw(st.booleans())
    state = draw(st.sampled_from(AlertState))
    if state is AlertState.FIRING:
        condition, severity = draw(ALARMS)
        return row(at, started, condition, severity), message(Topic(condition), at, started) if said else None
    ending = draw(st.sampled_from([Topic.RECOVERED, Topic.WITHDRAWN]))
    ends = row(at, draw(st.sampled_from([None, started])), Condition.OK, None, state)
    return ends, message(ending, at, started) if said else None


@given(st.lists(changes(), max_size=25))
@settings(max_examples=200, deadline=None)
def test_they_never_overlap_whatever_becomes_of_the_alert(steps: list[tuple[AlertRow, Message | None]]) -> None:
    found = list(told(*steps).values())
    for one, following in pairwise(found):
        assert one.ended is not None
        assert one.started <= one.ended <= following.started
        assert one.started < following.started
    assert all((each.ended is None) == (each.how is None) for each in found)
    if steps and steps[-1][0].state is AlertState.FIRING:
        assert found[-1].ended is None
    elif found:
        assert found[-1].ended is not None
