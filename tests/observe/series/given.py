"""Contracts that are observed from a Prometheus."""

from keeptime.contract.load import load_text
from keeptime.contract.terms import Contract

HISTOGRAM = """
      histogram:
        metric: request_seconds
        selector: job="api"
        failed: code=~"5.."
        buckets: [100ms, 500ms, 1s]
"""
SLOW = "{name: slow, target: 99%, under: 500ms, over: 1d}"
FAILED = "{name: failed, target: 99.9%, over: 1d}"


def contract(
    series: str = HISTOGRAM, *objectives: str, more: str = "", url: str = "http://127.0.0.1:9090"
) -> Contract:
    """One contract on these series; without objectives one on latency."""
    listed = "".join(f"  - {each}\n" for each in objectives or (SLOW,))
    text = (
        f"contract: api\nobserve:\n  - prometheus:\n      url: {url}\n      every: 10s{series.rstrip()}\n"
        f"objectives:\n{listed}operators: {{tell: ['log:']}}\n{more}"
    )
    found = load_text(text.encode(), "contract.yaml")
    assert found.valid, found.problems
    return found.contracts[0]
