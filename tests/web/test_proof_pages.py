"""Deliveries and the ledger as pages: what they say, how one goes on, and that no secret is on them."""

from dataclasses import replace

import pytest

from keeptime.app.view import DeliveryView
from keeptime.errors import StoreUnavailable
from keeptime.model.alert import Address, Letter, Topic
from keeptime.model.ledger import Json, LedgerHead, LedgerKind, LedgerQuery, LedgerRow
from keeptime.testing.showable import NOW, FakeShowable, contract, view
from keeptime.web.pages.ledger_words import SENTENCES, plain, sentence, whole
from tests.web.cards import words
from tests.web.conftest import Serve
from tests.web.scenes import CANARY, INERT, every_condition

HOOK = Address("checkout", "webhook", f"https://hooks.example/{CANARY}")
SAID: dict[LedgerKind, tuple[dict[str, Json], str]] = {
    LedgerKind.DECISION: (
        {"id": "m1", "objective": "p99", "topic": "at_risk", "tick": 4, "reason": "it burns",
         "body_sha256": "a" * 64, "audiences": ["checkout", "operators"], "muted_by_silence": 3},
        "p99 at risk: it burns (told: checkout, operators; silence 3 keeps it from operators)",
    ),
    LedgerKind.WITHDRAWN: (
        {"id": "m2", "objective": "p99", "topic": "withdrawn", "reason": "", "audiences": []},
        "p99 withdrawn (told: nobody)",
    ),
    LedgerKind.DELIVERY: (
        {"row": 1, "id": "m1", "receiver": "webhook", "audience": "checkout", "answer": "204"},
        "checkout took a message by webhook, and answered: 204",
    ),
    LedgerKind.DEAD_LETTER: (
        {"row": 1, "id": "m1", "receiver": "webhook", "audience": "checkout", "error": "410"},
        "a message for checkout by webhook was given up: 410",
    ),
    LedgerKind.REPLAYED: (
        {"row": 1, "id": "m1", "receiver": "webhook", "audience": "checkout"},
        "a message for checkout by webhook is sent again",
    ),
    LedgerKind.DISCARDED: (
        {"row": 1, "id": "m1", "receiver": "webhook", "audience": "checkout", "author": "ann", "reason": "old"},
        "ann discarded a message for checkout by webhook: old",
    ),
    LedgerKind.SILENCE: (
        {"silence": 3, "objective": "", "author": "ann", "reason": "moving", "begins": NOW, "ends": NOW + 60},
        "ann silenced the operators of the whole contract until 2027-01-15 08:01:04 UTC (silence 3): moving",
    ),
    LedgerKind.SILENCE_ENDED: (
        {"silence": 3, "objective": "", "how": "by hand", "author": "bob", "reason": "moved"},
        "silence 3 is over (by hand), by bob: moved",
    ),
    LedgerKind.ACK: (
        {"objective": "p99", "started": NOW, "author": "ann", "note": "on it"},
        "ann took on the alert of p99: on it",
    ),
    LedgerKind.EVENT: (
        {"event": 1, "kind": "deploy", "at": NOW, "contracts": [], "author": "ci", "version": "v2", "text": "",
         "link": ""},
        "deploy at 2027-01-15 08:00:04 UTC, says ci: v2",
    ),
    LedgerKind.EXCLUSION: (
        {"objective": "p99", "day": "2027-01-14", "reasons": [
            {"kind": "exclude", "reason": "over the quota", "author": "both", "events": 1200}]},
        "p99: on 2027-01-14 did not count 1,200 for over the quota",
    ),
    LedgerKind.EXCLUSION_DECLARED: (
        {"exclusion": 4, "objective": "", "author": "ann", "reason": "new racks", "from": NOW, "until": NOW + 60},
        "ann declared that what is due of the whole contract does not count from 2027-01-15 08:00:04 UTC until "
        "2027-01-15 08:01:04 UTC (exclusion 4): new racks",
    ),
    LedgerKind.EXCLUSION_ENDED: (
        {"exclusion": 4, "objective": "", "author": "bob", "reason": "they stand", "until": NOW},
        "exclusion 4 ends at 2027-01-15 08:00:04 UTC, says bob: they stand",
    ),
    LedgerKind.CONTRACT: (
        {"change": "edited", "version": "b" * 16, "before": "a" * 16, "sha256": "c" * 64, "file": "sla.yaml"},
        f"edited, version {'b' * 16}; before: {'a' * 16}",
    ),
    LedgerKind.ESCALATION: (
        {"row": 1, "id": "m1", "topic": "at_risk", "to": {"audience": "operators", "receiver": "log"},
         "reason": "late"},
        "message m1 goes on to operators by log: late",
    ),
    LedgerKind.EPOCH: ({"epoch": "01J"}, "keeptime started on this store"),
    LedgerKind.ACCESS: (
        {"client": "10.0.0.1", "method": "POST", "path": "/api/v1/acks", "token": "", "status": 403,
         "reason": "scope", "unwritten": 0},
        "somebody at 10.0.0.1 was refused (scope): POST /api/v1/acks",
    ),
}  # fmt: skip


