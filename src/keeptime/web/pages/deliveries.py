"""`/deliveries`: how delivering stands with each receiver, what waits, what was given up, what was taken lately.

Guarantees: no URL of a receiver beyond its host and no secret is shown; figures are counts as they are. Knows the
daemon by `Showable` alone.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from keeptime.app.view import DeliveryView, Showable, SignView, Snapshot
from keeptime.model.alert import Letter
from keeptime.model.compliance import Compliance
from keeptime.model.ledger import LedgerKind, LedgerQuery, LedgerRow
from keeptime.tell.own_promise import Told
from keeptime.units import format_duration, speak_duration
from keeptime.web.cards import WORST_FIRST
from keeptime.web.describe import shown_receiver
from keeptime.web.figures import shown_age
from keeptime.web.ledger import query_of
from keeptime.web.pages.answered import drawn, framed, shown
from keeptime.web.pages.ledger_words import sentence
from keeptime.web.pages.moments import Moment, maybe, moment
from keeptime.web.pages.when import When, when_in
from keeptime.web.posted import Refused

HERE = "/deliveries"
SHOWN = 100
"""Undelivered messages of either kind that are shown, the oldest."""
RECEIPTS = 30
MOST = 200
"""Receivers and audiences that are shown, those that need a look first."""


@dataclass(frozen=True, slots=True)
class ReceiverRow:
    """`mark`: as of a condition; `word`: how it stands."""

    contract: str
    audience: str
    receiver: str
    mark: str
    word: str
    delivered: int
    failed: int
    waiting: str
    muted: int
    dead: int
    error: str
    passed_on: int


@dataclass(frozen=True, slots=True)
class LetterRow:
    """`next`: when it is tried again, or None. `muted`: the silence that holds it back, or None."""

    row: int
    contract: str
    objective: str
    audience: str
    receiver: str
    topic: str
    created: Moment
    attempts: int
    next: Moment | None
    since: Moment | None
    error: str
    muted: int | None


@dataclass(frozen=True, slots=True)
class PromiseRow:
    """keeptime's own promise to one audience."""

    contract: str
    audience: str
    within: str
    in_time: int
    total: int
    waiting: int
    share: str
    compliance: str


@dataclass(frozen=True, slots=True)
class SignRow:
    what: str
    of: str
    every: str
    taken: str
    last: Moment | None
    trouble: str


@dataclass(frozen=True, slots=True)
class DeliveriesPage:
    """The handler of the route."""

    daemon: Showable

    async def handle(self, request: Request) -> Response:
        return await shown(request, HERE, lambda: self._page(request))

    async def _page(self, request: Request) -> str:
        name, snapshot = request.query_params.get("contract", ""), self.daemon.snapshot()
        when = when_in(request.query_params, snapshot.at)
        asked = receipts_of(name)
        receivers = [_receiver(each, snapshot) for each in snapshot.deliveries if name in ("", each.contract)]
        receivers.sort(key=lambda each: WORST_FIRST.index(each.mark))
        promises = [_promise(each) for each in snapshot.told if name in ("", each.contract)]
        promises.sort(key=lambda each: each.compliance != Compliance.MISSED)
        letters = [each for each in await self.daemon.letters(dead=False) if name in ("", each.contract)]
        dead = [each for each in letters if each.dead is not None]
        waiting = [each for each in letters if each.dead is None]
        taken = await self.daemon.ledger(asked)
        return await drawn(
            "deliveries.html",
            framed("Deliveries", HERE, when, snapshot),
            contract=name,
            contracts=[each.contract.name for each in snapshot.contracts],
            when=when,
            kept={"contract": name},
            receivers=receivers[:MOST],
            more_receivers=max(0, len(receivers) - MOST),
            promises=promises[:MOST],
            more_promises=max(0, len(promises) - MOST),
            signs=[_sign(each, when) for each in snapshot.signs if not name or name in each.contracts],
            waiting=[_letter(each, when) for each in waiting[:SHOWN]],
            more_waiting=max(0, len(waiting) - SHOWN),
            dead=[_letter(each, when) for each in dead[:SHOWN]],
            more_dead=max(0, len(dead) - SHOWN),
            receipts=list(_receipts(taken, when)),
        )


def receipts_of(contract: str) -> LedgerQuery:
    """The newest deliveries, of this contract ("": of all). Raises Refused where that can be no contract."""
    try:
        return query_of({"kind": LedgerKind.DELIVERY, **({"contract": contract} if contract else {})}, RECEIPTS)
    except ValueError as error:
        raise Refused(str(error)) from None


def _receiver(view: DeliveryView, snapshot: Snapshot) -> ReceiverRow:
    mark, word = _standing(view)
    age = f", oldest for {shown_age(view.oldest_waiting_seconds)}" if view.waiting else ""
    return ReceiverRow(
        contract=view.contract,
        audience=view.audience,
        receiver=shown_receiver(view.address).rstrip(":"),
        mark=mark,
        word=word,
        delivered=view.delivered,
        failed=view.failed_attempts,
        waiting=f"{view.waiting:,}{age}",
        muted=view.muted,
        dead=view.dead_letters,
        error=view.last_error if view.waiting and view.last_error else view.dead_reason,
        passed_on=snapshot.passed_on.get((view.contract, view.audience), 0),
    )


def _standing(view: DeliveryView) -> tuple[str, str]:
    """The worst that is so."""
    if view.dead_letters:
        return "broken", "gave up"
    if view.waiting and view.last_error:
        return "at_risk", "fails"
    if view.waiting:
        return "waiting", "waits"
    return ("ok", "takes") if view.delivered else ("no_data", "nothing yet")


def _letter(one: Letter, when: When) -> LetterRow:
    waits = one.dead is None and one.muted is None
    return LetterRow(
        row=one.row,
        contract=one.contract,
        objective=one.objective,
        audience=one.address.audience,
        receiver=shown_receiver(f"{one.address.kind}:{one.address.target}").rstrip(":"),
        topic=one.topic.value.replace("_", " "),
        created=moment(when, one.created),
        attempts=one.attempts,
        next=moment(when, one.next_try) if waits else None,
        since=maybe(when, one.dead),
        error=one.error,
        muted=one.muted,
    )


def _promise(one: Told) -> PromiseRow:
    share = "–" if one.share is None else f"{int(one.share * 10_000) / 100:.2f}%"
    total = one.in_time + one.late
    return PromiseRow(
        one.contract, one.audience, speak_duration(one.within), one.in_time, total, one.waiting, share,
        one.compliance,
    )  # fmt: skip


def _sign(one: SignView, when: When) -> SignRow:
    what = f"heartbeat to {one.audience}" if one.kind == "heartbeat" else one.kind
    held = f", {one.held:,} held back" if one.held else ""
    taken = f"{one.taken:,} taken, {one.failed:,} failed{held}"
    return SignRow(
        what, ", ".join(one.contracts), format_duration(one.every), taken, maybe(when, one.taken_at), one.trouble
    )


def _receipts(rows: Sequence[LedgerRow], when: When) -> Iterator[tuple[int, Moment, str, str]]:
    """Row of the ledger, when, contract and what was answered, newest first."""
    for each in reversed(rows):
        yield each.seq, moment(when, each.at), each.contract, sentence(each)
