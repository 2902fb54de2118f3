"""A message that was passed on stays passed on: kill -9 after a step repeats none, and nobody else is asked."""

import json
from pathlib import Path

import pytest

from tests.e2e.keeping import keeping, until
from tests.e2e.peers import consumer, model
from tests.faults.scene import SLOW, TERMS

ESCALATED = TERMS.replace(
    "consumers:", 'operators:\n  tell: ["log:{folder}/operators.log"]\nnotify_within: 2s\nconsumers:'
).replace(
    "consumers:\n  - name: checkout\n",
    'consumers:\n  - name: checkout\n    escalate: ["log:{folder}/first.log", "log:{folder}/missing/second.log"]\n',
)


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@pytest.mark.soak
def test_what_was_passed_on_survives_a_kill(tmp_path: Path) -> None:
    with (
        model() as served,
        consumer() as told,
        keeping(tmp_path / "one", ESCALATED.format(url=served.url, folder=tmp_path), told.url) as one,
    ):
        told.status, served.delay = 500, SLOW
        one.start()
        until(lambda: bool(lines(tmp_path / "first.log")), 60, "the first of escalate to get it")
        until(lambda: one.rows("SELECT count(*) FROM escalation") == [(1,)], 10, "the step to be there")
        one.kill()
        one.start()
        one.await_condition("broken")
        (first,) = {str(each["id"]) for each in lines(tmp_path / "first.log")}
        undelivered = [
            each for each in lines(tmp_path / "operators.log") if each["type"] == "keeptime.service.undelivered"
        ]
        assert len({str(each["id"]) for each in undelivered}) == 1
        assert first in str(undelivered[0]["reason"])
        assert [row[0] for row in one.rows("SELECT steps FROM escalation")] == [1], "taken: nobody else is asked"
        kinds = one.rows("SELECT kind, count(*) FROM ledger WHERE kind = 'escalation' GROUP BY kind")
        assert kinds == [("escalation", 1)]
