"""`keeptime check` and `keeptime schema`: what they print, and their exit codes."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from tests.contract.given import BASE, DOCS, EXAMPLES, FIXTURES, changed

from .commands import run

DESIGN = str(FIXTURES / "design.good.yaml")


@pytest.fixture
def contract(tmp_path: Path) -> Path:
    path = tmp_path / "contract.yaml"
    path.write_text(BASE)
    return path


def _json(capsys: pytest.CaptureFixture[str]) -> dict:
    out, err = capsys.readouterr()
    assert err == ""
    return json.loads(out)


def test_a_valid_contract_is_fine(contract: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", str(contract)) == 0
    out, _ = capsys.readouterr()
    assert "p99-500ms: 99% within 500ms over 28d; 2,419 bad probes allowed" in out
    assert "total failure noticed in" in out
    assert "1 of 1 contracts valid, 0 errors, 0 warnings" in out
    assert "\x1b" not in out


def test_warnings_alone_are_fine(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", DESIGN) == 0
    assert "warning: consumers[1].tell[1]: messages go out unsigned" in capsys.readouterr().out


def test_every_error_is_shown(contract: Path, capsys: pytest.CaptureFixture[str]) -> None:
    contract.write_text(BASE.replace("10s", "10").replace("99%", "99"))
    assert run("check", str(contract)) == 1
    out, _ = capsys.readouterr()
    assert (
        f"{contract}:6:20: error: observe[1].probe.every: '10' has no unit; write 10ms or 10s [bad-duration]" in out
    )
    assert "[bad-percent]" in out
    assert "0 of 1 contracts valid, 2 errors" in out


def test_a_missing_file_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", str(tmp_path / "none.yaml")) == 1
    out, err = capsys.readouterr()
    assert "there is no such file" in out
    assert "Traceback" not in out + err


def test_no_argument_is_wrong_usage() -> None:
    with pytest.raises(SystemExit, match="2"):
        run("check")


def test_the_json_shape(contract: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", "--json", str(contract)) == 0
    (found,) = _json(capsys)["contracts"]
    assert found["file"] == str(contract)
    assert (found["contract"], found["valid"], found["problems"]) == ("sentiment", True, [])
    (objective,) = found["objectives"]
    tiers, found_design = objective.pop("tiers"), objective.pop("design")
    assert objective == {
        "name": "p99-500ms",
        "target": 0.99,
        "threshold_seconds": 0.5,
        "window_seconds": 2_419_200,
        "budget_events": 2419.2,
        "internal": False,
        "from": None,
        "until": None,
    }
    assert [tier["name"] for tier in tiers] == ["outage", "fast", "slow"]
    assert set(tiers[0]) >= {
        "name", "severity", "burn_limit", "error_ratio", "can_fire", "seconds_to_notice_total_failure", "note",
    }  # fmt: skip
    assert set(found_design) == {
        "events_per_second", "events", "half_width", "false_alarms_per_month", "tiers", "smallest_burns",
    }  # fmt: skip


def test_the_json_of_an_invalid_contract(contract: Path, capsys: pytest.CaptureFixture[str]) -> None:
    contract.write_text(changed("10s", "10"))
    assert run("check", "--json", str(contract)) == 1
    (found,) = _json(capsys)["contracts"]
    assert (found["contract"], found["valid"], found["objectives"]) == ("sentiment", False, [])
    (problem,) = found["problems"]
    assert (problem["line"], problem["column"], problem["severity"]) == (6, 20, "error")
    assert problem["code"] == "bad-duration"


def test_one_bad_file_leaves_the_others_valid(contract: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", "--json", str(contract), str(contract.parent / "none.yaml")) == 1
    assert [each["valid"] for each in _json(capsys)["contracts"]] == [True, False]


def test_a_tier_that_can_never_fire_is_a_warning_at_its_objective(
    contract: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tiers = "policy: {burn-rate: {tiers: [{severity: page, long: 1h, short: 5m, factor: 14.4}]}}\n"
    contract.write_text(changed("99%", "90%") + tiers)
    assert run("check", "--json", str(contract)) == 0
    (found,) = _json(capsys)["contracts"]
    (problem,) = found["problems"]
    assert (problem["code"], problem["line"]) == ("tier-unreachable", 8)
    (tier,) = found["objectives"][0]["tiers"]
    assert (tier["can_fire"], tier["seconds_to_notice_total_failure"]) == (False, None)


def test_a_secret_without_a_value_is_a_warning(
    contract: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KEEPTIME_TEST_TOKEN", raising=False)
    contract.write_text(changed("  json:", "  headers: {Authorization: env:KEEPTIME_TEST_TOKEN}\n  json:"))
    assert run("check", "--json", str(contract)) == 0
    (found,) = _json(capsys)["contracts"]
    assert [problem["code"] for problem in found["problems"]] == ["no-value"]


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_examples_pass(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", str(path)) == 0
    assert "error" not in capsys.readouterr().out.replace("0 errors", "")


def test_the_picture_on_the_page_is_real(contract: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = (DOCS / "check.md").read_text("utf-8").splitlines()
    at = next(number for number, line in enumerate(page) if line.strip().startswith("p99-500ms:"))
    assert run("check", str(contract)) == 0
    shown = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert [line.strip() for line in page[at : at + 8]] == shown[shown.index(page[at].strip()) :][:8]


def test_the_schema_is_one_json_object(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("schema") == 0
    schema = json.loads(capsys.readouterr().out)
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_the_next_maintenance_is_listed(contract: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = (
        "  - {start: 2998-06-01 02:00, lasts: 2h, repeat: FREQ=WEEKLY, reason: restart, author: ops}\n"
        "  - {start: 2020-01-01, lasts: 1h, reason: move, author: ops}\n"
    )
    contract.write_text(f"{BASE}timezone: Europe/Berlin\nmaintenance:\n{rows}")
    assert run("check", str(contract)) == 0
    shown = capsys.readouterr().out
    assert "maintenance: restart (ops): 2998-06-01 02:00, 2998-06-08 02:00, 2998-06-15 02:00 Europe/Berlin" in shown
    assert "maintenance: move (ops): there is none any more" in shown
    assert run("check", "--json", str(contract)) == 0
    weekly, once = _json(capsys)["contracts"][0]["maintenance"]
    assert (weekly["reason"], weekly["author"], weekly["objectives"], once["next"]) == ("restart", "ops", None, [])
    assert {span["end"] - span["start"] for span in weekly["next"]} == {7200}
