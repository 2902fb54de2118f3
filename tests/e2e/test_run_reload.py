"""SIGHUP reads the contracts again: all of them or none. SIGTERM ends in order."""

import signal
from pathlib import Path

from tests.e2e.keeping import keeping, terms, until
from tests.e2e.peers import model


def test_an_invalid_file_keeps_the_old_contracts_and_says_so_everywhere(tmp_path: Path) -> None:
    with model() as served, keeping(tmp_path, terms(served.url)) as one:
        one.start()
        before = int(one.await_events(20)["good"])  # type: ignore[call-overload]
        one.write(terms(served.url).replace("90%", "100%"))
        one.signal(signal.SIGHUP)
        until(lambda: one.api()["reload_error"] is not None, 10, "the refusal")
        assert f"{one.contract}:6:5" in str(one.api()["reload_error"])
        assert f"{one.contract}:6:5".encode() in one.get("/")
        assert b"keeptime_reload_refused 1.0" in one.get("/metrics")
        assert "reload refused, the old contracts go on" in one.log
        assert one.objective()["target"] == 0.9
        one.await_events(before + 20)
        one.write(terms(served.url))
        one.signal(signal.SIGHUP)
        until(lambda: one.api()["reload_error"] is None, 10, "the pardon")
        assert b"keeptime_reload_refused 0.0" in one.get("/metrics")


def test_valid_contracts_are_swapped_and_what_stays_keeps_its_counts(tmp_path: Path) -> None:
    with model() as served, keeping(tmp_path, terms(served.url)) as one:
        one.start()
        before = int(one.await_events(30)["good"])  # type: ignore[call-overload]
        added = terms(served.url).replace("over 60s\n", "over 60s\n  - 50% of requests under 100ms over 60s\n")
        one.write(f"{added}---\n{terms(served.url, 'second')}")
        one.signal(signal.SIGHUP)
        until(lambda: len(one.api()["contracts"]) == 2, 10, "the second contract")  # type: ignore[arg-type]
        assert int(one.objective()["good"]) >= before  # type: ignore[call-overload]
        until(lambda: bool(one.objective(1)["good"]), 10, "the added objective to be judged")
        assert int(one.objective(1)["good"]) < before  # type: ignore[call-overload]
        until(lambda: one.view(1)["requests"] != 0, 10, "the second contract to be probed")
        one.write(terms(served.url, "second"))
        one.signal(signal.SIGHUP)
        until(lambda: len(one.api()["contracts"]) == 1, 10, "the first to leave")  # type: ignore[arg-type]
        assert one.view()["contract"] == "second"


def test_sigterm_ends_in_order(tmp_path: Path) -> None:
    with model() as served, keeping(tmp_path, terms(served.url)) as one:
        one.start()
        one.await_events(10)
        assert one.end() == 0
        assert not one.ready.exists()
        assert one.log.splitlines()[-1].endswith('info "ended in order"')
        ((judged,),) = one.rows("SELECT sum(good) + sum(bad) FROM counts_tick")
    assert int(judged) >= 10  # type: ignore[call-overload]
