"""Alert life, audience and the message: pure decisions."""

import json
from dataclasses import replace
from fractions import Fraction
from importlib import resources
from itertools import pairwise
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeptime.model.alert import Address, AlertRow, AlertState, Message, Topic
from keeptime.model.key import ObjectiveKey
from keeptime.model.verdict import Budget, Condition, Severity
from keeptime.tell.announce import announce
from keeptime.tell.audience import still_told
from keeptime.tell.life import LIFE, Event, diagram, step
from keeptime.tell.message import numbered
from keeptime.testing.outbox import FakeOutbox
from tests.tell.given import (
    BROKEN,
    EVERY_TOPIC,
    NO_DATA,
    OBJECTIVE,
    OK,
    PAGE,
    TICKET,
    Case,
    contract,
    tell_of,
    verdict,
)

HOOK = Address("checkout", "webhook", "env:HOOK")
PAGER = Address("operators", "alertmanager", "http://127.0.0.1:9093")
CASES = [OK, TICKET, PAGE, BROKEN, NO_DATA]
OF_REPORTS = {"period", "compliance", "report", "left_out", "attachment"}
SCHEMA = json.loads(resources.files("keeptime.tell").joinpath("message.schema.json").read_text())
CHECK = jsonschema.Draft202012Validator(SCHEMA)
DOCS = Path(__file__).parents[2] / "docs"


def sent(message: Message) -> bytes:
    """The first message of a route, as its receiver gets it."""
    outbox = FakeOutbox()
    outbox.put(replace(message, addresses=(HOOK,)), 0.0)
    return numbered(outbox.heads(0.0)[0])


def heard(messages: list[Message], address: Address) -> list[Topic]:
    return [message.topic for message in messages if address in message.addresses]


def test_every_state_knows_every_event_and_only_firing_knows_the_same() -> None:
    expected = {(state, event) for state in AlertState for event in Event if event is not Event.SAME}
    assert set(LIFE) == expected | {(AlertState.FIRING, Event.SAME)}


def test_the_diagram_in_the_documentation_is_the_table() -> None:
    assert f"```mermaid\n{diagram()}```" in (DOCS / "telling.md").read_text()


def test_the_documented_body_is_what_is_sent() -> None:
    page = (DOCS / "webhook.md").read_text()
    example = json.loads(page.rpartition("```json\n")[2].partition("```")[0])
    (message,) = tell_of(contract(HOOK), [PAGE])
    assert example == json.loads(sent(message))
    table = page.partition("## The body")[2].partition("An example")[0]
    assert [field for field in SCHEMA["properties"] if f"`{field}`" not in table] == []
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_an_incident_is_told_step_by_step() -> None:
    told = tell_of(contract(HOOK, operators=[PAGER]), [OK, PAGE, PAGE, BROKEN, BROKEN, OK, OK])
    assert heard(told, HOOK) == [Topic.AT_RISK, Topic.BROKEN, Topic.RECOVERED]
    assert heard(told, PAGER) == heard(told, HOOK)


def test_an_outage_of_data_in_a_breach_is_no_recovery() -> None:
    told = tell_of(contract(HOOK), [OK, BROKEN, NO_DATA, BROKEN, OK])
    assert heard(told, HOOK) == [Topic.BROKEN, Topic.NO_DATA, Topic.BROKEN, Topic.RECOVERED]


def test_from_broken_to_at_risk_is_told_and_is_no_recovery() -> None:
    told = tell_of(contract(HOOK), [BROKEN, PAGE, OK])
    assert heard(told, HOOK) == [Topic.BROKEN, Topic.AT_RISK, Topic.RECOVERED]


def test_tickets_and_their_end_are_for_operators_alone() -> None:
    told = tell_of(contract(HOOK, operators=[PAGER]), [OK, TICKET, OK])
    assert heard(told, HOOK) == []
    assert heard(told, PAGER) == [Topic.AT_RISK, Topic.RECOVERED]


