"""The exported files do what they are for: a consumer hears by Prometheus and Alertmanager what keeptime says."""

from pathlib import Path

from tests.servers import query, wait_until

from .whole_way import Whole, whole_way


def test_a_slow_model_is_told_by_both_ways_and_so_is_its_end(tmp_path: Path) -> None:
    with whole_way(tmp_path) as whole:
        told = whole.receiver
        assert told.heard == []
        whole.model.take(0.3)
        wait_until(lambda: told.of(False, "at_risk", "broken"), 30, "keeptime's own message")
        wait_until(lambda: told.of(True, "firing"), 30, "Alertmanager's message")
        first = told.of(True, "firing")[0].body
        assert first["labels"]["contract"] == "whole"
        assert first["labels"]["objective"] == "p90"
        assert first["labels"]["consumers"] == ",checkout,"
        assert "%" in first["annotations"]["reason"]
        whole.model.take(0)
        wait_until(lambda: told.of(False, "recovered"), 120, "keeptime's own recovery")
        wait_until(lambda: told.of(True, "resolved"), 120, "Alertmanager's end of it")
        assert query(whole.prometheus, "sum(prometheus_rule_evaluation_failures_total) > 0") == {}
        assert whole.keeptime.end() == 0


def test_a_dead_keeptime_is_no_data_in_prometheus(tmp_path: Path) -> None:
    with whole_way(tmp_path) as whole:
        whole.keeptime.kill()
        wait_until(lambda: "KeeptimeObjectiveNoData" in _fired(whole), 60, "Alertmanager's message")


def _fired(whole: Whole) -> list[str]:
    """Beside it, a machine that is busy may have made a probe or two slow before."""
    return [str(each.body["labels"]["alertname"]) for each in whole.receiver.of(True, "firing")]
