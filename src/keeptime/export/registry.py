"""The kinds of export. A kind is one module with a `files` function, and one line here."""

import importlib
from collections.abc import Callable, Mapping, Sequence
from typing import cast

from keeptime.contract.terms import Contract
from keeptime.export.leaving_out import sayable
from keeptime.export.settings import Files, Settings

Export = Callable[[Sequence[Contract], Settings], Files]

KINDS: Mapping[str, tuple[str, str]] = {
    "prometheus": (
        "keeptime.export.prometheus.files",
        "recording and alerting rules, their proofs, a configuration",
    ),
    "alertmanager": ("keeptime.export.alertmanager", "routes and receivers per consumer and severity"),
    "grafana": ("keeptime.export.grafana", "a dashboard per contract"),
    "openslo": ("keeptime.export.openslo", "OpenSLO v1 documents"),
    "sloth": ("keeptime.export.sloth", "Sloth prometheus/v1 specifications"),
}
"""Module and what it writes, by kind."""


def export_of(kind: str) -> Export:
    """The function that makes the files of this kind, of what it can say; only its module is imported."""
    files = cast(Export, importlib.import_module(KINDS[kind][0]).files)
    return lambda contracts, settings: files(sayable(kind, contracts), settings)
