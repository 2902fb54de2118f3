"""Targets, windows and queries of other tools, in the contract's language.

Guarantees: nothing is rounded and nothing guessed; what cannot be said is an error at its own place. Knows the
words of no particular tool.
"""

import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from fractions import Fraction
from pathlib import Path

from keeptime.contract.document import LINK
from keeptime.contract.given import Terms
from keeptime.contract.importing.fields import Fields
from keeptime.contract.importing.found import Context
from keeptime.contract.importing.measuring import Measured, measure
from keeptime.contract.importing.sums import Query, Unsayable, read, read_ratio
from keeptime.contract.kinds import DOTTED_PATTERN
from keeptime.contract.nodes import Place, Scalar
from keeptime.contract.report import Report, Spoiled, quote
from keeptime.contract.sources import Unit
from keeptime.contract.starter import label
from keeptime.contract.written import counts
from keeptime.contract.written_figures import duration, percent
from keeptime.units import format_duration

NUMBER = re.compile(r"\d{1,10}(\.\d{1,18})?")
MOST_LINKS = 20
THEIRS = "burn-rate"
"""The policy of what is imported: the alerts that those tools make of an SLO."""
LONGEST_WINDOW = 366 * 86_400
SHORTEST_WINDOW = 10


def target(given: Scalar, whole: int, report: Report, what: str) -> str:
    """A percentage of a number out of `whole` (1 or 100). Raises Spoiled."""
    if NUMBER.fullmatch(given.text):
        ratio = Fraction(given.text) / whole
        if 0 < ratio < 1:
            return percent(ratio)
    message = f"{what}: {quote(given.text)} is no target; expected a number above 0 and below {whole}"
    raise report.spoil(given.place, "bad-target", message)


def window(given: Scalar, sizes: Mapping[str, int], report: Report, what: str) -> str:
    """A rolling window from numbers with units; `sizes`: seconds by unit. Raises Spoiled."""
    parts = re.findall(r"(\d+)([a-zA-Z]+)", given.text)
    if re.fullmatch(r"(\d{1,9}[a-zA-Z]{1,2})+", given.text) and all(unit in sizes for _, unit in parts):
        seconds = sum(int(number) * sizes[unit] for number, unit in parts)
        if SHORTEST_WINDOW <= seconds <= LONGEST_WINDOW:
            return format_duration(seconds)
    units = ", ".join(sizes)
    message = f"{what}: {quote(given.text)} is no window; expected 10s to 366d, with {units}, such as 28d"
    raise report.spoil(given.place, "bad-window", message)


def objective_name(text: str) -> str:
    """A valid name of an objective."""
    return text if re.fullmatch(DOTTED_PATTERN, text) else label(text)


class Queries:
    """Reads the queries of one SLI; what is odd about them is reported at `place`."""

    def __init__(self, report: Report, what: str, place: Place) -> None:
        self._report, self._what, self._place = report, what, place

    def read(self, given: Scalar, what: str) -> Query:
        """Raises Spoiled where a query cannot be said."""
        try:
            query = read(given.text)
        except Unsayable as why:
            raise self.unsayable(given.place, what, why) from None
        self._note(query, given.place, what)
        return query

    def ratio(self, given: Scalar, what: str) -> tuple[Query, Query, bool]:
        try:
            over, under, inverted = read_ratio(given.text)
        except Unsayable as why:
            raise self.unsayable(given.place, what, why) from None
        self._note(over, given.place, what)
        return over, under, inverted

    def measured(self, good: Query, total: Query, assumed: Unit | None = None) -> Measured:
        try:
            found = measure(good.sum, total.sum, assumed)
        except Unsayable as why:
            raise self.unsayable(self._place, self._what, why) from None
        if found.remark:
            message = f"{self._what}: counters, not a histogram with a threshold: {found.remark}"
            self._report.warning(self._place, "not-a-histogram", message)
        return found

    def unsayable(self, place: Place, what: str, why: Unsayable | str) -> Spoiled:
        return self._report.spoil(place, "unsayable-query", f"{what}: the query {why}")

    def _note(self, query: Query, place: Place, what: str) -> None:
        if query.zero_filled:
            message = f"{what}: 'or vector(0)' is left out: where a series is missing, a contract counts nothing"
            self._report.warning(place, "left-out", message)
        for each in sorted(query.ranges):
            message = f"{what}: the range {_range(each)} is left out: a contract counts over its own windows"
            self._report.warning(place, "left-out", message)


def _range(each: timedelta) -> str:
    return f"[{format_duration(each.total_seconds())}]"


def observed(measured: Measured, url: str) -> list[Terms]:
    """The `observe` of a contract."""
    server: Terms = {"url": url} if url else {}
    return [{"prometheus": server | counts(measured.counts)}]


def promise(name: str, goal: str, over: str, measured: Measured) -> Terms:
    """One objective."""
    out: Terms = {"name": objective_name(name), "target": goal}
    if measured.under is not None:
        out["under"] = duration(measured.under)
    out["over"] = over
    return out if measured.errors == "bad" else out | {"errors": measured.errors}


def links(annotations: Fields) -> Terms:
    """The annotations that are links to pages; the others stay unread."""
    found: Terms = {}
    for key, value in annotations.texts(only=r"https?://\S+").items():
        name = label(key)
        if name not in found and len(found) < MOST_LINKS and _is_link(value):
            found[name] = value.text
        else:
            message = f"{annotations.what}: {quote(key)} is left out: no link that a contract can hold"
            annotations.report.warning(value.place, "left-out", message)
    return found


def _is_link(value: Scalar) -> bool:
    """By the contract's own rules; what they say is not reported."""
    with suppress(Spoiled):
        LINK.parse(value.text, value.place, Report("", Path()), "")
        return True
    return False


def kubernetes_name(metadata: Fields) -> tuple[str, Terms]:
    """The name and the links of an object; its labels and other annotations are named as left out."""
    name = metadata.need("name", "the name of the object").text
    annotations = metadata.table("annotations")
    pages = {} if annotations is None else links(annotations)
    if annotations is not None:
        annotations.name_the_rest("it is of Kubernetes")
    metadata.pass_over("namespace", "uid", "resourceVersion", "generation", "creationTimestamp", "managedFields")
    metadata.name_the_rest("it is of Kubernetes")
    return name, pages


def usual_window(context: Context, usual: str, what: str, place: Place) -> str:
    """The window of an objective whose file names none. Raises Spoiled if there is no usual one either."""
    if context.settings.window:
        return context.settings.window
    if not usual:
        raise context.report.spoil(place, "missing-key", f"{what}: no time window; say one with --window")
    if not context.assumed:
        message = f"{what}: the file names no window; taken as {usual}, here and below; say another with --window"
        context.report.warning(place, "window-assumed", message)
        context.assumed = True
    return usual
