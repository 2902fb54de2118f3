"""`/contracts/NAME`: one contract, what was promised in it and how it stands, what it can detect, and what it says.

Guarantees: the conditions and reasons are the judge's, and the figures of what can be detected are those of
`keeptime check`; no secret is shown. Knows the daemon by `Showable` alone.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import Response

from keeptime.app.periods import PeriodView
from keeptime.app.view import ContractView, Showable, Snapshot
from keeptime.contract.maintenance import SECOND, upcoming
from keeptime.contract.scope import Exclude, Maintenance, Where
from keeptime.model.version import VersionUse
from keeptime.units import format_duration
from keeptime.web.cards import WORDS, contract_card
from keeptime.web.happened import Rows, incident_rows
from keeptime.web.pages.answered import Missing, framed, shown
from keeptime.web.pages.contract_text import text_of
from keeptime.web.pages.detecting import Detecting, Found
from keeptime.web.pages.frame import rendered
from keeptime.web.pages.moments import Moment, maybe, moment
from keeptime.web.pages.periods import period_rows
from keeptime.web.pages.when import When, when_of
from keeptime.web.segments import MOST_SEGMENTS

OCCURRENCES = 3
"""So many of each maintenance window are shown."""
MOST_VERSIONS = 50
"""So many uses of versions, the newest."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Requests that do not count. `of`: one objective, or "" for all; `which`: in words; `author`: "" of none."""

    of: str
    which: str
    reason: str
    author: str
    counted: int


@dataclass(frozen=True, slots=True)
class WindowRow:
    """A maintenance window and when it comes next."""

    reason: str
    author: str
    of: str
    lasts: str
    zone: str
    starts: tuple[Moment, ...]


@dataclass(frozen=True, slots=True)
class VersionRow:
    """`until`: None while it is in force."""

    version: str
    file: str
    since: Moment
    until: Moment | None


@dataclass(slots=True)
class ContractPage:
    """The handler of the route."""

    daemon: Showable
    detecting: Detecting = field(default_factory=Detecting)
    one_at_a_time: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(1))

    async def handle(self, request: Request) -> Response:
        return await shown(request, "/", lambda: self._page(request))

    async def _page(self, request: Request) -> str:
        name = request.path_params["contract"]
        await self.daemon.look()
        snapshot = self.daemon.snapshot()
        when = when_of(request.query_params, snapshot.at)
        view = view_of(snapshot, name)
        found = await self.detecting.of(view, snapshot.tick_seconds)
        uses = await self.daemon.versions(name)
        newest = incident_rows(await self.daemon.happened.newest(), snapshot.at)
        periods = await self.daemon.periods(name)
        given = (snapshot, view, when, found, uses, newest, periods)
        return await to_thread.run_sync(html_of, *given, limiter=self.one_at_a_time)


def view_of(snapshot: Snapshot, name: str) -> ContractView:
    """The contract of this name. Raises Missing."""
    found = next((each for each in snapshot.contracts if each.contract.name == name), None)
    if found is None:
        there = ", ".join(each.contract.name for each in snapshot.contracts[:20]) or "none"
        raise Missing(f"No contract '{name[:100]}' is kept. There are: {there}")
    return found


def html_of(
    snapshot: Snapshot,
    view: ContractView,
    when: When,
    found: Found = Found(),  # noqa: B008 - frozen
    uses: Sequence[VersionUse] = (),
    incidents: Rows | None = None,
    periods: Sequence[PeriodView] = (),
) -> str:
    """The page."""
    contract, card = view.contract, contract_card(view, snapshot)
    return rendered(
        "contract.html",
        framed(contract.name, "/", when, snapshot),
        card=card,
        words=WORDS,
        most_segments=MOST_SEGMENTS,
        incidents=incidents or {},
        reload_error=snapshot.reload_error,
        detects=found.objectives,
        pace=found.pace,
        left_out=tuple(left_out(view)),
        windows=tuple(window_row(each, when) for each in (*contract.maintenance, *contract.ordered)),
        versions=tuple(version_row(each, when) for each in uses[:MOST_VERSIONS]),
        periods=period_rows(contract.name, periods),
        version=contract.version,
        file=contract.file,
        text=text_of(view),
        when=when,
    )


def left_out(view: ContractView) -> Iterator[LeftOut]:
    """What the terms leave out, and how many requests since keeptime started that has been."""
    counts: dict[tuple[str, str], int] = {}
    for found in view.exclusions:
        for why, count in found.items():
            counts[why.reason, why.author] = max(count, counts.get((why.reason, why.author), 0))
    own = [(each, one.name) for one in view.contract.objectives if not one.segment for each in one.exclude]
    for each, of in [*((each, "") for each in view.contract.exclude), *own]:
        yield LeftOut(of, _which(each), each.reason, each.author, counts.get((each.reason, each.author), 0))
    for one in view.contract.objectives:
        if one.errors == "excluded" and not one.segment:
            yield LeftOut(one.name, "every failed request", "the contract says errors: excluded", "", 0)


def _which(one: Exclude) -> str:
    parts = [f"status {low}" if low == high else f"status {low} to {high}" for low, high in one.status]
    parts += [f"failure {one.failure.value}"] if one.failure is not None else []
    return ", ".join([*parts, *_wanted(one.where)]) or "every request"


def _wanted(where: Where) -> Iterator[str]:
    for each in where:
        yield f"{each.attribute} {' or '.join(map(str, each.any_of))}"


def window_row(window: Maintenance, when: When) -> WindowRow:
    spans = upcoming(window, round(when.now * SECOND), OCCURRENCES)
    return WindowRow(
        reason=window.reason,
        author=window.author,
        of=", ".join(window.objectives),
        lasts=format_duration(window.lasts),
        zone=window.timezone,
        starts=tuple(moment(when, start / SECOND) for start, _ in spans),
    )


def version_row(use: VersionUse, when: When) -> VersionRow:
    return VersionRow(use.of.version, use.of.file, moment(when, use.since), maybe(when, use.until))
