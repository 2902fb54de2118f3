"""`/contracts/CONTRACT/OBJECTIVE`: one objective over a range of time: SLI, budget, latency, incidents, deliveries.

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
from keeptime.model.incident import Dossier, Incident, IncidentQuery
from keeptime.model.key import SignalKey
from keeptime.model.series import Series, SketchSeries
from keeptime.web.cards import WORDS, contract_card
from keeptime.web.pages.answered import Missing, framed, shown
from keeptime.web.pages.contract import view_of
from keeptime.web.pages.contract_text import text_of
from keeptime.web.pages.frame import rendered
from keeptime.web.pages.incident import told_row
from keeptime.web.pages.incidents import row
from keeptime.web.pages.past_charts import budget_chart, heat_chart, latency_chart, reach, sli_chart, spans_of
from keeptime.web.pages.when import When, when_of
from keeptime.web.segments import MOST_SEGMENTS

POINTS, FINEST = 300, 2000
"""Buckets of what is drawn, and of the counts that the budget's window is summed of."""
MOST_INCIDENTS, MOST_TOLD = 100, 5
"""Incidents that are drawn, and those of them whose deliveries are listed."""


@dataclass(frozen=True, slots=True)
class Past:
    """What was found of the past."""

    counts: Series
    window: Series
    took: SketchSeries
    incidents: Sequence[Incident]
    dossiers: Sequence[Dossier]


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
        past = await self._past(view, objective, when)
        return await to_thread.run_sync(html_of, snapshot, view, objective, when, past, limiter=self.one_at_a_time)

    async def _past(self, view: ContractView, objective: Objective, when: When) -> Past:
        key, of = view.contract.key(objective), self.daemon.past
        incidents = await self.daemon.happened.incidents(
            IncidentQuery(key.contract, key.objective, since=when.start, most=MOST_INCIDENTS)
        )
        within = [each for each in incidents if each.started < when.end]
        found = [await self.daemon.happened.incident(each.id) for each in within[:MOST_TOLD]]
        signal = SignalKey(key.contract, objective.of)
        return Past(
            await of.counts(key, when.start, when.end, POINTS),
            await of.counts(key, max(0.0, when.start - reach(objective)), when.end, FINEST),
            await of.latencies(signal, when.start, when.end, POINTS),
            within,
            [each for each in found if each is not None],
        )


def objective_of(view: ContractView, name: str) -> Objective:
    """The objective, or segment, of this name. Raises Missing."""
    found = next((each for each in view.contract.objectives if each.name == name), None)
    if found is None:
        there = ", ".join(each.name for each in view.contract.objectives if not each.segment)
        raise Missing(f"{view.contract.name} has no objective '{name[:100]}'. There are: {there}")
    return found


def html_of(snapshot: Snapshot, view: ContractView, objective: Objective, when: When, past: Past) -> str:
    """The page."""
    second = snapshot.tick_seconds
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
        budget=budget_chart(objective, past.window, when, second),
        latency=latency_chart(objective, past.took, when, second),
        heat=heat_chart(objective, past.took, when, second),
        spans=spans_of(past.incidents, when),
        incidents=[row(each, when) for each in past.incidents],
        told=[told_row(each, when) for dossier in past.dossiers for each in dossier.told],
        text=text_of(view),
    )
