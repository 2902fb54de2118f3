"""The rule `buckets` in Prometheus: what is in each bucket to the last digit, any stream, and what is said."""

import json
import subprocess
from pathlib import Path

import pytest

from keeptime.contract.terms import Policy, PolicyKind
from keeptime.export.prometheus.compile import Options, compile_group
from keeptime.export.prometheus.names import BUCKET_BAD, BUCKET_LEVEL, BUCKET_REQUESTS
from keeptime.export.prometheus.rules import rule_file
from keeptime.judge.rules.filling import UNIT
from keeptime.model.verdict import Severity
from tests.judge import scenario
from tests.judge.build import random_stream

from .conforming import Seen, compare, raw_series

TICK = 60
Row = dict[str, object]


def seen(target: str = "99%", tick: float = TICK, every: float | None = 10.0) -> Seen:
    policy = Policy(PolicyKind.BUCKETS)
    terms = scenario.Terms(target=scenario.share_of(target), policy=policy, every=every, tick=tick)
    return Seen(terms)


def happen(play: Seen, *texts: str) -> None:
    for text in texts:
        scenario.happen(play, scenario.Line("test", 1, text), text)


def promtool(folder: Path, play: Seen, checks: Row) -> None:
    """Raises AssertionError with promtool's words where the rules give something else."""
    contract = play.plan.rows[0].contract
    (folder / "rules.yml").write_text(
        rule_file([compile_group("g", [contract], Options(int(play.terms.tick), 2026))])
    )
    test = {"interval": f"{play.terms.tick:g}s", "input_series": raw_series(play), **checks}
    file = {"rule_files": ["rules.yml"], "evaluation_interval": f"{play.terms.tick:g}s", "tests": [test]}
    (folder / "test.yml").write_text(json.dumps(file))
    done = subprocess.run(["promtool", "test", "rules", "test.yml"], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("tick", [10, 20, 60])
def test_what_is_in_each_bucket_is_the_judges_to_the_last_digit(tick: int, tmp_path: Path) -> None:
    play = seen("98.7%", tick)
    happen(play, "load 20m bad 3 of 77", "outage 1m", "load 1m bad 1 of 3")
    labels, memory = 'contract="c",objective="promise",slo="c/promise"', play.state.groups[0].rule
    samples: dict[str, list[Row]] = {BUCKET_LEVEL: [], BUCKET_BAD: [], BUCKET_REQUESTS: []}
    for tier in play.plan.groups[0].shape.tiers:
        carried = {name: int(memory[f"{tier.name}.{name}"][0]) for name in ("level", "good", "bad")}
        assert carried["level"], "the test is about buckets that hold something"
        values = (carried["level"] / UNIT, carried["bad"], carried["good"] + carried["bad"])
        for (series, found), value in zip(samples.items(), values, strict=True):
            named = f'{series}{{{labels},severity="{tier.severity}",tier="{tier.name}"}}'
            found.append({"labels": named, "value": value})
    at = f"{play.tick * tick}s"
    promtool(
        tmp_path,
        play,
        {"promql_expr_test": [{"expr": e, "eval_time": at, "exp_samples": each} for e, each in samples.items()]},
    )


@pytest.mark.parametrize("seed", range(3))
def test_any_stream_is_judged_alike(seed: int, tmp_path: Path) -> None:
    play = seen(("99%", "95%", "99.9%")[seed], 60, None if seed == 2 else 10.0)
    play.feed(random_stream(seed + 40, 1, 400, gaps=False))
    compare(f"seed {seed}", play, tmp_path)


def test_an_alert_says_which_tier_fires_and_from_which_counts(tmp_path: Path) -> None:
    play = seen()
    happen(play, "load 1h", "outage 10m")
    promised = "99% of requests under 500ms over 28d"
    alert: Row = {
        "exp_labels": {
            "contract": "c",
            "objective": "promise",
            "slo": "c/promise",
            "provider": "p",
            "model": "m",
            "condition": "at_risk",
            "severity": str(Severity.PAGE),
        },
        "exp_annotations": {
            "summary": "c/promise: at risk",
            "tier": "outage",
            "reason": "60 of 60 requests were bad since the bucket began to fill (outage tier): "
            f"at this pace '{promised}' is missed",
            "promise": promised,
        },
    }
    checks = {"eval_time": f"{play.tick * TICK}s", "alertname": "KeeptimeObjectiveAtRisk", "exp_alerts": [alert]}
    promtool(tmp_path, play, {"alert_rule_test": [checks]})
