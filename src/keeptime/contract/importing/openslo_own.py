"""OpenSLO documents that keeptime itself exported, as the contract that they were.

Guarantees: target and window are what OpenSLO says now; a query that is no longer the one that the annotations
make is an error, so that neither silently wins.
"""

from dataclasses import dataclass, field

from keeptime.contract.carried import PREFIX, contract_terms, objective_terms
from keeptime.contract.given import Terms
from keeptime.contract.importing.fields import Fields
from keeptime.contract.importing.found import Context, Document, Found, text
from keeptime.contract.load import load_text
from keeptime.contract.nodes import Place
from keeptime.contract.ratio import instant, ratio
from keeptime.contract.report import quote
from keeptime.contract.terms import Contract, Objective

_CURE = "change both, or remove these annotations"


@dataclass(frozen=True, slots=True)
class Member:
    """One SLO of the contract: its objective's terms, its indicator, and the server that its DataSource names."""

    context: Context
    place: Place
    terms: Terms
    sli: Fields
    url: str


@dataclass(slots=True)
class Own:
    """A contract that comes back: its Service, its terms, and its SLOs."""

    name: str
    service: Document
    terms: Terms
    members: list[Member] = field(default_factory=list)

    def add(self, member: Member) -> None:
        self.members.append(member)


def own_terms(metadata: Fields, sign: str) -> Terms | None:
    """What keeptime's annotations carry, None where its `sign` is not there. Raises Spoiled."""
    annotations = metadata.table("annotations")
    if annotations is None or not annotations.has(PREFIX + sign):
        return None
    given = {key: value.text for key, value in annotations.texts(prefix=PREFIX).items()}
    try:
        return contract_terms(given) if sign == "observe" else objective_terms(given)
    except ValueError as error:
        raise metadata.report.spoil(annotations.place, "changed-since-export", str(error)) from None


def again(own: Own) -> None:
    """Keep the contract, if it is still what its annotations and its queries say."""
    first = own.members[0]
    terms = own.terms | {"objectives": [each.terms for each in own.members]}
    found = Found(own.name, f"OpenSLO, exported by keeptime, service {own.name}", own.service.fields.place, terms)
    loaded = load_text(text([found]).encode(), own.service.context.report.file)
    if not loaded.valid:
        own.service.context.keep(found)  # what is wrong with it is said where it is checked
        return
    (contract,) = loaded.contracts
    promised = [one for one in contract.objectives if not one.internal]
    same = [_unchanged(member, contract, one) for member, one in zip(own.members, promised, strict=True)]
    if all(same):
        first.context.keep(found)


def _unchanged(member: Member, contract: Contract, objective: Objective) -> bool:
    """Are the queries those of the annotations? If not, that is reported."""
    if contract.source is not None and member.url != contract.source.url:
        message = f"the DataSource's url {quote(member.url)} is not that of the annotation {PREFIX}observe; {_CURE}"
        member.context.report.error(member.place, "changed-since-export", message)
        return False
    expected = ratio(contract, objective)
    metric = member.sli.table("ratioMetric")
    if metric is None:
        return _changed(member, "ratioMetric")
    parts = {expected.kind: expected.part, "total": expected.total}
    for key, terms in parts.items():
        if _query(metric, key) != instant(terms, counter=expected.counter, whole=key == "total"):
            return _changed(member, key)
    return True


def _query(metric: Fields, key: str) -> str:
    table = metric.table(key)
    source = None if table is None else table.table("metricSource")
    spec = None if source is None else source.table("spec")
    return "" if spec is None else spec.string("query")


def _changed(member: Member, key: str) -> bool:
    message = (
        f"the query '{key}' is not the one that the annotations {PREFIX}observe and {PREFIX}threshold make; {_CURE}"
    )
    member.context.report.error(member.place, "changed-since-export", message)
    return False
