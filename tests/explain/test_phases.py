"""In which phase bad requests spent what they took longer."""

import numpy as np
import pytest

from keeptime.explain.evidence import Evidence
from keeptime.explain.phases import grown

USUAL = {"queue": 0.02, "forward": 0.05, "write": 0.01}


def evidence(bads: int, **more: float) -> Evidence:
    """So many bad requests that took so much longer in these phases, and 60 usual ones."""
    rng = np.random.default_rng(1)
    bad = np.arange(60 + bads) >= 60
    phases = {
        name: took * np.exp(rng.normal(0, 0.2, len(bad))) + np.where(bad, more.get(name, 0.0), 0.0)
        for name, took in USUAL.items()
    }
    return Evidence(np.arange(len(bad), dtype=np.float64), np.ones(len(bad)), bad, {}, phases)


@pytest.mark.parametrize(
    "more", [{"queue": 0.6}, {"queue": 0.6, "forward": 0.3}, {"queue": 0.6, "forward": 0.2, "write": 0.2}]
)
def test_a_phase_is_named_alone_or_where_it_holds_others_up(more: dict[str, float]) -> None:
    found = grown(evidence(100, **more), evidence(0), 0.008)
    assert found is not None
    assert found.name == "queue"
    assert found.part > 0.9
    assert found.more == pytest.approx(0.6, rel=0.05)


@pytest.mark.parametrize(
    "more",
    [
        {name: 7 * took for name, took in USUAL.items()},  # slower in everything alike
        {"queue": 0.3, "forward": 0.32},  # in two phases
        {"queue": 0.004, "forward": 0.6, "write": 0.2},  # where most of the time is spent, as ever
    ],
)
def test_what_is_slower_alike_or_in_several_is_in_no_phase(more: dict[str, float]) -> None:
    assert grown(evidence(100, **more), evidence(0), 0.008) is None
