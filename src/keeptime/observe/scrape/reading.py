"""One server's metrics looked at once or twice, by hand: what is there, and what it has counted.

Guarantees: what a page says is read as `run` would read it. Knows nothing of objectives.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import aiohttp

from keeptime.contract.presets.preset import Kind, Metric, Preset
from keeptime.contract.presets.proposing import Seen
from keeptime.contract.traffic.scrape import Scrape
from keeptime.model.batch import Batch
from keeptime.model.key import Signal
from keeptime.observe.scrape.fetching import Fetched, Format, fetch
from keeptime.observe.scrape.growing import Asked, Growing, Grown
from keeptime.observe.scrape.page import Page, wanted_of
from keeptime.observe.scrape.text import TextPages

TEXT = "application/openmetrics-text;version=1.0.0;q=0.8,text/plain;version=0.0.4;q=0.9"
MODEL = "model"
"""The attribute that names a model."""
SECOND = 1_000_000_000
_SAMPLE = re.compile(r"^([a-zA-Z_:][a-zA-Z0-9_:]*)[{ ]", re.MULTILINE)
_SUFFIX = re.compile(r"_(bucket|count|sum|created)$")


@dataclass(frozen=True, slots=True)
class Tallied:
    """Of one signal. `models`: the models that the metrics name."""

    seen: Seen
    models: frozenset[str]


Counted = Mapping[Signal, Tallied]


class Reading:
    """The pages of one server, oldest first."""

    def __init__(self, scrape: Scrape) -> None:
        self._scrape = replace(scrape, headers={"Accept": TEXT, **scrape.headers})
        self._pages: list[Fetched] = []
        self.refused: Sequence[str] = ()
        """What of the last page that was counted could not be read, and where; the first ones."""

    async def look(self, session: aiohttp.ClientSession) -> Sequence[str]:
        """Read the page once more; the names that stand on it. Raises SourceError."""
        fetched = await fetch(session, self._scrape)
        self._pages.append(fetched)
        return names_on(fetched.body)

    def total(self, preset: Preset) -> Counted:
        """All since the server began, as of the last look. Raises SourceError."""
        return self._count(preset, self._pages[-1:])

    def recent(self, preset: Preset) -> Counted:
        """What came between the last two looks. Raises SourceError."""
        return self._count(preset, self._pages[-2:])

    def _count(self, preset: Preset, looks: Sequence[Fetched]) -> Counted:
        """What came with the last of these looks; before the first of them there was nothing."""
        metrics = tuple(each for each in preset.metrics if each.kind is not Kind.GAUGE)
        pages = TextPages(wanted_of(metrics))
        growing = Growing(Asked("init", "scrape", metrics, preset.attributes, self._scrape.selector))
        growing.advance(Page(), 0, {})
        grown, page = Grown([], [], []), Page()
        for nth, each in enumerate(looks, 1):
            page = pages.read(each.body, openmetrics=each.format is Format.OPENMETRICS)
            grown = growing.advance(page, nth * SECOND, {})
        self.refused = [*map(str, page.refused), *map(str, grown.refused)]
        return {each.signal: _tallied(each, page, grown.batches) for each in metrics}


def names_on(body: bytes) -> Sequence[str]:
    """The names of a page's metrics, of histograms also without their suffix."""
    names = dict.fromkeys(_SAMPLE.findall(body.decode("utf-8", "replace")))
    return list(names | dict.fromkeys(_SUFFIX.sub("", each) for each in names))


def _tallied(metric: Metric, page: Page, batches: Sequence[Batch]) -> Tallied:
    own = [each for each in batches if each.signal is metric.signal]
    spans: dict[tuple[float, float], int] = {}
    for each in own:
        for span in each.spans:
            spans[span.low, span.high] = spans.get((span.low, span.high), 0) + span.count
    seen = Seen(sum(each.count for each in own), sum(each.failed for each in own), spans, _bounds(metric, page))
    return Tallied(seen, frozenset(each.attributes[MODEL] for each in own if MODEL in each.attributes))


def _bounds(metric: Metric, page: Page) -> tuple[float, ...]:
    """In seconds; those that every series has."""
    points = next((found for name in metric.names if (found := page.points.get(name))), [])
    shared = set.intersection(*[set(each.bounds) for each in points]) if points else set()
    return tuple(sorted(each / metric.unit.per_second for each in shared if each > 0))
