"""Every term that published SLAs use, as a contract, and counted by hand.

Each file here is one term. The examples go the whole way: requests → counter → keeper → verdict and store.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import pytest

from keeptime.app.keeper import Keeper
from keeptime.contract.credits import credit_between, credit_due
from keeptime.contract.layout import flow
from keeptime.contract.load import load_text
from keeptime.contract.terms import Contract
from keeptime.contract.written import terms
from keeptime.judge.compliance import assess
from keeptime.judge.together import compliance_of, condition_of, credit_of
from keeptime.model.compliance import Basis, Compliance, PeriodCounts
from keeptime.model.sample import Connection, Failure, Phases, Sample
from keeptime.model.tally import TickRecord
from keeptime.model.verdict import Condition, Verdict
from keeptime.observe.count import Counter
from keeptime.store.sqlite import SqliteStore

HERE = Path(__file__).parent
FILES = sorted(HERE.glob("*.yaml"))
TICK, SECOND, MS = 10.0, 1_000_000_000, 1_000_000
NOON = round(datetime(2026, 11, 10, 12, tzinfo=UTC).timestamp())
"""A full hour, so intervals begin with it."""


def contract(number: int) -> Contract:
    (path,) = (each for each in FILES if each.name.startswith(f"{number:02}-"))
    return _loaded(path.read_bytes())


def _loaded(text: bytes) -> Contract:
    loaded = load_text(text, "c.yaml")
    assert [each for each in loaded.problems if each.severity == "error"] == []
    return loaded.contracts[0]


def request(
    at: float,
    ms: int,
    *,
    status: int = 200,
    wait: int | None = None,
    tokens: int | None = None,
    attributes: dict[str, str] | None = None,
) -> Sample:
    """A request due `at` seconds after noon that took so many milliseconds, `wait` of them to the first byte."""
    due, took = round((NOON + at) * SECOND), ms * MS
    waited = took if wait is None else wait * MS
    phases = Phases(wait=waited, transfer=took - waited)
    failure = None if status == 200 else Failure.STATUS
    one = Sample("", due, due, due + took, phases, failure, status, 0, Connection.FRESH, True, 0)
    return replace(one, tokens=tokens, attributes=attributes or {})


def kept(of: Contract, requests: Sequence[Sample], tmp_path: Path, until: float = 600.0) -> dict[str, Verdict]:
    """The verdicts, by objective, `until` seconds after noon; counting begins a tick before the first request."""
    start = min(each.due_ns for each in requests) // SECOND // 10 * 10 - 10
    counter, end = Counter([of], TICK, start_ns=start * SECOND), round(NOON + until)
    waiting = sorted((replace(each, contract=of.name) for each in requests), key=lambda each: each.due_ns)
    records: list[TickRecord] = []
    for now in range(start, end + 10, 10):
        while waiting and waiting[0].due_ns < now * SECOND:
            counter.add(waiting.pop(0))
        records += counter.close((now + 1) * SECOND)
    with SqliteStore.open(tmp_path, tick_seconds=TICK, now=float(start)) as store:
        found = Keeper(store, [of], TICK, int(start // TICK)).keep(records, float(end))
    assert found.problem == ""
    return {key.objective: verdict for key, verdict in found.verdicts.items()}


def counts(verdict: Verdict) -> tuple[int, int, int]:
    return verdict.good, verdict.bad, verdict.excluded


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_what_is_written_back_is_the_same_contract(path: Path) -> None:
    one = _loaded(path.read_bytes())
    again = _loaded(flow(terms(one)).encode())
    assert replace(again, version="") == replace(one, version="")


def test_there_is_one_for_each_term() -> None:
    assert [each.name[:2] for each in FILES] == [f"{number:02}" for number in range(1, 12)]


def test_1_interval_statistics(tmp_path: Path) -> None:
    """Minute 0: 20 requests, 19 of them within 500 ms: 19 ≥ 0.95 · 20, good. Minute 1: 18 of 20, bad.
    The mean of all 40: (37 · 100 + 3 · 2,000) / 40 = 242.5 ms, within 300 ms: the interval of 5 min is good."""
    slow = {5, 63, 69}
    requests = [request(at, 2000 if at in slow else 100) for at in (*range(20), *range(60, 80))]
    found = kept(contract(1), requests, tmp_path, until=300)
    assert counts(found["p95-1m-500ms-99"]) == (1, 1, 3)  # three minutes without requests are left out
    assert counts(found["mean-5m"]) == (1, 0, 0)
    worse = [*requests, request(100, 2700)]  # (9,700 + 2,700) / 41 = 302.4 ms
    assert counts(kept(contract(1), worse, tmp_path / "b", until=300)["mean-5m"]) == (0, 1, 0)


def test_2_several_thresholds(tmp_path: Path) -> None:
    """Ten requests: five within 200 ms, four more within 1 s, one not: 5/10 ≥ 50 %, 9/10 ≥ 90 %: both are met."""
    requests = [request(at, ms) for at, ms in enumerate([100] * 5 + [800] * 4 + [3000])]
    requests[1] = request(1, 100, wait=100)
    found = kept(contract(2), requests, tmp_path)
    assert counts(found["p50-200ms"]) == (5, 5, 0)
    assert counts(found["p90-1s"]) == (9, 1, 0)
    assert counts(found["phases"]) == (5, 5, 0)  # the 800 ms were all waited: above 250 ms
    members = [found[name] for name in ("p50-200ms", "p90-1s")]
    states = [assess(PeriodCounts(each.good, each.bad), each.target, Basis.COUNTED).state for each in members]
    (group,) = contract(2).together
    assert compliance_of(states) is Compliance.MET
    assert credit_of(group.credit, compliance_of([*states[:1], Compliance.MISSED])) == (Fraction(1, 20),) * 2
    assert condition_of([Condition.OK, Condition.AT_RISK]) is Condition.AT_RISK


def test_3_higher_is_better(tmp_path: Path) -> None:
    """60 tokens in 2 s are 30 a second, good; 59 are not; 20 in half a second are 40, good."""
    requests = [request(0, 2000, tokens=60), request(1, 2000, tokens=59), request(2, 500, tokens=20)]
    found = kept(contract(3), requests, tmp_path)
    assert counts(found["token-rate-at-least-30-95"]) == (2, 1, 0)


def test_4_samples_and_windows(tmp_path: Path) -> None:
    """Minute 0 has 3 requests, all quick; minute 1 has 2, both slow: too few. Minutes 2 to 9 are empty."""
    requests = [request(at, 100) for at in range(3)] + [request(60, 900), request(61, 900)]
    found = kept(contract(4), requests, tmp_path)
    assert counts(found["strict"]) == (1, 9, 0)
    assert counts(found["lenient"]) == (10, 0, 0)
    assert counts(found["usual"]) == (1, 0, 9)
    assert found["adaptive"].window_seconds == 86_400  # five requests are no thousand
    assert counts(found["adaptive"]) == (3, 2, 0)
    assert found["patient"].condition is not Condition.BROKEN
    busy = [request(at / 10, 100) for at in range(1000)]
    assert kept(contract(4), busy, tmp_path / "b")["adaptive"].window_seconds == 3600


def test_5_windows_and_zones(tmp_path: Path) -> None:
    """In Berlin October ends at 23:00 UTC, a week after clocks went back: a second before that is still October."""
    end = datetime(2026, 10, 31, 23, tzinfo=UTC).timestamp() - NOON
    requests = [request(end - 1, 900), request(end, 100), request(end + 1, 100)]
    found = kept(contract(5), requests, tmp_path, until=end + 600)
    assert counts(found["month"]) == (2, 0, 0)
    assert counts(found["rolling"]) == (2, 1, 0)
    assert found["month"].window_seconds == 30 * 86_400


def test_6_eligible_requests(tmp_path: Path) -> None:
    """Of five slow ones one alone is eligible: not too long a prompt, not streaming, of v2, in Europe."""
    fits = {"prompt_tokens": "4096", "streaming": "false", "model_version": "v2", "region": "eu-west"}
    others = [{"prompt_tokens": "4097"}, {"streaming": "true"}, {"model_version": "v1"}, {"region": "us-east"}]
    requests = [request(at, 900, attributes=fits | other) for at, other in enumerate([{}, *others])]
    assert counts(kept(contract(6), requests, tmp_path)["eligible"]) == (0, 1, 0)


def test_7_consumers_duties_are_stated() -> None:
    assert dict(contract(7).duties) == {
        "rate": "at most 50 requests per second",
        "ramp": "at most twice as many from one minute to the next",
    }


def test_8_exclusions(tmp_path: Path) -> None:
    """Sunday 2026-11-15, 02:00 to 04:00, is maintenance. Before it: a 429, a 404, a 500 and a quick one."""
    sunday = datetime(2026, 11, 15, 2, tzinfo=UTC).timestamp() - NOON
    before = [request(sunday - 60 + at, 100, status=status) for at, status in enumerate([429, 404, 500, 200])]
    within = [request(sunday, 900), request(sunday + 7199, 900)]
    after = [request(sunday + 7200, 900)]
    found = kept(contract(8), [*before, *within, *after], tmp_path, until=sunday + 7800)
    assert counts(found["p99"]) == (1, 2, 4)  # bad: the 500, and the slow one after it; 429, 404 and two excluded
    assert counts(found["answered"]) == (1, 1, 5)  # the 500 is left out too


def test_9_credits() -> None:
    """99.9 % is no miss; 99.5 % → 10 %, 98 % → 25 %, 90 % → 100 %, capped to 50 %."""
    credits_ = contract(9).objectives[0].credits
    assert credits_ is not None
    due = [credit_due(credits_, Fraction(share, 1000)).credit for share in (999, 995, 980, 900)]
    assert due == [0, Fraction(1, 10), Fraction(1, 4), Fraction(1, 2)]
    low, high = credit_between(credits_, Fraction(985, 1000), Fraction(999, 1000))
    assert (low.credit, high.credit) == (0, Fraction(1, 4))
    assert credits_.of == "monthly fee"


def test_10_the_vantage_point_is_stated() -> None:
    assert contract(10).vantage == "the provider's own clock, outside the cluster, without the consumer's network"


def test_11_effective_dates(tmp_path: Path) -> None:
    """400 ms was good until the end of June and is bad from July on; the history goes on under the one name."""
    july = datetime(2026, 7, 1, tzinfo=UTC).timestamp() - NOON
    requests = [request(july - 1, 400), request(july, 400), request(july + 1, 270)]
    found = kept(contract(11), requests, tmp_path, until=july + 600)
    assert counts(found["p99"]) == (2, 1, 0)
    assert found["p99"].threshold_seconds == 0.3
    assert counts(found["p99-warn"]) == (0, 2, 0)  # the internal one: 250 ms
