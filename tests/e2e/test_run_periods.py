"""A month that ended while keeptime was down is closed at its next start, and told by whoever asks."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from keeptime.contract.calendar import period
from keeptime.contract.terms import Calendar
from keeptime.model.change import Change
from keeptime.model.key import ObjectiveKey
from keeptime.model.tally import Tally, TickRecord
from keeptime.store.sqlite import SqliteStore
from tests.e2e.keeping import Keeptime, keeping, terms, until
from tests.e2e.peers import model

KEY = ObjectiveKey("kept", "p90-200ms")
LIVED = 300
"""Seconds of last month in which keeptime was there."""


def last_month(data: Path) -> float:
    """A store that ends with good and bad seconds of last month; when that month ended."""
    end, _ = period(Calendar("month"), time.time())
    first = round(end) - 2 * LIVED
    with SqliteStore.open(data, tick_seconds=1.0, now=float(first)) as store:
        for tick in range(first, first + LIVED):
            store.commit(Change(tick + 1.0, TickRecord(tick, {KEY: Tally(good=9, bad=1)})))
    return end


def asked(one: Keeptime, command: str, *options: str) -> tuple[int, str]:
    words = [sys.executable, "-m", "keeptime", command, *options, "--url", one.url]
    done = subprocess.run(words, capture_output=True, text=True, timeout=30, env=os.environ | {"COLUMNS": "160"})
    return done.returncode, done.stdout + done.stderr


def test_a_month_that_ended_in_a_downtime(tmp_path: Path) -> None:
    with model() as served, keeping(tmp_path, terms(served.url)) as one:
        end = last_month(one.data)
        one.start()
        one.await_condition("ok")
        until(lambda: bool(json.loads(one.get("/api/v1/periods?contract=kept"))["periods"]), 10, "the month's end")
        code, said = asked(one, "compliance", "kept", "--json")
        (found,) = json.loads(said)["contracts"][0]["periods"]
        assert code == 0
        assert (found["state"], found["needed"]) == ("undecided", None), "half of it was not lived through"
        assert (found["end"], found["since"]) == (end, end - 2 * LIVED)
        assert (found["good"], found["bad"]) == (9 * LIVED, LIVED)
        assert found["missing"] == 10 * LIVED
        assert asked(one, "compliance", "kept", "--period", found["name"])[1].count("undecided") == 1
        code, said = asked(one, "compliance", "another")
        assert (code, "no contract 'another' is kept" in said) == (1, True)
        assert f"{found['name']} undecided" in asked(one, "status")[1]
        (contract,) = json.loads(asked(one, "status", "--json")[1])["contracts"]
        assert contract["objectives"][0]["compliance"]["last"]["name"] == found["name"]
        assert contract["latency"]["p50"]["low"] <= contract["latency"]["p50"]["value"]
        assert contract["latency"]["requests"] > 0