def test_who_heard_of_the_page_hears_of_the_end_even_after_a_ticket() -> None:
    told = tell_of(contract(HOOK, operators=[PAGER]), [TICKET, PAGE, TICKET, OK])
    assert heard(told, HOOK) == [Topic.AT_RISK, Topic.RECOVERED]
    assert heard(told, PAGER) == [Topic.AT_RISK] * 3 + [Topic.RECOVERED]


def test_a_consumer_hears_what_it_asked_for() -> None:
    about = {Topic.BROKEN, Topic.RECOVERED}
    assert heard(tell_of(contract(HOOK, about=about), [PAGE, OK, PAGE, BROKEN, OK]), HOOK) == [
        Topic.BROKEN,
        Topic.RECOVERED,
    ]


def test_an_earlier_alert_does_not_count_for_a_later_one() -> None:
    assert heard(tell_of(contract(HOOK), [PAGE, OK, TICKET, OK]), HOOK) == [Topic.AT_RISK, Topic.RECOVERED]


def test_a_pending_tier_makes_an_alert_pending_and_tells_nobody() -> None:
    terms = contract(HOOK)
    pending = announce(terms, OBJECTIVE, verdict(OK, pending=True), None)
    assert (pending.row.state, pending.changed, pending.message) == (AlertState.PENDING, True, None)
    again = announce(terms, OBJECTIVE, verdict(OK, 180_000_001, pending=True), pending.row)
    assert not again.changed
    over = announce(terms, OBJECTIVE, verdict(OK, 180_000_002), again.row)
    assert (over.row.state, over.row.started) == (AlertState.INACTIVE, None)


def test_a_row_that_says_nothing_new_is_not_stored_again() -> None:
    terms = contract(HOOK)
    first = announce(terms, OBJECTIVE, verdict(PAGE), None)
    again = announce(terms, OBJECTIVE, verdict(PAGE, 180_000_001, since=first.row.since), first.row)
    assert (again.changed, again.message) == (False, None)
    assert again.row == first.row


def test_a_verdict_of_another_objective_is_refused() -> None:
    other = replace(verdict(OK), key=ObjectiveKey("sentiment-latency", "p50"))
    with pytest.raises(ValueError, match="p50"):
        step(contract(), OBJECTIVE, other, None)


@given(st.lists(st.sampled_from(CASES)))
def test_every_change_is_told_once_and_recovery_only_after_something(cases: list[Case]) -> None:
    told = tell_of(contract(HOOK, operators=[PAGER]), cases)
    changes = [now for before, now in zip([OK, *cases], cases, strict=False) if now != before]
    assert [_case(message) for message in told] == changes
    assert len({message.id for message in told}) == len(told)
    for topics in (heard(told, HOOK), heard(told, PAGER)):
        assert topics[:1] != [Topic.RECOVERED]
        assert (Topic.RECOVERED, Topic.RECOVERED) not in set(pairwise(topics))


@given(st.lists(st.sampled_from(CASES)), st.sets(st.sampled_from(sorted(EVERY_TOPIC))))
def test_whoever_was_told_of_a_beginning_is_told_of_its_end(cases: list[Case], about: set[Topic]) -> None:
    topics = heard(tell_of(contract(HOOK, about=about | {Topic.RECOVERED}), [*cases, OK]), HOOK)
    assert topics == [] or topics[-1] is Topic.RECOVERED


