"""Contracts with a probe of some kind, and one probe of it."""

from pathlib import Path

from keeptime.contract.load import load_text
from keeptime.contract.terms import Contract
from keeptime.model.sample import Sample
from keeptime.observe.once import probe_once
from tests.observe.given import sound


def text(endpoint: str, probe: str, timeout: str = "5s") -> str:
    """Flow YAML of the endpoint, and what the probe has beside the usual."""
    more = f", {probe}" if probe else ""
    return (
        f"contract: c\nendpoint: {endpoint}\nobserve:\n  - probe: {{every: 1m, timeout: {timeout}{more}}}\n"
        "objectives:\n  - 99% of requests under 500ms over 28d\n"
    )


def contract(endpoint: str, probe: str, timeout: str = "5s") -> Contract:
    result = load_text(text(endpoint, probe, timeout).encode(), str(Path("/c/c.yaml")))
    assert result.valid, "\n".join(map(str, result.problems))
    return result.contracts[0]


def once(endpoint: str, probe: str, timeout: str = "5s") -> Sample:
    """One probe; whatever happens, the sample keeps its promises."""
    given = contract(endpoint, probe, timeout)
    assert given.endpoint is not None
    found = probe_once(given.endpoint, given.probes[0], contract="c")
    sound(found, given.probes[0].timeout)
    return found
