"""`keeptime probe`: exit codes, the JSON that scripts rely on, and a picture that fits 80 columns."""

import json
from pathlib import Path

import pytest

from keeptime.cli.main import main
from keeptime.cli.probe import picture
from keeptime.model.sample import Failure
from tests.observe.given import contract, objective, sample
from tests.observe.servers import OK, answers, keeps, serving

TEXT = """\
contract: {name}
provider: p
model: m
endpoint: {{url: "http://127.0.0.1:{port}/predict"}}
observe:
  - probe: {{every: 10s, timeout: 2s}}
objectives:
  - 99% of requests under 1s over 28d
operators: {{tell: ["log:"]}}
"""


def write(folder: Path, port: int, name: str = "sentiment") -> str:
    file = folder / f"{name}.yaml"
    file.write_text(TEXT.format(name=name, port=port))
    return str(file)


def test_a_good_probe(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(keeps()) as port:
        assert main(["probe", "--json", write(tmp_path, port)]) == 0
        found = json.loads(capsys.readouterr().out)
        assert main(["probe", write(tmp_path, port)]) == 0
    assert (found["contract"], found["success"], found["status"], found["failure"]) == (
        "sentiment",
        True,
        200,
        None,
    )
    assert list(found["phases"]) == ["dns", "connect", "tls", "write", "wait", "transfer"]
    assert sum(found["phases"].values()) == pytest.approx(found["latency_seconds"])
    shown = capsys.readouterr().out.splitlines()
    assert max(map(len, shown)) <= 80
    assert any(line.startswith("  wait") and "#" in line for line in shown)
    assert shown[-1] == "  good     p99-1s: under 1s"


def test_a_failed_probe(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(answers(OK.replace(b"200 OK", b"500 No"))) as port:
        assert main(["probe", "--json", write(tmp_path, port)]) == 1
        found = json.loads(capsys.readouterr().out)
        assert main(["probe", write(tmp_path, port)]) == 1
    assert (found["success"], found["failure"], found["status"]) == (False, "status", 500)
    shown = capsys.readouterr().out
    assert "failed: status (status 500)" in shown
    assert "expected 200-299" in shown
    assert shown.splitlines()[-1].startswith("  bad ")


def test_wrong_calls(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [write(tmp_path, 1, name) for name in ("one", "two")]
    assert main(["probe", *files]) == 2
    assert "--name" in capsys.readouterr().err
    assert main(["probe", *files, "--name", "three"]) == 2
    assert "one, two" in capsys.readouterr().err
    assert main(["probe", *files, "--name", "two"]) == 1
    assert main(["probe", str(tmp_path / "none.yaml")]) == 1


@pytest.mark.parametrize("failure", [None, *Failure])
def test_every_outcome_has_a_picture(failure: Failure | None) -> None:
    one = contract(
        "http://127.0.0.1/" + "long/" * 40, objectives=[objective("o" * 63, 0.1), objective("x", None, "excluded")]
    )
    lines = picture(one, sample(1_795_000_000_000_000_000, 40_000_000, failure))
    assert max(map(len, lines)) <= 80
    assert lines[-1].startswith("  left out x:" if failure else "  good     x:")
