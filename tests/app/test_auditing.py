"""Refusals are counted all, and written as far as that fills no disk."""

import asyncio
import logging
from collections.abc import Mapping

import pytest

from keeptime.app.auditing import BURST, PENDING, PER_HOUR, Attempt, Audit
from keeptime.errors import StoreUnavailable
from keeptime.model.ledger import Json
from tests.app.test_rights import Set

Rows = list[tuple[float, Mapping[str, Json]]]


def attempt(status: int = 401, reason: str = "no_token") -> Attempt:
    return Attempt("192.0.2.7", "POST", "/api/v1/outbox/replay", "", status, reason)


def run(audit: Audit, attempts: list[Attempt]) -> None:
    async def note() -> None:
        for each in attempts:
            audit.note_refused(each)
            await asyncio.sleep(0)
            await asyncio.sleep(0)

    asyncio.run(note())


def writing() -> tuple[Audit, Set, Rows]:
    rows: Rows = []

    async def write(at: float, fields: Mapping[str, Json]) -> None:
        rows.append((at, fields))

    clock = Set()
    return Audit(clock, write), clock, rows


def test_a_refusal_is_counted_logged_and_kept(caplog: pytest.LogCaptureFixture) -> None:
    audit, clock, rows = writing()
    with caplog.at_level(logging.WARNING):
        run(audit, [attempt(403, "scope")])
    ((at, fields),) = rows
    assert at == clock.now
    assert fields == {
        "client": "192.0.2.7", "method": "POST", "path": "/api/v1/outbox/replay", "token": "", "status": 403,
        "reason": "scope", "unwritten": 0,
    }  # fmt: skip
    assert audit.refused == {"scope": 1}
    (record,) = caplog.records
    assert (record.getMessage(), vars(record)["client"]) == ("refused", "192.0.2.7")


def test_what_is_no_question_of_rights_is_counted_alone() -> None:
    audit, _, rows = writing()
    run(audit, [attempt(413, "too_large"), attempt(429, "address_rate")])
    assert rows == []
    assert audit.refused == {"too_large": 1, "address_rate": 1}


def test_an_attacker_does_not_fill_the_disk_and_the_number_is_kept() -> None:
    audit, clock, rows = writing()
    run(audit, [attempt()] * 1000)
    assert len(rows) == BURST
    assert audit.refused["no_token"] == 1000
    clock.now += 3600 / PER_HOUR
    run(audit, [attempt()])
    assert rows[-1][1]["unwritten"] == 1000 - BURST
    clock.now += 365 * 86400
    run(audit, [attempt()] * 1000)
    assert len(rows) == 2 * BURST + 1


def test_a_store_that_hangs_or_fails_delays_nobody_and_is_not_asked_without_end() -> None:
    asked = 0

    async def hangs(_at: float, _fields: Mapping[str, Json]) -> None:
        nonlocal asked
        asked += 1
        await asyncio.sleep(3600)

    async def fails(_at: float, _fields: Mapping[str, Json]) -> None:
        raise StoreUnavailable("the disk is full")

    run(Audit(Set(), hangs), [attempt()] * 50)
    assert asked == PENDING
    audit = Audit(Set(), fails)
    run(audit, [attempt()] * 3)
    assert audit.refused["no_token"] == 3


def test_what_somebody_else_wrote_is_cut_short() -> None:
    fields = Attempt("", "M" * 500, "/" + "p" * 5000, "", 401, "no_token").fields(0)
    assert (len(str(fields["method"])), len(str(fields["path"]))) == (16, 200)
