"""A sign of life is given only while keeptime could tell, and what holds it back is said."""

from dataclasses import replace

import pytest

from keeptime.tell.wellness import Facts, held

NOW = 1_800_000_000.0
WELL = Facts(now=NOW, tick_seconds=10.0, judged_at=NOW - 5, committed_at=NOW - 5)


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        (WELL, ""),
        (replace(WELL, judged_at=NOW - 31, committed_at=NOW - 31), ""),
        (replace(WELL, judged_at=None), "no tick was judged yet"),
        (replace(WELL, judged_at=NOW - 180, committed_at=NOW - 180), "no tick was judged for 3 min"),
        (replace(WELL, judged_at=NOW + 3600), "the clock was set back by 1 h"),
        (replace(WELL, committed_at=None), "nothing was committed yet"),
        (replace(WELL, committed_at=NOW - 15), "the last commit did not work"),
        (replace(WELL, problem="the outbox cannot be read"), "the outbox cannot be read"),
        (replace(WELL, unseen=("kept was not probed yet",)), "kept was not probed yet"),
        (replace(WELL, oldest_unsent=120.0), ""),
        (
            replace(WELL, oldest_unsent=121.0),
            "a message has waited for 2 min 1 s to be taken; expected at most 2 min",
        ),
        (replace(WELL, leading=False), "another keeptime leads"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_holds_a_sign_of_life_back(facts: Facts, reason: str) -> None:
    assert held(facts) == reason
