"""`keeptime export` from the command line."""

import json
import subprocess
import sys
from pathlib import Path

import pytest


def keeptime(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "keeptime", *words], capture_output=True, text=True, timeout=60)


CONTRACT = """\
contract: sentiment
endpoint: {url: "http://127.0.0.1:5000/predict"}
observe: [{probe: 10s}]
objectives: [99% of requests under 500ms over 28d]
operators: {tell: ["log:"]}
"""


@pytest.fixture
def contract(tmp_path: Path) -> Path:
    path = tmp_path / "contract.yaml"
    path.write_text(CONTRACT)
    return path


@pytest.mark.parametrize(
    ("kind", "files"),
    [
        ("prometheus", ["prometheus.yml", "rules/sentiment.yml", "tests/sentiment.yml"]),
        ("alertmanager", ["alertmanager.yml"]),
        ("grafana", ["sentiment.json", "provisioning.yaml"]),
    ],
)
def test_files_are_written_and_named(kind: str, files: list[str], contract: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = keeptime("export", kind, str(contract), "-o", str(out))
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [f"{out}/{name}" for name in files]
    assert done.stderr.splitlines()[-1].startswith("Next: ")
    assert all((out / name).stat().st_size for name in files)


def test_what_an_export_decides_otherwise_is_said(contract: Path, tmp_path: Path) -> None:
    done = keeptime("export", "sloth", str(contract), "-o", str(tmp_path / "out"))
    said = "p99-500ms: its policy is buckets; Sloth's own alerts are used instead."
    assert f"keeptime export: warning: sentiment/{said}" in done.stderr
    assert f"# {said}" in (tmp_path / "out" / "sentiment.yaml").read_text()


@pytest.mark.parametrize("kind", ["prometheus", "sloth"])
def test_maintenance_that_rules_do_not_know_is_said(kind: str, contract: Path, tmp_path: Path) -> None:
    window = "{start: 2026-11-01, lasts: 2h, reason: restart, author: ops}"
    contract.write_text(f"{contract.read_text()}maintenance:\n  - {window}\n")
    done = keeptime("export", kind, str(contract), "-o", str(tmp_path / "out"))
    assert "warning: sentiment/p99-500ms: its maintenance is not known to the rules" in done.stderr


@pytest.mark.parametrize("kind", ["openslo", "sloth"])
def test_the_other_kinds_are_written_too(kind: str, contract: Path, tmp_path: Path) -> None:
    done = keeptime("export", kind, str(contract), "-o", str(tmp_path / "out"))
    assert done.returncode == 0, done.stderr
    assert list((tmp_path / "out").iterdir())


def test_json_says_what_was_written(contract: Path, tmp_path: Path) -> None:
    done = keeptime("export", "grafana", str(contract), "-o", str(tmp_path / "out"), "--json")
    assert json.loads(done.stdout) == {
        "kind": "grafana",
        "output": str(tmp_path / "out"),
        "contracts": ["sentiment"],
        "files": ["sentiment.json", "provisioning.yaml"],
    }


def test_an_invalid_contract_writes_nothing(contract: Path, tmp_path: Path) -> None:
    contract.write_text(CONTRACT.replace("99%", "0.99"))
    done = keeptime("export", "prometheus", str(contract), "-o", str(tmp_path / "out"))
    assert done.returncode == 1
    assert "expected a percentage: write 99%" in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_directory_that_exists_is_refused(contract: Path, tmp_path: Path) -> None:
    done = keeptime("export", "prometheus", str(contract), "-o", str(tmp_path))
    assert done.returncode == 1
    assert "exists; choose another directory, or say --force" in done.stderr
    assert keeptime("export", "prometheus", str(contract), "-o", str(tmp_path), "--force").returncode == 0
    assert contract.read_text() == CONTRACT


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--interval", "7s"], "does not divide a minute; expected 1s, 5s"),
        (["--interval", "soon"], "--interval: 'soon' is no duration"),
        (["--interval", "500ms"], "does not divide a minute"),
        (["--source", "histogram"], "names no series for --source histogram; expected `observe"),
        (["--source", "elsewhere"], "invalid choice: 'elsewhere'"),
        (["--keeptime-address", "keeptime"], "--keeptime-address: 'keeptime' is no address; expected HOST:PORT"),
        (["--alertmanager-address", "http://a:9093"], "--alertmanager-address: 'http://a:9093' is no address"),
    ],
)
def test_a_wrong_call_is_one_sentence(words: list[str], said: str, contract: Path, tmp_path: Path) -> None:
    done = keeptime("export", "prometheus", str(contract), "-o", str(tmp_path / "out"), *words)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unknown_kind_names_those_there_are(contract: Path, tmp_path: Path) -> None:
    done = keeptime("export", "datadog", str(contract), "-o", str(tmp_path / "out"))
    assert done.returncode == 2
    assert "invalid choice: 'datadog'" in done.stderr
    assert "alertmanager" in done.stderr
