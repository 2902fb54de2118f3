"""One server that is scraped for one contract: a page read and counted, and how that goes.

Guarantees: a read that fails counts nothing, and what was counted there meanwhile comes with the read that
succeeds; its reason is told once. Parsing runs in a thread of its own, never in the event loop.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

import aiohttp

from keeptime.contract.presets.preset import Kind
from keeptime.contract.terms import Contract
from keeptime.contract.traffic.scrape import Scrape
from keeptime.errors import SourceCapped, SourceError, blame
from keeptime.model.batch import Batch
from keeptime.model.key import Signal
from keeptime.model.latency import Latency
from keeptime.model.traffic import TrafficView
from keeptime.observe.scrape.fetching import Fetched, Format, fetch
from keeptime.observe.scrape.growing import Asked, Growing, Grown
from keeptime.observe.scrape.lasting import LastHour
from keeptime.observe.scrape.page import Page, wanted_of
from keeptime.observe.scrape.protobuf import ProtobufPages
from keeptime.observe.scrape.text import TextPages
from keeptime.units import format_duration

log = logging.getLogger(__name__)

STALE = 3
"""So many times `every` without a successful read, and nothing is known of the server any more."""

Put = Callable[[Batch], None]


@dataclass(slots=True)
class _Going:
    """`since`: Unix seconds of when it began; `at`: of the last successful read; `problem`: of the last one."""

    since: float
    at: float | None = None
    problem: str = ""
    requests: int = 0
    results: dict[str, int] = field(default_factory=lambda: {"ok": 0, "failed": 0, "malformed": 0, "capped": 0})


class Target:
    """`contract` may be changed while it goes on, as long as `scrape` stays. `now`: Unix seconds."""

    def __init__(self, contract: Contract, scrape: Scrape, put: Put, now: float) -> None:
        self.contract, self.scrape = contract, scrape
        preset = scrape.definition
        metrics = tuple(each for each in preset.metrics if each.kind is not Kind.GAUGE)
        wanted = wanted_of(metrics)
        self._text, self._protobuf = TextPages(wanted), ProtobufPages(wanted)
        self._growing = Growing(Asked(contract.name, scrape.kind, metrics, preset.attributes, scrape.selector))
        self._shown = next((each.signal for each in metrics), Signal.REQUESTS)
        self._title, self._put, self._going, self._hour = preset.title, put, _Going(now), LastHour()

    def is_for(self, contract: Contract, scrape: Scrape) -> bool:
        """Is it the same that is asked for?"""
        return self.contract.name == contract.name and self.scrape == scrape

    async def read(self, session: aiohttp.ClientSession, at_ns: int) -> None:
        """Read once, as of `at_ns` (Unix nanoseconds)."""
        try:
            fetched = await fetch(session, self.scrape)
            page, grown = await asyncio.to_thread(self._count, fetched, at_ns)
        except SourceError as error:
            self._failed(str(error), "capped" if isinstance(error, SourceCapped) else "failed")
            return
        except Exception as error:
            log.exception("a bug of keeptime: %s cannot be scraped", self.contract.name)
            self._failed(f"a bug of keeptime: {blame(error)}", "failed")
            return
        self._took(page, grown, at_ns)

    def view(self, now: float) -> TrafficView:
        """How it goes; `now`: Unix seconds."""
        going, problem = self._going, self._going.problem
        silent = now - (going.since if going.at is None else going.at)
        if silent > STALE * self.scrape.every:
            problem = f"nothing was read for {silent:.0f} s{': ' if problem else ''}{problem}"
        return TrafficView(
            self.scrape.kind, self.scrape.said, dict(going.results), going.requests, problem, going.at
        )

    def latency(self, at: float) -> Latency | None:
        """Percentiles of requests in classic histograms, of the hour before `at` (Unix seconds)."""
        return self._hour.latency(at)

    def _count(self, fetched: Fetched, at_ns: int) -> tuple[Page, Grown]:
        if fetched.format is Format.PROTOBUF:
            page = self._protobuf.read(fetched.body)
        else:
            page = self._text.read(fetched.body, openmetrics=fetched.format is Format.OPENMETRICS)
        thresholds: dict[Signal, list[float]] = {}
        for each in self.contract.objectives:
            if each.under is not None:
                thresholds.setdefault(each.of, []).append(each.under)
        return page, self._growing.advance(page, at_ns, thresholds)

    def _took(self, page: Page, grown: Grown, at_ns: int) -> None:
        for batch in grown.batches:
            self._put(batch)
            if batch.signal is self._shown:
                self._going.requests += batch.count
            if batch.signal is Signal.REQUESTS and batch.sketch is None:
                self._hour.add({(each.low, each.high): each.count for each in batch.spans}, at_ns / 1e9)
        results = self._going.results
        results["ok"] += 1
        results["malformed"] += page.refusals + sum(each.why == "malformed" for each in grown.refused)
        results["capped"] += sum(each.why == "capped" for each in grown.refused)
        self._going.at = at_ns / 1e9
        self._say(self._wrong(page, grown))

    def _wrong(self, page: Page, grown: Grown) -> str:
        """What there is to say of a page that was read."""
        refused = page.refusals + len(grown.refused)
        if refused:
            first = str(page.refused[0] if page.refused else grown.refused[0])
            return f"{first}{f' (and {refused - 1} more)' if refused > 1 else ''}"
        if grown.blind:
            said = ", ".join(format_duration(each) for each in sorted(grown.blind))
            return f"the server's own bucket bounds do not enclose the threshold {said}, so nothing is known at it"
        if grown.missing and not page.points:
            name = grown.missing[0].names[0]
            return f"the page has no {name}: there was no request yet, or this is not {self._title}"
        return ""

    def _failed(self, why: str, result: str) -> None:
        self._going.results[result] += 1
        self._say(why)

    def _say(self, problem: str) -> None:
        if problem and problem != self._going.problem:
            log.warning("%s: scraping %s: %s", self.contract.name, self.scrape.said, problem)
        elif self._going.problem and not problem:
            log.info("%s: scraping %s goes well again", self.contract.name, self.scrape.said)
        self._going.problem = problem
