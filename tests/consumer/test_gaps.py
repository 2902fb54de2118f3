"""Numbered messages through an inbox: what is missing is certain, what comes late is told, so is a step back."""

import json
from collections.abc import Sequence

import pytest

from keeptime.cli.received import as_json, picture
from keeptime.consumer import Inbox, Received, SeenInMemory
from keeptime.errors import MessageRefused
from tests.tell.given import contract

from .given import NOW, SECRET, encoded, signed

FIRST, SECOND, THIRD = (f"2027-01-15T0{hour}:00:00Z-0123456789abcdef" for hour in (7, 8, 9))


def name(number: int, epoch: str = FIRST) -> str:
    return f"m{number}" if epoch == FIRST else f"m{number}-{epoch[12]}"


def body(
    number: int,
    epoch: str = FIRST,
    *,
    before: str | None = "",
    missing: Sequence[str] = (),
    more: int = 0,
    audience: str = "checkout",
) -> dict[str, object]:
    """A numbered message about keeptime itself; `before` is by itself the number before."""
    return {
        "type": "keeptime.service.clock",
        "id": name(number, epoch),
        "contract": contract().name,
        "audience": audience,
        "epoch": epoch,
        "sequence": number,
        "previous_id": (name(number - 1, epoch) if number > 1 else None) if before == "" else before,
        "missing": {"count": len(missing) + more, "ids": list(missing)},
    }


class Told:
    """An inbox and what it says."""

    def __init__(self) -> None:
        self.seen = SeenInMemory()
        self.restart()

    def restart(self) -> None:
        self.got: list[Received] = []
        self.inbox = Inbox(SECRET, self.got.append, self.seen)

    def take(self, *bodies: dict[str, object]) -> tuple[str, str]:
        """The gap's sentence and the remark of the last of them, "" each where there is none."""
        for each in bodies:
            data = encoded(each)
            assert self.inbox.take(signed(data, str(each["id"])), data, NOW).status == 200
        gap = self.got[-1].gap
        assert gap is None or gap.certain
        return ("" if gap is None else gap.text), self.got[-1].remark

    def missing(self) -> int | None:
        gap = self.got[-1].gap
        return 0 if gap is None else gap.missing


@pytest.fixture
def told() -> Told:
    return Told()


def test_what_follows_on_is_no_gap_over_epochs_too(told: Told) -> None:
    told.take(body(1), body(2))
    assert told.take(body(3, SECOND, before="m2")) == ("", "")
    assert told.take(body(4, THIRD, before=name(3, SECOND))) == ("", "")


def test_nothing_is_missed_before_the_first_that_comes(told: Told) -> None:
    assert told.take(body(7)) == ("", "")


def test_a_gap_is_certain_and_counted(told: Told) -> None:
    told.take(body(4))
    assert told.take(body(7)) == ("2 of sentiment-latency missing between number 4 and 7", "")
    assert told.missing() == 2
    assert told.take(body(8)) == ("", "")


def test_a_gap_over_an_epoch_is_seen(told: Told) -> None:
    told.take(body(4))
    assert told.take(body(6, SECOND))[0] == "1 of sentiment-latency missing between number 4 and 6"


def test_what_comes_late_fills_the_gap_and_says_so(told: Told) -> None:
    told.take(body(4), body(8))
    assert told.take(body(6)) == ("", "late: number 6 of sentiment-latency, which was missing; 2 are still missing")
    assert told.take(body(5))[1].endswith("; 1 are still missing")
    assert told.take(body(7))[1].endswith("; nothing is missing any more")
    assert told.take(body(3)) == ("", "late: number 3 of sentiment-latency, after number 8")
    assert told.take(body(9)) == ("", "")


def test_a_dead_letter_of_an_epoch_of_which_nothing_came_is_late_and_no_step_back(told: Told) -> None:
    told.take(body(4), body(7, THIRD, before=name(6, SECOND)))
    assert told.take(body(5, SECOND, before="m4"))[1].startswith("late: number 5 of sentiment-latency, which was")


def test_a_sender_that_goes_on_from_an_older_backup_is_named(told: Told) -> None:
    told.take(body(5), body(6), body(7))
    gap, remark = told.take(body(6, SECOND, before="m5"))
    assert gap == ""
    assert remark.startswith("the numbers of sentiment-latency went back from 7 to 6 in a new epoch: ")
    assert told.take(body(7, SECOND)) == ("", "")
    gap, _ = told.take(body(9, SECOND))
    assert gap == "1 of sentiment-latency missing between number 7 and 9"


