"""What every outbox promises: the one in memory and the store's."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from keeptime.model.alert import Address, DeadLetters, Message, Topic, Waiting
from keeptime.model.change import Change
from keeptime.store.postgresql.address import address_of
from keeptime.store.postgresql.store import PostgresqlStore
from keeptime.store.sqlite import SqliteStore
from keeptime.store.stored import Stored
from keeptime.tell.dispatch import Dispatcher
from keeptime.tell.ports import Outbox
from keeptime.testing.outbox import FakeOutbox, in_place
from keeptime.testing.receiver import FakeReceiver, Fate
from keeptime.testing.virtual import VirtualClock, VirtualLoop
from tests.store.given import take_over
from tests.tell.given import BROKEN, NOW, OK, PAGE, contract, tell_of

HOOK = Address("checkout", "webhook", "env:HOOK", "env:SECRET")
PAGER = Address("operators", "alertmanager", "http://127.0.0.1:9093")
Put = Callable[[Message, float], None]


def on_postgresql(url: str) -> Stored:
    address = address_of(url)
    return PostgresqlStore.open(address, name="test", term=take_over(address), tick_seconds=10.0, now=NOW)


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def box(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Outbox, Put]]:
    """An outbox, and how messages get into it."""
    if request.param == "memory":
        fake = FakeOutbox()
        yield fake, fake.put
        return
    with ExitStack() as stack:
        store = stack.enter_context(
            SqliteStore.open(tmp_path, tick_seconds=10.0, now=NOW)
            if request.param == "sqlite"
            else on_postgresql(stack.enter_context(request.getfixturevalue("databases").one()))
        )
        yield store, lambda message, at: store.commit(Change(at, messages=(message,)))


@pytest.fixture
def outbox(box: tuple[Outbox, Put]) -> Outbox:
    return box[0]


@pytest.fixture
def put(box: tuple[Outbox, Put]) -> Put:
    return box[1]


@pytest.fixture
def told(put: Put) -> list[Message]:
    """Three messages to two addresses, one second apart."""
    messages = tell_of(contract(HOOK, operators=[PAGER]), [PAGE, BROKEN, OK])
    for seconds, message in enumerate(messages):
        put(message, NOW + seconds)
    return messages


def test_an_empty_one_has_nothing(outbox: Outbox) -> None:
    assert (list(outbox.heads(NOW)), outbox.next_due(), list(outbox.waiting())) == ([], None, [])
    assert list(outbox.latest("webhook")) == []


def test_heads_are_the_oldest_of_each_address_as_they_were_put(outbox: Outbox, told: list[Message]) -> None:
    heads = outbox.heads(NOW + 10)
    assert {head.address for head in heads} == {HOOK, PAGER}
    for head in heads:
        assert (head.message_id, head.topic, head.body) == (told[0].id, told[0].topic, told[0].body)
        assert (head.contract, head.attempts, head.created, head.next_try) == ("sentiment-latency", 0, NOW, NOW)


def test_a_head_that_failed_holds_back_what_is_behind_it(outbox: Outbox, told: list[Message]) -> None:
    first = next(head for head in outbox.heads(NOW) if head.address == HOOK)
    outbox.failed(first.row, NOW, NOW + 60, "it answered 500")
    assert [head.address for head in outbox.heads(NOW + 59)] == [PAGER]
    again = next(head for head in outbox.heads(NOW + 60) if head.address == HOOK)
    assert (again.row, again.attempts, again.next_try) == (first.row, 1, NOW + 60)
    assert outbox.next_due() == NOW


def test_what_is_delivered_makes_room_for_the_next(outbox: Outbox, told: list[Message]) -> None:
    seen = []
    while heads := [head for head in outbox.heads(NOW + 10) if head.address == HOOK]:
        seen.append(heads[0].topic)
        outbox.delivered(heads[0].row, NOW + 10, "204")
    assert seen == [Topic.AT_RISK, Topic.BROKEN, Topic.RECOVERED]
    assert list(outbox.waiting()) == [Waiting("sentiment-latency", PAGER, 3, NOW)]


def test_latest_is_what_was_taken_last_and_nothing_while_a_newer_waits(outbox: Outbox, told: list[Message]) -> None:
    latest = []
    while heads := [head for head in outbox.heads(NOW + 10) if head.address == PAGER]:
        outbox.delivered(heads[0].row, NOW + 10, "200")
        latest.append([row.topic for row in outbox.latest("alertmanager")])
    assert latest == [[], [], [Topic.RECOVERED]]
    assert list(outbox.latest("webhook")) == []


def test_it_carries_every_message_in_order_through_a_dispatcher(outbox: Outbox, told: list[Message]) -> None:
    receiver = FakeReceiver()
    receiver.fates[HOOK.id] = [Fate.REFUSED, Fate.ANSWER_LOST]
    loop = VirtualLoop()
    dispatcher = Dispatcher(outbox, receiver, VirtualClock(loop, NOW + 10), in_place)
    running = loop.create_task(dispatcher.run())
    loop.run_until_complete(asyncio.sleep(60))
    assert loop.run_until_complete(dispatcher.drain(1.0))
    loop.run_until_complete(running)
    loop.close()
    for address in (HOOK, PAGER):
        ids = dict.fromkeys(row.message_id for row in receiver.taken[address.id])
        assert list(ids) == [message.id for message in told]
    assert list(outbox.waiting()) == []


def test_contracts_are_apart(outbox: Outbox, put: Put) -> None:
    for name in ("first", "second"):
        put(tell_of(contract(HOOK, name=name), [PAGE])[0], NOW)
    assert sorted(head.contract for head in outbox.heads(NOW)) == ["first", "second"]
    assert sorted(waiting.contract for waiting in outbox.waiting()) == ["first", "second"]


def test_a_dead_letter_holds_back_nothing_and_is_kept(outbox: Outbox, told: list[Message]) -> None:
    first = next(head for head in outbox.heads(NOW) if head.address == HOOK)
    outbox.gave_up(first.row, NOW + 9, "it answered 400", channel=False)
    second = next(head for head in outbox.heads(NOW + 10) if head.address == HOOK)
    assert second.topic is Topic.BROKEN
    assert list(outbox.dead_letters()) == [DeadLetters("sentiment-latency", HOOK, 1, "it answered 400")]
    (letter,) = outbox.letters(dead=True, most=9)
    assert (letter.row, letter.message_id, letter.objective) == (first.row, told[0].id, "p99")
    assert (letter.attempts, letter.dead, letter.error, letter.address) == (1, NOW + 9, "it answered 400", HOOK)
    everything = outbox.letters(dead=False, most=9)
    assert len(everything) == 6
    assert [each.row for each in everything] == sorted(each.row for each in everything)
    assert len(outbox.letters(dead=False, most=2)) == 2
    assert Waiting("sentiment-latency", HOOK, 2, NOW + 1) in outbox.waiting()


def test_a_channel_that_is_given_up_takes_all_that_waits_for_it(outbox: Outbox, told: list[Message]) -> None:
    first = next(head for head in outbox.heads(NOW) if head.address == HOOK)
    outbox.gave_up(first.row, NOW + 9, "it answered 410", channel=True)
    assert [head.address for head in outbox.heads(NOW + 10)] == [PAGER]
    letters = outbox.letters(dead=True, most=9)
    assert [(each.topic, each.attempts) for each in letters] == [
        (Topic.AT_RISK, 1),
        (Topic.BROKEN, 0),
        (Topic.RECOVERED, 0),
    ]
    assert list(outbox.latest("webhook")) == []


def test_what_is_replayed_is_due_again_in_its_own_order(outbox: Outbox, told: list[Message]) -> None:
    first = next(head for head in outbox.heads(NOW) if head.address == HOOK)
    outbox.gave_up(first.row, NOW + 9, "it answered 410", channel=True)
    rows = [each.row for each in outbox.letters(dead=True, most=9)]
    assert outbox.replay(NOW + 20, rows=[rows[1], 999], contract=None) == 1
    assert outbox.replay(NOW + 20, rows=None, contract="another") == 0
    assert outbox.replay(NOW + 20, rows=None, contract="sentiment-latency") == 2
    assert outbox.replay(NOW + 20, rows=None, contract=None) == 0
    again = next(head for head in outbox.heads(NOW + 20) if head.address == HOOK)
    assert (again.row, again.message_id, again.body) == (first.row, first.message_id, first.body)
    assert (again.attempts, again.created, again.next_try) == (0, NOW, NOW + 20)
    assert list(outbox.dead_letters()) == []


def test_a_late_mark_of_a_dead_letter_changes_nothing(outbox: Outbox, told: list[Message]) -> None:
    first = next(head for head in outbox.heads(NOW) if head.address == HOOK)
    outbox.gave_up(first.row, NOW + 9, "why", channel=False)
    if isinstance(outbox, Stored):
        outbox.failed(first.row, NOW + 10, NOW + 11, "later")
        outbox.gave_up(first.row, NOW + 10, "later", channel=True)
    assert [(each.attempts, each.error) for each in outbox.letters(dead=True, most=9)] == [(1, "why")]


def numbers(outbox: Outbox, address: Address = HOOK) -> list[tuple[int, str | None, int, tuple[str, ...]]]:
    """Of all that goes out to this address now, as (sequence, id before, missing, their ids)."""
    found = []
    while heads := [head for head in outbox.heads(NOW + 99) if head.address == address]:
        (head,) = heads
        assert head.numbers is not None
        found.append(
            (head.numbers.sequence, head.numbers.previous_id, head.numbers.missing, head.numbers.missing_ids)
        )
        outbox.delivered(head.row, NOW + 99, "204")
    return found


def test_each_route_is_numbered_for_itself(outbox: Outbox, put: Put, told: list[Message]) -> None:
    put(tell_of(contract(HOOK), [PAGE], 180_000_100)[0], NOW)
    first, second, third = (message.id for message in told)
    expected = [(1, None, 0, ()), (2, first, 0, ()), (3, second, 0, ())]
    assert numbers(outbox, PAGER) == expected
    assert numbers(outbox) == [*expected, (4, third, 0, ())]


def test_the_same_message_put_twice_takes_no_number(outbox: Outbox, put: Put, told: list[Message]) -> None:
    if isinstance(outbox, SqliteStore):
        put(told[0], NOW)
        assert [each[0] for each in numbers(outbox)] == [1, 2, 3]


def test_the_next_message_names_once_what_was_given_up(outbox: Outbox, put: Put, told: list[Message]) -> None:
    def give_up(channel: bool) -> None:
        head = next(head for head in outbox.heads(NOW + 99) if head.address == HOOK)
        outbox.gave_up(head.row, NOW + 9, "why", channel=channel)

    give_up(channel=False)
    more = tell_of(contract(HOOK), [PAGE, BROKEN, OK], 180_000_100)
    put(more[0], NOW + 10)
    put(more[1], NOW + 10)
    assert numbers(outbox)[2:] == [(4, told[2].id, 1, (told[0].id,)), (5, more[0].id, 0, ())]
    many = tell_of(contract(HOOK), [PAGE, BROKEN] * 6, 180_000_200)
    for message in many:
        put(message, NOW + 11)
    give_up(channel=True)
    put(more[2], NOW + 12)
    (last,) = numbers(outbox)
    assert last == (18, many[-1].id, 12, tuple(message.id for message in many[:10]))
    assert [each.count for each in outbox.dead_letters()] == [13]


def test_what_is_replayed_keeps_its_numbers_and_is_missing_no_more(
    outbox: Outbox, put: Put, told: list[Message]
) -> None:
    head = next(head for head in outbox.heads(NOW) if head.address == HOOK)
    outbox.gave_up(head.row, NOW + 9, "why", channel=False)
    assert outbox.replay(NOW + 10, rows=[head.row], contract=None) == 1
    put(tell_of(contract(HOOK), [PAGE], 180_000_100)[0], NOW + 11)
    sent = numbers(outbox)
    assert [(each[0], each[2]) for each in sent] == [(1, 0), (2, 0), (3, 0), (4, 0)]


def test_what_is_discarded_is_a_dead_letter_no_more_and_still_missing(
    outbox: Outbox, put: Put, told: list[Message]
) -> None:
    first = next(head for head in outbox.heads(NOW) if head.address == HOOK)
    outbox.gave_up(first.row, NOW + 9, "why", channel=True)
    rows = [each.row for each in outbox.letters(dead=True, most=9)]
    assert outbox.discard(NOW + 20, "ada", "gone", rows=[rows[0], 999], contract=None) == 1
    assert outbox.discard(NOW + 20, "ada", "gone", rows=None, contract="another") == 0
    assert outbox.discard(NOW + 20, "ada", "gone", rows=rows[:2], contract=None) == 1
    assert [each.row for each in outbox.letters(dead=True, most=9)] == rows[2:]
    assert [each.count for each in outbox.dead_letters()] == [1]
    assert outbox.replay(NOW + 30, rows=rows[:2], contract=None) == 0
    put(tell_of(contract(HOOK), [PAGE], 180_000_100)[0], NOW + 11)
    assert numbers(outbox) == [(4, told[2].id, 3, tuple(message.id for message in told))]