def row_of(seq: int, kind: str, fields: dict[str, Json]) -> LedgerRow:
    return LedgerRow(seq, NOW - 1000 + seq, kind, "sentiment-latency", fields, "0" * 64, f"{seq:064x}")


def ledger() -> FakeShowable:
    rows = [row_of(seq, kind, fields) for seq, (kind, (fields, _)) in enumerate(SAID.items(), 1)]
    return FakeShowable([view(contract())], ledger_rows=rows)


def test_every_kind_of_row_is_a_sentence(serve: Serve) -> None:
    assert set(SAID) == set(SENTENCES) == set(LedgerKind)
    text = words(serve(ledger()).get("/ledger").text)
    for kind, (fields, said) in SAID.items():
        assert sentence(row_of(1, kind, fields)) == said
        assert said in text
        assert kind.replace("_", " ") in text


@pytest.mark.parametrize("kind", [*LedgerKind, "of-another-age"])
def test_a_row_that_has_other_fields_is_shown_field_by_field(kind: str) -> None:
    odd: dict[str, Json] = {"unreadable": INERT, "ends": "soon", "none": None, "long": "d" * 64}
    assert sentence(row_of(1, kind, odd)) == plain(odd) == f"unreadable: {INERT}, ends: soon, long: dddddddd…"
    assert ("none", "–") in whole(odd)
    assert ("long", "d" * 64) in whole(odd)


def test_a_page_leads_to_the_older_ones_and_back(serve: Serve) -> None:
    where, last = serve(ledger()), len(SAID)
    first = last - 5
    newest = where.get("/ledger?limit=6").text
    assert [f"row-{seq}" in newest for seq in (first - 1, first, last)] == [False, True, True]
    assert newest.index(f"row-{last}") < newest.index(f"row-{first}")
    assert f'href="/ledger?limit=6&amp;before={first}" rel="next"' in newest
    assert 'rel="prev"' not in newest
    middle = where.get(f"/ledger?limit=6&before={first}").text
    assert ("data-live" in newest, "data-live" in middle) == (True, False), "what is past does not change"
    shown = [f'"row-{seq}"' in middle for seq in (first - 7, first - 6, first - 1, first)]
    assert shown == [False, True, True, False]
    assert f'href="/ledger?limit=6&amp;after={first - 1}" rel="prev"' in middle
    oldest = where.get("/ledger?limit=6&before=4").text
    assert ('rel="next"' in oldest, 'href="/ledger?limit=6">Newest' in oldest) == (False, True)
    onward = where.get(f"/ledger?limit=6&after={first - 1}").text
    assert f'"row-{last}"' in onward
    assert ('rel="prev"' in onward, 'rel="next"' in onward) == (False, True)


def test_rows_can_be_narrowed_and_what_means_nothing_is_said(serve: Serve) -> None:
    where = serve(ledger())
    acks = where.get("/ledger?kind=ack&contract=sentiment-latency&day=2027-01-15&tz=Europe/Berlin").text
    assert ("took on the alert" in acks, "took a message" in acks) == (True, False)
    assert "There is no such row" in where.get("/ledger?day=2027-01-16").text
    for wrong, why in (("kind=odd", "expected one of"), ("day=soon", "expected a day"), ("tz=Mars", "time zone")):
        answer = where.get(f"/ledger?{wrong}")
        assert (answer.status, why in words(answer.text)) == (400, True)


def test_the_head_is_there_with_how_to_keep_it_and_it_is_not_sent_again(serve: Serve) -> None:
    daemon, last = ledger(), len(SAID)
    where = serve(daemon)
    answer = where.get("/ledger")
    assert f"{last}:{last:064x}" in answer.text
    assert f"keeptime ledger verify --anchor {last}:00000000…" in words(answer.text)
    assert where.get("/ledger", If_None_Match=answer.headers["etag"]).status == 304
    daemon.ledger_rows.append(row_of(last + 1, "epoch", {"epoch": INERT}))
    changed = where.get("/ledger", If_None_Match=answer.headers["etag"])
    assert changed.status == 200
    assert INERT not in changed.text


