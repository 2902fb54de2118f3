"""`/contracts/CONTRACT/OBJECTIVE`: one objective over a range of time: SLI, budget, latency, phases,
tiers, slow requests, incidents, deliveries.

Guarantees: what is drawn is what was counted; where nothing was lived through there is a gap, and rounding never
shows a missed target as met. Knows the daemon by `Showable` alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import Response

from keeptime.app.view import ContractView, Showable, Snapshot
from keeptime.contract.terms import Objective
from keeptime.model.exemplar import Exemplar, ExemplarQuery
from keeptime.model.incident import Dossier, Incident, IncidentQuery
from keeptime.model.key import SignalKey
from keeptime.model.series import PhaseSeries, Series, SketchSeries
from keeptime.model.trace import Why
from keeptime.model.verdict import Verdict
from keeptime.web.cards import WORDS, contract_card
from keeptime.web.pages.answered import Missing, framed, shown
from keeptime.web.pages.budget_chart import budget_chart, reach
from keeptime.web.pages.contract import view_of
from keeptime.web.pages.contract_text import text_of
from keeptime.web.pages.frame import rendered
from keeptime.web.pages.incident import told_row
from keeptime.web.pages.incidents import row
from keeptime.web.pages.past_charts import heat_chart, latency_chart, sli_chart, spans_of
from keeptime.web.pages.phase_chart import phase_chart
from keeptime.web.pages.slow import LOOKED_THROUGH, ORDERS, order_of, slow_rows
from keeptime.web.pages.tier_strips import strips_of
from keeptime.web.pages.when import When, when_of
from keeptime.web.segments import MOST_SEGMENTS

POINTS, FEWER, FINEST = 300, 120, 2000
"""Buckets of what is drawn, of phases, and of the counts that the budget's window is summed of."""
MOST_INCIDENTS, MOST_FOUND, MOST_TOLD = 100, 40, 5
"""Incidents that are drawn, those of them whose changes are, and those whose deliveries are listed."""


@dataclass(frozen=True, slots=True)
class Past:
    """What was found of the past."""

    counts: Series
    window: Series
    took: SketchSeries
    incidents: Sequence[Incident]
    dossiers: Sequence[Dossier]
    spent: PhaseSeries
    slow: Sequence[Exemplar]


@dataclass(slots=True)
class ObjectivePage:
    """The handler of the route."""

    daemon: Showable
    one_at_a_time: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(1))

    async def handle(self, request: Request) -> Response:
        return await shown(request, "/", lambda: self._page(request))

    async def _page(self, request: Request) -> str:
        snapshot = self.daemon.snapshot()
        view = view_of(snapshot, request.path_params["contract"])
        objective = objective_of(view, request.path_params["objective"])
        when = when_of(request.query_params, snapshot.at)
        order = order_of(request.query_params)
        past = await self._past(view, objective, when)
        return await to_thread.run_sync(
            html_of, snapshot, view, objective, when, past, order, limiter=self.one_at_a_time
        )

    async def _past(self, view: ContractView, objective: Objective, when: When) -> Past:
        key, of = view.contract.key(objective), self.daemon.past
        incidents = await self.daemon.happened.incidents(
            IncidentQuery(key.contract, key.objective, since=when.start, most=MOST_INCIDENTS)
        )
        within = [each for each in incidents if each.started < when.end]
        found = [await self.daemon.happened.incident(each.id) for each in within[:MOST_FOUND]]
        signal = SignalKey(key.contract, objective.of)
        return Past(
            await of.counts(key, when.start, when.end, POINTS),
            await of.counts(key, max(0.0, when.start - reach(objective)), when.end, FINEST),
            await of.latencies(signal, when.start, when.end, POINTS),
            within,
            [each for each in found if each is not None],
            await of.phases(key.contract, when.start, when.end, FEWER) if view.contract.probes else (),
            await self._slow(key.contract, when),
        )

    async def _slow(self, contract: str, when: When) -> list[Exemplar]:
        """Of each kind the newest."""
        asked = [
            ExemplarQuery(contract, when.start, when.end, why, LOOKED_THROUGH) for why in (Why.SLOW, Why.FAILED)
        ]
        return [one for each in asked for one in await self.daemon.explaining.exemplars(each)]


def objective_of(view: ContractView, name: str) -> Objective:
    """The objective, or segment, of this name. Raises Missing."""
    found = next((each for each in view.contract.objectives if each.name == name), None)
    if found is None:
        there = ", ".join(each.name for each in view.contract.objectives if not each.segment)
        raise Missing(f"{view.contract.name} has no objective '{name[:100]}'. There are: {there}")
    return found


def verdict_of(view: ContractView, objective: Objective) -> Verdict | None:
    return next(
        (
            verdict
            for each, verdict in zip(view.contract.objectives, view.verdicts, strict=True)
            if each is objective
        ),
        None,
    )


def html_of(
    snapshot: Snapshot, view: ContractView, objective: Objective, when: When, past: Past, order: str
) -> str:
    """The page."""
    second, verdict = snapshot.tick_seconds, verdict_of(view, objective)
    found = [each.incident for each in past.dossiers]
    card = contract_card(view, snapshot)
    whole = objective.segment_of or objective.name
    return rendered(
        "objective.html",
        framed(f"{objective.name}, {view.contract.name}", "/", when, snapshot),
        card=card,
        of=[each for each in card.objectives if each.name == whole],
        name=objective.name,
        segment=objective.name != whole,
        words=WORDS,
        most_segments=MOST_SEGMENTS,
        when=when,
        sli=sli_chart(objective, past.counts, when, second),
        budget=budget_chart(objective, past.window, when, second, verdict),
        latency=latency_chart(objective, past.took, when, second),
        heat=heat_chart(objective, past.took, when, second),
        strips=strips_of(verdict, found, past.counts, when, second),
        unread=len(past.incidents) - len(found),
        probed=bool(view.contract.probes),
        phases=phase_chart(past.spent, when, second),
        slow=slow_rows(objective, past.slow, past.incidents, order, when),
        orders=[(each, when.query(requests=each), each == order) for each in ORDERS],
        spans=spans_of(past.incidents, when),
        incidents=[row(each, when) for each in past.incidents],
        told=[told_row(each, when) for dossier in past.dossiers[:MOST_TOLD] for each in dossier.told],
        text=text_of(view),
    )
