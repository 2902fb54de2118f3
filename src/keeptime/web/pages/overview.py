"""`/`: every contract and objective at one look, what needs one first.

Guarantees: decides nothing (the judge's condition and reason are shown as they are); every objective can be found,
however many there are: chosen by condition, by text, page by page. Knows the daemon by `Showable` alone.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from keeptime.app.daily import Daily
from keeptime.app.view import ContractView, Showable, Snapshot
from keeptime.contract.terms import Objective
from keeptime.errors import StoreError
from keeptime.model.incident import Incident
from keeptime.model.verdict import Condition, Verdict
from keeptime.web.cards import WAITING, WORDS, WORST_FIRST, ObjectiveCard, objective_card
from keeptime.web.charts.spark import NOTHING, Spark, spark_of
from keeptime.web.pages.answered import drawn, framed, shown
from keeptime.web.pages.incidents import Row as IncidentRow
from keeptime.web.pages.incidents import row as incident_row
from keeptime.web.pages.when import When, when_in
from keeptime.web.posted import Refused

HERE = "/"
PAGE = 100
"""Objectives of one page."""
FEW = 12
"""Of so many or fewer each says its reason; of more, those that are not ok."""
LATELY = 5
"""Incidents that are shown."""
MOST_TEXT = 100
DAY = 86_400


@dataclass(frozen=True, slots=True)
class Row:
    """One objective. `why`: its reason, where there is room or need; `urgency`: "page", "ticket" or ""."""

    contract: str
    model: str
    card: ObjectiveCard
    link: str
    why: str
    spark: Spark
    lasts: str


@dataclass(frozen=True, slots=True)
class _Known:
    """An objective with its verdict, before it is shown. `left`: the part of its budget that is left."""

    view: ContractView
    objective: Objective
    verdict: Verdict | None

    @property
    def condition(self) -> str:
        return WAITING if self.verdict is None else self.verdict.condition.value

    @property
    def left(self) -> float:
        budget = None if self.verdict is None else self.verdict.budget
        return 1.0 if budget is None or budget.total <= 0 else budget.left / budget.total


@dataclass(frozen=True, slots=True)
class OverviewPage:
    """The handler of the route."""

    daemon: Showable

    async def handle(self, request: Request) -> Response:
        return await shown(request, HERE, lambda: self._page(request))

    async def _page(self, request: Request) -> str:
        given, snapshot = request.query_params, self.daemon.snapshot()
        when, text, condition, page = when_in(given, snapshot.at), _text(given), _condition(given), _number(given)
        everyone = list(_all(snapshot))
        found = sorted(_chosen(everyone, text, condition), key=_worst_first)
        daily = await self._daily(snapshot.at)
        newest = await self.daemon.happened.newest()
        tally = Counter(each.condition for each in everyone if not each.objective.internal)
        rows = found[(page - 1) * PAGE : page * PAGE]
        few = len(found) <= FEW
        kept = {"q": text, "condition": condition}
        return await drawn(
            "overview.html",
            framed(_title(tally), HERE, when, snapshot),
            rows=[_row(each, snapshot, daily, few) for each in rows],
            tally=[
                (each, WORDS[each], tally[each], _link(when, condition=each)) for each in WORST_FIRST if tally[each]
            ],
            words=WORDS,
            conditions=WORST_FIRST,
            text=text,
            condition=condition,
            found=len(found),
            total=len(everyone),
            when=when,
            kept=kept,
            before=_link(when, **kept, page=str(page - 1) if page > 2 else "") if page > 1 else "",
            after=_link(when, **kept, page=str(page + 1)) if len(found) > page * PAGE else "",
            page=page,
            incidents=_lately(newest, when),
            reload_error=snapshot.reload_error,
            problems=snapshot.health.problems,
        )

    async def _daily(self, now: float) -> Daily:
        """What cannot be read is not drawn."""
        try:
            return await self.daemon.past.daily(now)
        except StoreError:
            return {}


def _all(snapshot: Snapshot) -> Iterator[_Known]:
    for view in snapshot.contracts:
        for objective, verdict in zip(view.contract.objectives, view.verdicts, strict=True):
            if not objective.segment:
                yield _Known(view, objective, verdict)


def _chosen(found: list[_Known], text: str, condition: str) -> Iterator[_Known]:
    wanted = text.lower()
    for each in found:
        contract = each.view.contract
        words = f"{contract.name} {each.objective.name} {contract.model} {contract.provider}".lower()
        if (not wanted or wanted in words) and condition in ("", each.condition):
            yield each


def _worst_first(one: _Known) -> tuple[int, float, str, str]:
    return WORST_FIRST.index(one.condition), one.left, one.view.contract.name, one.objective.name


def _row(one: _Known, snapshot: Snapshot, daily: Daily, few: bool) -> Row:
    contract = one.view.contract
    card = objective_card(one.objective, one.verdict, snapshot)
    days = daily.get(contract.key(one.objective))
    spark = spark_of(days, int(snapshot.at // DAY), one.objective.target) if days else NOTHING
    link = f"/contracts/{quote(contract.name, safe='')}/{quote(one.objective.name, safe='')}"
    needed = few or card.condition not in ("ok", WAITING)
    return Row(contract.name, contract.model, card, link, card.reason if needed else "", spark, _lasts(one, card))


def _lasts(one: _Known, card: ObjectiveCard) -> str:
    """How long the budget lasts at this pace, where there is any."""
    if not card.budget or one.condition == Condition.NO_DATA.value:
        return ""
    if one.left <= 0:
        return "gone"
    return f"gone in {card.runs_out}" if card.runs_out else "lasts at this pace"


def _lately(newest: Sequence[Incident], when: When) -> list[IncidentRow]:
    found = sorted(newest, key=lambda each: -each.started)
    return [incident_row(each, when) for each in found[:LATELY]]


def _title(tally: Counter[str]) -> str:
    worst = next((each for each in WORST_FIRST if tally[each]), None)
    if worst is None:
        return "no contracts"
    return "all ok" if worst == "ok" else f"{tally[worst]} {WORDS[worst]}"


def _text(given: Mapping[str, str]) -> str:
    text = given.get("q", "").strip()
    if len(text) > MOST_TEXT:
        raise Refused(f"q: {len(text)} characters; expected {MOST_TEXT} at most")
    return text


def _condition(given: Mapping[str, str]) -> str:
    asked = given.get("condition", "")
    if asked not in ("", *WORST_FIRST):
        raise Refused(f"condition={asked}: expected one of {', '.join(WORST_FIRST)}")
    return asked


def _number(given: Mapping[str, str]) -> int:
    text = given.get("page", "1")
    if not (text.isascii() and text.isdigit() and len(text) < 6 and int(text)):
        raise Refused(f"page={text}: expected 1 or more")
    return int(text)


def _link(when: When, **given: str) -> str:
    return HERE + when.carried(**given)