def letters() -> list[Letter]:
    first = Letter(
        7, "m1", "sentiment-latency", "p99", HOOK, Topic.BROKEN, NOW - 900, 12, NOW, NOW - 60, "410 Gone"
    )
    waits = replace(first, row=8, dead=None, error="", next_try=NOW + 30, attempts=0)
    held = replace(waits, row=9, muted=3)
    return [first, waits, held]


def deliveries() -> FakeShowable:
    daemon = every_condition()
    daemon.undelivered = letters()
    daemon.deliveries = [
        *daemon.deliveries,
        DeliveryView("image-tags", "web", "log:", 0, 0, 0, 0.0),
        DeliveryView("just-added", "desk", "webhook:env:DESK", 3, 2, 0, 0.0, dead_letters=1, dead_reason="410 Gone",
                     muted=2),
    ]  # fmt: skip
    daemon.ledger_rows = ledger().ledger_rows
    return daemon


def test_each_receiver_is_there_as_it_stands(serve: Serve) -> None:
    html = serve(deliveries()).get("/deliveries").text
    text = words(html)
    assert (
        "fails checkout webhook:env:CHECKOUT_HOOK sentiment-latency 12, 2 passed on 3 2, oldest for 1 min 4 s"
        in text
    )
    assert "503 from the receiver" in text
    assert "waits checkout webhook:file:/run/second" in text
    assert "takes operators webhook:https://hooks.example sentiment-latency 40" in text
    assert "nothing yet web log image-tags 0" in text
    assert "gave up desk webhook:env:DESK just-added 3 2 0; 2 muted 1 410 Gone" in text
    assert CANARY not in html


def test_what_waits_and_what_was_given_up_is_said_and_how_to_send_it_again(serve: Serve) -> None:
    text = words(serve(deliveries()).get("/deliveries").text)
    assert "7 checkout webhook:https://hooks.example broken, sentiment-latency/p99" in text
    assert "12 410 Gone" in text
    assert "keeptime outbox replay 7" in text
    assert "held back by silence 3" in text
    assert "no attempt yet" in text
    none = words(serve(FakeShowable()).get("/deliveries").text)
    for said in ("Nobody is told", "There is none.", "every message was taken", "Nothing was measured yet",
                 "Nothing was taken yet"):  # fmt: skip
        assert said in none


def test_the_own_promise_signs_of_life_and_the_newest_receipts_are_there(serve: Serve) -> None:
    html = serve(deliveries()).get("/deliveries").text
    text = words(html)
    assert "checkout sentiment-latency 2 min 130 of 132 98.48% 1 missed" in text
    assert "heartbeat to checkout sentiment-latency 1m 12 taken, 1 failed, 2 held back" in text
    assert "never held back: no tick was judged for 3 min" in text
    assert "sentiment-latency checkout took a message by webhook, and answered: 204" in text
    assert 'href="/ledger?kind=delivery&amp;before=4#row-3"' in html


def test_of_one_contract_there_is_only_that(serve: Serve) -> None:
    where = serve(deliveries())
    text = words(where.get("/deliveries?contract=image-tags").text)
    assert ("nothing yet web" in text, "checkout" in text, "ping" in text) == (True, False, True)
    answer = where.get("/deliveries?contract=%00")
    assert (answer.status, "expected the name of a contract" in answer.text) == (400, True)


def test_a_hundred_at_most_are_shown(serve: Serve) -> None:
    daemon = deliveries()
    daemon.undelivered = [replace(letters()[nth % 2], row=nth + 1) for nth in range(220)]
    daemon.deliveries = [
        *(replace(daemon.deliveries[-2], contract=f"c{nth}") for nth in range(200)),
        *daemon.deliveries,
    ]
    daemon.told = [replace(each, contract=f"c{nth}") for nth in range(101) for each in daemon.told]
    text = words(serve(daemon).get("/deliveries").text)
    assert "5 more, which need no look before these" in text
    assert text.index("gave up") < text.index("fails") < text.index("nothing yet")
    assert "2 more: choose a contract." in text
    assert "10 more: keeptime outbox list --dead" in text
    assert "10 more: keeptime outbox list ." in text


def test_a_store_that_fails_is_said(serve: Serve) -> None:
    class Failing(FakeShowable):
        async def ledger(self, asked: LedgerQuery) -> list[LedgerRow]:
            raise StoreUnavailable(f"the disk is full at {asked.kind}")

        async def ledger_head(self) -> LedgerHead:
            raise StoreUnavailable("the disk is full")

    where = serve(Failing())
    for path in ("/ledger", "/deliveries"):
        answer = where.get(path)
        assert (answer.status, "the disk is full" in answer.text) == (503, True)