def test_another_receiver_of_the_same_audience_is_no_step_back(told: Told) -> None:
    told.take(body(6), body(7))
    new = {**body(2, SECOND, before=name(7)), "id": "new"}
    gap, remark = told.take(new)
    assert (gap, "went back" in remark) == ("", False)
    told.take({**body(8, SECOND, before=name(7)), "id": "new"})
    assert told.take(body(9, SECOND, before="new")) == ("", "")


def test_what_was_lost_after_a_step_back_is_known_though_the_numbers_fit(told: Told) -> None:
    told.take(body(6), body(7))
    gap, _ = told.take(body(8, SECOND))
    assert gap == (
        "something of sentiment-latency is missing before number 8: the message before it, m7-8, never came"
    )
    assert told.missing() is None


def test_what_the_sender_gave_up_is_said_until_it_comes(told: Told) -> None:
    told.take(body(4))
    gap, _ = told.take(body(5, missing=["m1", "m2"], more=3))
    assert gap == "the sender gave up 5 of sentiment-latency before this one: m1, m2"
    assert told.got[-1].gap is not None
    assert told.got[-1].gap.declared == ("m1", "m2")
    assert told.missing() == 5
    assert told.take(body(6, missing=["m4"])) == ("", "")
    gap, _ = told.take(body(8, missing=["m7"]))
    assert gap == (
        "1 of sentiment-latency missing between number 6 and 8; "
        "the sender gave up 1 of sentiment-latency before this one: m7"
    )
    assert told.missing() == 1


def test_both_are_printed(told: Told) -> None:
    told.take(body(4), body(7))
    assert picture(told.got[-1]).splitlines()[-1] == (
        "  gap       2 of sentiment-latency missing between number 4 and 7"
    )
    gap = json.loads(as_json(told.got[-1]))["gap"]
    assert (gap["certain"], gap["missing"], gap["declared"]) == (True, 2, [])
    told.take(body(5))
    late = "late: number 5 of sentiment-latency, which was missing; 1 are still missing"
    assert picture(told.got[-1]).splitlines()[-1] == f"  remark    {late}"
    assert json.loads(as_json(told.got[-1]))["remark"] == late


def test_one_inbox_in_two_roles_has_two_courses_and_no_false_gap(told: Told) -> None:
    told.take(body(1), body(2))
    both = body(3) | {"audience": "operators", "sequence": 1, "previous_id": None}
    told.take(body(3), both)
    assert told.take(body(9, audience="operators", before="m3") | {"sequence": 2, "id": "ticket"}) == ("", "")
    assert told.take(body(4)) == ("", "")


def test_another_worker_with_the_same_ids_misses_nothing(told: Told) -> None:
    told.take(body(1))
    other = Told()
    other.seen = told.seen
    other.restart()
    other.take(body(2))
    assert told.take(body(3)) == ("", "")


def test_after_a_restart_the_first_that_comes_begins_anew(told: Told) -> None:
    told.take(body(1))
    told.restart()
    assert told.take(body(5)) == ("", "")
    assert told.take(body(7))[0] == "1 of sentiment-latency missing between number 5 and 7"


def test_what_was_not_handled_is_not_late_when_it_comes_again(told: Told) -> None:
    told.take(body(1))
    told.seen.keep = _full  # type: ignore[method-assign]
    with pytest.raises(OSError, match="full"):
        told.take(body(2))
    del told.seen.keep
    assert told.take(body(2)) == ("", "")


def _full(message_id: str, now: float) -> None:
    raise OSError("the disk is full")


@pytest.mark.parametrize(
    "wrong",
    [
        {"sequence": 0},
        {"sequence": "3"},
        {"previous_id": 5},
        {"epoch": 5},
        {"missing": {"count": -1, "ids": []}},
        {"missing": {"count": 1, "ids": [5]}},
        {"missing": {"count": 1}},
    ],
)
def test_numbers_of_a_wrong_type_are_refused(wrong: dict[str, object]) -> None:
    data = encoded(body(3) | wrong)
    answer = Inbox(SECRET, lambda _: None).take(signed(data, "m3"), data, NOW)
    assert isinstance(answer.refused, MessageRefused)
    assert (answer.status, answer.refused.why) == (400, "malformed")
