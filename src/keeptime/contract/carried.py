"""What OpenSLO has no word for, carried in annotations named `keeptime.dev/…` and read back from them.

Guarantees: what is written here and read back is the same value of the contract language. Knows no file.
"""

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

from keeptime.contract.given import Terms
from keeptime.contract.layout import Value, flow
from keeptime.contract.nodes import Broken, Listing, Mapped, Node, Scalar, value_of
from keeptime.contract.report import Report
from keeptime.contract.terms import Contract, Objective
from keeptime.contract.text import documents
from keeptime.contract.written import objective, shared

PREFIX = "keeptime.dev/"
OF_CONTRACT = (
    "provider",
    "model",
    "endpoint",
    "observe",
    "consumers",
    "operators",
    "notify_within",
    "addresses",
    "no_data_after",
    "links",
    "together",
    "duties",
    "vantage",
    "token_basis",
    "timezone",
    "exclude",
    "maintenance",
)
"""Keys of a contract that the Service carries."""

OF_OBJECTIVE = {
    "name": "objective",
    "of": "signal",
    "under": "threshold",
    "errors": "errors",
    "policy": "policy",
    "warn": "warn",
    "from": "from",
    "until": "until",
    "credits": "credits",
    "where": "where",
    "per": "per",
    "exclude": "exclude",
}
"""Keys of an objective that the SLO carries, and their annotations; target and window are OpenSLO's own words."""


def of_contract(contract: Contract) -> dict[str, str]:
    """The annotations of its Service."""
    return {PREFIX + key: flow(value) for key, value in shared(contract).items()}


def of_objective(one: Objective, warning: Objective | None = None) -> dict[str, str]:
    """The annotations of its SLO. `warning`: the internal objective before it."""
    said = objective(one, warning)
    return {PREFIX + OF_OBJECTIVE[key]: flow(said[key]) for key in OF_OBJECTIVE if key in said}


def contract_terms(annotations: Mapping[str, str]) -> Terms | None:
    """The contract's terms but for its name and objectives, None without any. Raises ValueError."""
    return _terms(annotations, {key: key for key in OF_CONTRACT})


def objective_terms(annotations: Mapping[str, str]) -> Terms | None:
    """The objective's terms but for target and window, None without any. Raises ValueError."""
    return _terms(annotations, OF_OBJECTIVE)


def _terms(annotations: Mapping[str, str], keys: Mapping[str, str]) -> Terms | None:
    given = {key: PREFIX + name for key, name in keys.items() if PREFIX + name in annotations}
    return {key: _value(annotations[name], name) for key, name in given.items()} or None


def _value(text: str, name: str) -> Value:
    report = Report(name, Path())
    found = list(documents(text.encode("utf-8", "replace"), report))
    if report.problems or len(found) != 1:
        why = report.problems[0].message if report.problems else "expected one value"
        raise ValueError(f"{name}: {why}")
    return _read(found[0])


def _read(node: Node) -> Value:
    match node:
        case Listing():
            return [_read(item) for item in node.items]
        case Mapped():
            return {entry.key.text: _read(entry.value) for entry in node.entries}
        case Broken():
            return None
    return _scalar(node)


def _scalar(node: Scalar) -> Value:
    if node.plain and node.text == "...":
        return ...
    value = value_of(node)
    return Decimal(node.text) if isinstance(value, float) and "e" not in node.text.lower() else value
