"""Contracts as OpenSLO v1 documents.

Guarantees: the documents keep to OpenSLO v1; what it has no word for (threshold, policy, endpoint, consumers) is
in annotations named `keeptime.dev/…`, from which `keeptime import openslo` makes the same contract again. Pure:
contracts in, texts out.
"""

from collections.abc import Sequence
from decimal import Decimal

from keeptime.contract.carried import of_contract, of_objective
from keeptime.contract.layout import block
from keeptime.contract.ratio import instant, ratio
from keeptime.contract.starter import label
from keeptime.contract.terms import Calendar, Contract, Objective, Window
from keeptime.contract.written import warning_of
from keeptime.contract.written_figures import duration, percent
from keeptime.errors import UsageError
from keeptime.export.settings import Files, Settings
from keeptime.units import format_percent

VERSION = "openslo/v1"
LONGEST_TITLE = 63
_CALENDAR = {"day": "1d", "week": "1w", "month": "1M", "quarter": "1Q"}
_START = "2024-01-01 00:00:00"
"""A Monday on which a day, a week, a month and a quarter began."""

_HEAD = """\
# OpenSLO, exported by keeptime from the contract {name}. Annotations keep what OpenSLO has no word for.
# How it alerts is not in here: OpenSLO has no word for {policies}. What reads this alerts in its own way.
"""

Document = dict[str, object]


def files(contracts: Sequence[Contract], settings: Settings | None = None) -> Files:
    """A file for each contract. Raises UsageError where a contract cannot be said in OpenSLO."""
    if settings is not None and settings.kubernetes:
        raise UsageError("--kubernetes: OpenSLO documents are no objects of Kubernetes; leave it out")
    return {f"{contract.name}.yaml": _file(contract) for contract in contracts}


def _file(contract: Contract) -> str:
    documents = [_service(contract)]
    if contract.source is not None:
        documents.append(_data_source(contract, contract.source.url))
    promised = [one for one in contract.objectives if not one.internal]
    documents += [_slo(contract, one, name) for one, name in zip(promised, _names(contract, promised), strict=True)]
    policies = ", ".join(dict.fromkeys(f"policy {one.policy.kind}" for one in contract.objectives))
    return _HEAD.format(name=contract.name, policies=policies) + "---\n".join(map(block, documents))


def _names(contract: Contract, objectives: Sequence[Objective]) -> list[str]:
    """A label for each SLO, unlike the others'."""
    out: list[str] = []
    for one in objectives:
        base = label(f"{contract.name}-{one.name}")
        name, number = base, 1
        while name in out:
            number += 1
            name = f"{base[: 62 - len(str(number))].rstrip('-')}-{number}"
        out.append(name)
    return out


def _object(kind: str, name: str, annotations: dict[str, str], title: str, spec: Document) -> Document:
    metadata: Document = {"name": name}
    if title:
        metadata["displayName"] = title[:LONGEST_TITLE]
    if annotations:
        metadata["annotations"] = annotations
    return {"apiVersion": VERSION, "kind": kind, "metadata": metadata, "spec": spec}


def _service(contract: Contract) -> Document:
    spec: Document = {"description": f"{contract.model}, promised by {contract.provider}."}
    return _object("Service", contract.name, of_contract(contract), "", spec)


def _data_source(contract: Contract, url: str) -> Document:
    return _object("DataSource", contract.name, {}, "", {"type": "Prometheus", "connectionDetails": {"url": url}})


def _slo(contract: Contract, one: Objective, name: str) -> Document:
    spec: Document = {
        "description": _sentence(one),
        "service": contract.name,
        "indicator": {"metadata": {"name": name}, "spec": {"ratioMetric": _ratio(contract, one)}},
        "timeWindow": [_window(contract, one)],
        "budgetingMethod": "Occurrences",
        "objectives": [{"displayName": one.name, "targetPercent": _number(percent(one.target))}],
    }
    return _object("SLO", name, of_objective(one, warning_of(contract, one)), f"{contract.name} {one.name}", spec)


def _ratio(contract: Contract, one: Objective) -> Document:
    found = ratio(contract, one)
    source = contract.name if contract.source is not None else ""
    return {
        "counter": found.counter,
        found.kind: _metric(instant(found.part, counter=found.counter, whole=False), source),
        "total": _metric(instant(found.total, counter=found.counter, whole=True), source),
    }


def _metric(query: str, source: str) -> Document:
    where: Document = {"metricSourceRef": source} if source else {}
    return {"metricSource": {**where, "type": "Prometheus", "spec": {"query": query}}}


def _number(text: str) -> Decimal:
    return Decimal(text.removesuffix("%"))


def _window(contract: Contract, one: Objective) -> Document:
    if isinstance(one.over, Calendar):
        calendar = {"startTime": _START, "timeZone": one.over.timezone}
        return {"duration": _CALENDAR[one.over.unit], "isRolling": False, "calendar": calendar}
    return {"duration": _shorthand(contract, one, one.over), "isRolling": True}


def _shorthand(contract: Contract, one: Objective, over: Window) -> str:
    """OpenSLO's `m` is minutes, and there is nothing shorter."""
    text = duration(over.seconds) if not isinstance(over, Calendar) else ""
    if text.endswith("s"):
        raise UsageError(
            f"{contract.file}: {contract.name}/{one.name}: OpenSLO has no window of {text}; expected whole minutes"
        )
    return text


def _sentence(one: Objective) -> str:
    under = "succeed" if one.under is None else f"under {duration(one.under)}"
    return f"{format_percent(one.target)} of {one.of} {under} over {one.over}."
