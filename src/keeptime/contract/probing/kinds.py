"""The fields of a probe that only some kinds have: one registration for each group of kinds.

Guarantees: a field is accepted only where the probe's kind knows it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from keeptime.contract.given import Terms
from keeptime.contract.probed import Endpoint, Kind, KindTerms, Probe
from keeptime.contract.probing import serving, streams
from keeptime.contract.report import Report, one_of
from keeptime.contract.shapes import Field, Placed, Row


@dataclass(frozen=True, slots=True)
class Group:
    """Kinds that share fields. `build` makes the kind's terms of a row, `write` a contract's text of them; `wrong`
    says why an endpoint cannot be asked so, "" where it can.
    """

    kinds: tuple[Kind, ...]
    fields: tuple[Field[object], ...]
    build: Callable[[Row, Kind], KindTerms]
    write: Callable[[Probe], Terms]
    wrong: Callable[[Endpoint], str] = lambda _: ""


GROUPS: tuple[Group, ...] = (
    Group((Kind.SSE, Kind.NDJSON), streams.FIELDS, streams.stream_terms, streams.written_stream),
    Group(
        (Kind.OPENAI,), streams.OPENAI_FIELDS, streams.stream_terms, streams.written_stream, streams.no_completion
    ),
    Group((Kind.GRPC, Kind.OIP), serving.SERVING_FIELDS, serving.build, serving.write),
)
FIELDS: tuple[Field[object], ...] = tuple({each.key: each for group in GROUPS for each in group.fields}.values())


def terms_of(kind: Kind, row: Row) -> KindTerms:
    """What this kind of probe asks beyond the usual. Reports fields that it does not know."""
    group = _group(kind)
    known = () if group is None else group.fields
    for each in FIELDS:
        if each not in known and row.find(each) is not None:
            kinds = one_of([str(one) for other in GROUPS if each in other.fields for one in other.kinds])
            message = f"{row.what}.{each.key}: a probe of kind {kind} does not have it; expected kind: {kinds}"
            row.report.error(row.place_of(each), "not-of-this-kind", message)
    return KindTerms() if group is None else group.build(row, kind)


def check_kinds(endpoint: Endpoint | None, probes: Sequence[Placed[Kind]], report: Report) -> None:
    """Report endpoints that cannot be asked by a probe of such a kind. `probes`: where each stands."""
    for each in probes:
        group = _group(each.value)
        wrong = "" if group is None or endpoint is None else group.wrong(endpoint)
        if endpoint is not None and endpoint.url.startswith("tcp:") and each.value is not Kind.TCP:
            wrong = "it cannot ask tcp://; expected kind: tcp, or an http URL"
        if wrong:
            report.error(each.place, "not-of-this-kind", f"a probe of kind {each.value}: {wrong}")


def written_terms(probe: Probe) -> Terms:
    """The same as a contract says it."""
    group = _group(probe.kind)
    return {} if group is None else group.write(probe)


def _group(kind: Kind) -> Group | None:
    return next((group for group in GROUPS if kind in group.kinds), None)
