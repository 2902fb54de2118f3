"""Contracts and samples for tests of observing."""

from collections.abc import Sequence
from fractions import Fraction

from keeptime.contract.probed import Endpoint, Expect, Probe, TlsTerms
from keeptime.contract.terms import Contract, Objective, Policy, PolicyKind, Rolling
from keeptime.model.sample import Connection, Failure, Phases, Sample
from keeptime.observe.once import probe_once

BURN = Policy(PolicyKind.BURN_RATE)


def objective(name: str, under: float | None, errors: str = "bad") -> Objective:
    return Objective(name, Fraction(99, 100), under, Rolling(3600.0), BURN, errors=errors)  # type: ignore[arg-type]


def contract(
    url: str,
    *,
    name: str = "c",
    every: float = 0.05,
    timeout: float = 2.0,
    connection: Connection = Connection.FRESH,
    most: int = 64,
    objectives: Sequence[Objective] = (objective("p99", 0.3),),
    endpoint: Endpoint | None = None,
) -> Contract:
    probes = (Probe(every, timeout, connection, most),)
    where = endpoint or Endpoint(url)
    return Contract(name, "p", "m", where, probes, tuple(objectives), (), (), 60.0, "v", "c.yaml")


def once(
    port: int,
    *,
    timeout: float = 5.0,
    scheme: str = "http",
    host: str = "127.0.0.1",
    expect: Expect | None = None,
    tls: TlsTerms | None = None,
    **endpoint: object,
) -> Sample:
    """Probe a local port once; whatever happens, the sample keeps its promises."""
    where = Endpoint(
        f"{scheme}://{host}:{port}/predict?x=1",
        expect=expect or Expect(),
        tls=tls or TlsTerms(),
        **endpoint,  # type: ignore[arg-type]
    )
    found = probe_once(where, Probe(10.0, timeout), contract="c")
    sound(found, timeout)
    return found


def sound(sample: Sample, timeout: float) -> None:
    """What holds for every sample."""
    phases = sample.phases
    spent = (phases.dns, phases.connect, phases.tls, phases.write, phases.wait, phases.transfer)
    assert min(spent) >= 0
    assert sum(spent) == phases.total == sample.done_ns - sample.sent_ns
    assert sample.sent_ns >= sample.due_ns
    assert 0 <= sample.lag_ns <= phases.total
    limit = round(timeout * 1e9)
    if sample.failure is Failure.TIMEOUT:
        assert phases.total == limit
        assert not sample.stamped
    else:
        assert phases.total <= limit
    assert (sample.failure is None) == (sample.detail == "")


def sample(
    due: int, latency: int, failure: Failure | None = None, *, late: int = 0, lag: int = 0, contract: str = "c"
) -> Sample:
    sent = due + late
    return Sample(
        contract,
        due,
        sent,
        sent + latency,
        Phases(wait=latency),
        failure,
        200,
        0,
        Connection.FRESH,
        True,
        lag,
        "" if failure is None else "why",
    )