@given(st.lists(st.sampled_from(CASES), min_size=1))
def test_the_schema_holds_and_the_bytes_are_canonical(cases: list[Case]) -> None:
    for message in tell_of(contract(HOOK), cases):
        body = json.loads(sent(message))
        CHECK.validate(body)
        assert set(body) == set(SCHEMA["properties"]) - {"service", "explanation"} - OF_REPORTS
        for each in (message.body, sent(message)):
            again = json.dumps(json.loads(each), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
            assert again.encode() == each


def test_figures_are_not_rounded_and_unknown_ones_are_null() -> None:
    silent = replace(
        verdict(NO_DATA),
        good=0,
        bad=0,
        burn_rate=None,
        exhausted_in=None,
        forecast=None,
        target=Fraction(999, 1000),
        budget=Budget(1 / 3, 0),
    )
    message = announce(contract(HOOK), OBJECTIVE, silent, None).message
    assert message is not None
    body = json.loads(message.body)
    CHECK.validate(body)
    assert body["counts"]["sli"] is None
    assert body["burn_rate"] is None
    assert body["exhausted_in_seconds"] is None
    assert body["forecast"] is None
    assert body["severity"] is None
    assert body["budget"]["total"] == 1 / 3
    assert body["objective"]["target"] == 0.999


def test_the_reason_is_the_verdicts_own_sentence() -> None:
    (message,) = tell_of(contract(HOOK), [PAGE])
    assert json.loads(message.body)["reason"] == verdict(PAGE).reason


def test_nothing_of_the_endpoint_is_in_a_message() -> None:
    assert all(b"canary" not in message.body for message in tell_of(contract(HOOK), [PAGE, OK]))


def test_text_that_is_no_unicode_does_not_keep_a_message_back() -> None:
    terms = replace(contract(HOOK), model="half a pair \ud800")
    (message,) = tell_of(terms, [PAGE])
    assert json.loads(message.body)["model"] == "half a pair ?"


def test_the_id_is_of_contract_version_objective_instant_and_topic() -> None:
    (first,) = tell_of(contract(HOOK), [PAGE])
    (again,) = tell_of(contract(HOOK, about=EVERY_TOPIC - {Topic.BROKEN}), [PAGE])
    (later,) = tell_of(contract(HOOK), [PAGE], first_tick=180_000_002)
    (edited,) = tell_of(replace(contract(HOOK), version="beef"), [PAGE])
    (other_topic,) = tell_of(contract(HOOK), [BROKEN])
    assert first == again
    shorter = replace(verdict(PAGE), tick=1_800_000_000)  # the same instant on a grid of 1 s
    same = announce(contract(HOOK), OBJECTIVE, shorter, None).message
    assert same is not None
    assert same.id == first.id
    assert len({first.id, later.id, edited.id, other_topic.id}) == 4
    assert first.id == "cc9fb7e6-3cd1-5bb9-bb27-2e1cdd65ce6a"  # for ever: a consumer drops repeats by it


def test_one_address_in_two_roles_is_told_in_both() -> None:
    """Order and marks are per audience; who is both drops the repeated id."""
    both = replace(HOOK, audience="operators")
    (message,) = tell_of(contract(HOOK, operators=[both]), [PAGE])
    assert message.addresses == (HOOK, both)


def _case(message: Message) -> tuple[Condition, Severity | None]:
    body = json.loads(message.body)
    return Condition(body["condition"]), body["severity"] and Severity(body["severity"])


def test_a_row_remembers_what_consumers_heard() -> None:
    row: AlertRow | None = None
    for tick, case in enumerate([TICKET, PAGE, BROKEN], 180_000_000):
        row = announce(contract(HOOK), OBJECTIVE, verdict(case, tick), row).row
    assert row is not None
    assert row.told == {Topic.AT_RISK, Topic.BROKEN}
    assert row.started == 1_800_000_000.0


def test_what_is_in_no_contract_any_more_is_not_told_any_more() -> None:
    terms = contract(HOOK, operators=[PAGER])
    outbox = FakeOutbox()
    outbox.put(tell_of(terms, [PAGE])[0], 0.0)
    row = next(row for row in outbox.heads(0.0) if row.address == PAGER)
    renamed = replace(OBJECTIVE, name="p50")
    assert still_told({terms.name: terms}, row)
    assert still_told({terms.name: replace(terms, version="beef")}, row)
    for changed in (contract(HOOK), contract(HOOK, operators=[PAGER], objectives=(renamed,))):
        assert not still_told({changed.name: changed}, row)
    assert not still_told({}, row)
