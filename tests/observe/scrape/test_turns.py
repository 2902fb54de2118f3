"""Restarts are believed; several processes that answer in turn are found out."""

import random

import pytest

from keeptime.observe.cumulative import REMEMBERED_NS
from keeptime.observe.scrape.turns import AGAIN, LOOKS, OLDER, Turns

S = 1_000_000_000


def test_a_restart_is_believed_where_a_count_fell() -> None:
    turns = Turns()
    assert turns.look(100 * S, False, 10 * S) == ""
    assert turns.began_ns == 100 * S
    assert turns.look(200 * S, False, 20 * S) == ""
    assert turns.began_ns == 100 * S, "what passes on counts of others began anew, they did not"
    assert turns.look(300 * S, True, 30 * S) == ""
    assert turns.began_ns == 300 * S


def test_a_start_that_goes_back_is_another_process_until_the_younger_one_is_forgotten() -> None:
    turns = Turns()
    turns.look(200 * S, False, 10 * S)
    assert turns.look(199 * S, False, 20 * S) == "", "the same, told less exactly"
    assert turns.look(100 * S, False, 30 * S) == OLDER
    assert turns.look(199 * S, False, 40 * S) == ""
    assert turns.look(100 * S, False, 50 * S + REMEMBERED_NS) == ""


def test_counts_that_fall_again_and_again_are_not_believed_until_they_have_stopped_to() -> None:
    turns = Turns()
    said = [turns.look(None, nth % 10 == 0, nth * 10 * S) for nth in range(1, 31)]
    assert said[:29] == [""] * 29
    assert said[29] == AGAIN
    after = [turns.look(None, False, nth * 10 * S) for nth in range(31, 31 + LOOKS)]
    assert after[:9] == [AGAIN] * 9, "the first fall is still among the last looks"
    assert set(after[9:]) == {""}


def test_a_process_that_says_it_began_anew_may_do_so_often() -> None:
    turns = Turns()
    assert {turns.look(nth * 10 * S, True, nth * 10 * S) for nth in range(1, 40)} == {""}


@pytest.mark.parametrize("seed", range(5))
def test_two_replicas_that_answer_at_random_are_found_out_soon(seed: int) -> None:
    chance, turns, counts, last = random.Random(seed), Turns(), [1000, 5000], 0
    said = []
    for nth in range(60):
        counts = [each + chance.randrange(10) for each in counts]
        now = counts[chance.randrange(2)]
        said.append(turns.look(None, now < last, nth * 10 * S))
        last = now
    assert AGAIN in said[:30]
    assert said[30:].count(AGAIN) >= 25
