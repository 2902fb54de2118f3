"""`keeptime check`: what it says of detection, for probes and for real traffic, and of which promises it warns."""

import json
import re
from pathlib import Path

import pytest

from keeptime.cli.main import main
from tests.contract.given import BASE, DOCS, EXAMPLES, changed

from .commands import run

PROMETHEUS = BASE.replace(
    "  - probe: {every: 10s, timeout: 5s}",
    "  - prometheus: {counters: {good: good_total, total: requests_total}}",
)


def checked(capsys: pytest.CaptureFixture[str], text: str, tmp_path: Path, *options: str) -> dict:
    path = tmp_path / "contract.yaml"
    path.write_text(text, "utf-8")
    assert run("check", "--json", str(path), *options) == 0
    (found,) = json.loads(capsys.readouterr().out)["contracts"]
    return found


def shown(capsys: pytest.CaptureFixture[str], text: str, tmp_path: Path, *options: str) -> str:
    path = tmp_path / "contract.yaml"
    path.write_text(text, "utf-8")
    assert run("check", str(path), *options) == 0
    return capsys.readouterr().out


def test_the_design_figures_of_probes(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (objective,) = checked(capsys, BASE, tmp_path)["objectives"]
    found = objective["design"]
    assert found["events"] == 241_920
    assert found["half_width"] == pytest.approx(0.0396, abs=1e-3)
    assert [each["within_seconds"] for each in found["smallest_burns"]] == [300, 900, 3600, 21600, 86400, 259200]
    burns = [each["burn"] for each in found["smallest_burns"]]
    assert burns == sorted(burns, reverse=True)
    assert [tier["name"] for tier in found["tiers"]] == [tier["name"] for tier in objective["tiers"]]
    for tier in found["tiers"]:
        assert tier["threshold"] == max(tier["evidence"], tier["share_of_budget"])
        assert tier["false_alarms_per_month"]["is"] == "estimate"


def test_windows_are_told_with_what_they_need(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (objective,) = checked(capsys, BASE + "policy: burn-rate\n", tmp_path)["objectives"]
    first = objective["design"]["tiers"][0]
    assert first["threshold"] is None
    assert [window["seconds"] for window in first["windows"]] == [3600, 300]
    assert first["windows"][0]["bad"] == 49
    assert objective["design"]["false_alarms_per_month"]["is"] == "at_most"


def test_real_traffic_stands_in_for_probes(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (objective,) = checked(capsys, BASE, tmp_path, "--traffic", "3000/min")["objectives"]
    assert objective["budget_events"] == pytest.approx(50 * 28 * 86_400 * 0.01)
    assert objective["design"]["events_per_second"] == 50
    text = shown(capsys, BASE, tmp_path, "--traffic", "2M/d")
    assert "23.1 requests a second" in text
    assert "bad requests allowed" in text


def test_without_a_rate_no_figure_is_invented(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert PROMETHEUS != BASE
    without = re.sub(r"endpoint:\n(  .*\n)+", "", PROMETHEUS)
    (objective,) = checked(capsys, without, tmp_path)["objectives"]
    found = objective["design"]
    assert objective["budget_events"] is None
    assert (found["events_per_second"], found["events"], found["half_width"], found["tiers"]) == (
        None,
        None,
        None,
        [],
    )
    assert {each["is"] for each in found["smallest_burns"]} == {"not_known"}
    assert found["false_alarms_per_month"]["is"] == "not_known"
    assert "--traffic 50/s" in shown(capsys, without, tmp_path)
    (objective,) = checked(capsys, without, tmp_path, "--traffic", "50/s")["objectives"]
    assert objective["design"]["events"] == 50 * 28 * 86_400


def test_a_wanted_burn_has_its_longest_interval(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (objective,) = checked(capsys, BASE, tmp_path, "--burn", "14", "--within", "1h")["objectives"]
    asked = objective["design"]["asked"]
    assert (asked["burn"], asked["within_seconds"]) == (14, 3600)
    assert asked["chance"] == max(each["chance"] for each in asked["tiers"]) > 0.95
    longest = asked["longest_interval_seconds"]
    for every, enough in ((longest, True), (2 * longest, False)):
        slower = changed("every: 10s", f"every: {every:g}s")
        (again,) = checked(capsys, slower, tmp_path, "--burn", "14", "--within", "1h")["objectives"]
        assert (again["design"]["asked"]["chance"] >= 0.95) is enough
    assert f"a probe every {longest:g} s or oftener is enough" in shown(
        capsys, BASE, tmp_path, "--burn", "14", "--within", "1h"
    )


def test_more_probes_make_no_more_intervals(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    text = changed("99% of requests under 500ms over 28d", "99% of 5m intervals with p95 under 500ms over 28d")
    wanted = ("--burn", "14", "--within", "1h")
    asked = checked(capsys, text, tmp_path, *wanted)["objectives"][0]["design"]["asked"]
    assert asked["longest_interval_seconds"] is None
    assert asked["chance"] is not None
    assert "probing more often makes no more of them" in asked["why"]
    said = shown(capsys, text, tmp_path, *wanted)
    assert "oftener is enough" not in said
    assert asked["why"] in said


def test_a_burn_beyond_total_failure_cannot_be(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    text = shown(capsys, BASE, tmp_path, "--burn", "200", "--within", "1h")
    assert "a burn of 200 cannot be: total failure is one of 100" in text
    (objective,) = checked(capsys, BASE, tmp_path, "--burn", "200", "--within", "1h")["objectives"]
    assert objective["design"]["asked"]["longest_interval_seconds"] is None
    assert objective["design"]["asked"]["why"] == "total failure is a burn of 100"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--burn", "14"], "--burn and --within go together"),
        (["--within", "1h"], "--burn and --within go together"),
        (["--burn", "1", "--within", "1h"], "expected a number above 1"),
        (["--burn", "nan", "--within", "1h"], "expected a number above 1"),
        (["--burn", "fast", "--within", "1h"], "'fast' is no burn rate"),
        (["--burn", "14", "--within", "60"], "has no unit"),
        (["--burn", "14", "--within", "400d"], "expected 1s to 366d"),
        (["--traffic", "50"], "'50' is no rate"),
        (["--traffic", "0/s"], "out of range"),
        (["--traffic", "11M/s"], "out of range"),
    ],
)
def test_nonsense_is_wrong_usage(
    options: list[str], said: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "contract.yaml"
    path.write_text(BASE, "utf-8")
    assert main(["check", str(path), *options]) == 2
    out, err = capsys.readouterr()
    assert (out, said in err, err.count("\n")) == ("", True, 1)


def warned(capsys: pytest.CaptureFixture[str], text: str, tmp_path: Path, *options: str) -> list[tuple[str, str]]:
    found = checked(capsys, text, tmp_path, *options)["problems"]
    return [(each["code"], each["message"]) for each in found]


def test_too_few_probes_for_a_burn_are_a_warning_with_the_interval_that_would_do(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    ((code, message),) = warned(capsys, changed("99%", "99.9%"), tmp_path)
    assert code == "burn-unnoticed"
    assert "at one probe per 10 s a 99.9% objective has 242 bad probes in its budget over 28d" in message
    assert "cannot notice a burn of 2 in 3 d" in message
    interval = re.search(r"a probe every (\d+) s would", message)
    assert interval is not None
    oftener = changed("99%", "99.9%").replace("every: 10s", f"every: {interval[1]}s")
    assert warned(capsys, oftener, tmp_path) == []


def test_an_end_that_will_not_be_known_is_a_warning(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    ((code, message),) = warned(capsys, changed("28d", "1d"), tmp_path)
    assert code == "sli-uncertain"
    assert "a 99% objective is known to ±21 % of its budget at the end of 1d; a probe every 5 s would" in message
    assert warned(capsys, changed("28d", "1d").replace("every: 10s", "every: 5s"), tmp_path) == []


def test_real_traffic_is_warned_of_in_its_own_words(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    ((code, message),) = warned(capsys, changed("99%", "99.9%"), tmp_path, "--traffic", "6/min")
    assert code == "burn-unnoticed"
    assert "at 0.1 requests a second" in message
    assert warned(capsys, changed("99%", "99.9%"), tmp_path, "--traffic", "50/s") == []


def test_one_warning_is_enough(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    codes = [code for code, _ in warned(capsys, changed("28d", "15m"), tmp_path)]
    assert codes == ["too-few-events"]


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.stem)
def test_examples_can_be_kept_track_of(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", "--json", str(path)) == 0
    for contract in json.loads(capsys.readouterr().out)["contracts"]:
        assert {each["code"] for each in contract["problems"]} <= {"no-value"}


@pytest.mark.parametrize("every", ["10s", "30s", "60s"])
def test_a_usual_promise_is_not_warned_of(every: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert warned(capsys, changed("every: 10s", f"every: {every}"), tmp_path) == []


def test_what_the_page_shows_is_real(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    page = (DOCS / "check.md").read_text("utf-8")
    text = shown(capsys, BASE, tmp_path, "--burn", "14", "--within", "1h")
    (asked,) = [line.strip() for line in page.splitlines() if line.strip().startswith("asked ")]
    assert asked in [line.strip() for line in text.splitlines()]
    slow, uncertain = re.findall(r"warning: (.*) \[(?:burn-unnoticed|sli-uncertain)\]", page)
    assert warned(capsys, changed("99%", "99.9%"), tmp_path) == [("burn-unnoticed", slow)]
    assert warned(capsys, changed("28d", "1d"), tmp_path) == [("sli-uncertain", uncertain)]
