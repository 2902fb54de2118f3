"""The field `attributes` of a probe: what is known of each of its requests, by name.

Guarantees: a JSON path that is accepted is valid, and so is a header's name.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from keeptime.contract.eligibility import fits
from keeptime.contract.exempting import ATTRIBUTE, BUILT_IN
from keeptime.contract.expectations import JSON_PATH
from keeptime.contract.kinds import Text, text_of
from keeptime.contract.lists import MapOf
from keeptime.contract.nodes import Node, Scalar
from keeptime.contract.probed import Kind, Probe
from keeptime.contract.report import Report, nearest, quote
from keeptime.contract.scope import Where
from keeptime.contract.shapes import Field, Placed, Row, Schema, Shape
from keeptime.contract.terms import Contract

HEADER, JSON = "header:", "json:"
CACHE = "cache"
"""Of a completion: cold or warm, by whether the server may have known the prompt."""
OBSERVER = "observer"
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")


@dataclass(frozen=True)
class Origin:
    """A constant, `header:NAME` or `json:PATH`."""

    expected: str = "a constant, header:NAME of the answer, or json:PATH in it"

    def read(self, node: Node, report: Report, what: str) -> str:
        scalar = text_of(node, report, what, self.expected)
        text = Text(self.expected).read(node, report, what)
        if text.startswith(JSON):
            path = Scalar(text.removeprefix(JSON), True, scalar.at(len(JSON)))
            JSON_PATH.read(path, report, what)
        elif text.startswith(HEADER) and _HEADER.fullmatch(text.removeprefix(HEADER)) is None:
            message = f"{what}: {quote(text)} names no header; expected header:X-Model-Version"
            raise report.spoil(scalar.place, "bad-header", message)
        return text

    def schema(self) -> Schema:
        return {"type": ["string", "number", "boolean"], "examples": ["eu-west", "header:X-Model", "json:$.model"]}


_ORIGIN = Origin()


def _origin(_: str) -> Shape[str]:
    return _ORIGIN


ATTRIBUTES = Field(
    "attributes",
    MapOf(ATTRIBUTE, _origin, "attributes", most=20),
    "What is known of each request, for `where` and `exclude`: a constant, a header of the answer (`header:NAME`) "
    "or what stands at a JSON path in it (`json:PATH`). Absent where the answer does not have it.",
    default="status, failure and connection, which every probe has",
)


def _told(probe: Probe) -> tuple[str, ...]:
    """Attributes that requests of this probe have beyond the built-in ones."""
    return (*((CACHE,) if probe.kind is Kind.OPENAI else ()), *(name for name, _ in probe.attributes))


def check_scope(
    contract: Contract, wheres: Sequence[Placed[Where]], excludes: Sequence[Placed[object]], row: Row
) -> None:
    """Report predicates that nothing that is observed can answer. `wheres`: of objectives and exclusions."""
    if contract.source is not None:
        for each in (*[each for each in wheres if each.value], *excludes):
            message = (
                "'where', 'per' and 'exclude' ask for single requests, which counts from Prometheus do not tell; "
                "expected a selector of the series instead"
            )
            row.report.error(each.place, "counts-not-requests", message)
        return
    _check_observers(contract, wheres, row)
    if contract.traffic:
        return  # what traffic says of its requests is not known beforehand
    own = {"grpc_status"} if any(each.kind is Kind.GRPC for each in contract.probes) else set()
    known = sorted({*BUILT_IN, *own, *(name for probe in contract.probes for name in _told(probe))})
    for where in wheres:
        for wanted in where.value:
            if wanted.attribute not in known:
                hint = nearest(wanted.attribute, known) or "; expected 'attributes' of a probe to say it"
                message = f"no probe has the attribute {quote(wanted.attribute)}{hint}"
                row.report.error(where.place, "unknown-attribute", message)


def _check_observers(contract: Contract, wheres: Sequence[Placed[Where]], row: Row) -> None:
    """Who observes is known, whatever traffic says of its requests."""
    there = sorted({*(["probe"] if contract.probes else []), *(each.kind for each in contract.traffic)})
    for where in wheres:
        for wanted in where.value:
            if wanted.attribute == OBSERVER and not any(fits((wanted,), {OBSERVER: each}) for each in there):
                asked = " or ".join(map(quote, wanted.any_of))
                message = f"nothing of this contract is observed by {asked}; expected {' or '.join(there)}"
                row.report.error(where.place, "unknown-observer", message)
