"""Terms that no export has words for are left out, and that is said."""

from pathlib import Path

import pytest

from keeptime.cli.main import main

TEXT = """\
contract: c
endpoint: {{url: http://127.0.0.1:5000/predict}}
observe: [probe: {{every: 1s, timeout: 5s}}]
objectives:
  - {first}
  - 99% of 5m intervals with p95 under 500ms over 28d
operators: {{tell: ["log:"]}}
"""


def exported(folder: Path, kind: str, first: str) -> int:
    (folder / "c.yaml").write_text(TEXT.format(first=first))
    return main(["export", kind, str(folder / "c.yaml"), "-o", str(folder / "out")])


@pytest.mark.parametrize("kind", ["prometheus", "grafana", "openslo", "sloth"])
def test_what_can_be_said_is_exported(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert exported(tmp_path, kind, "99% of requests under 200ms over 28d") == 0
    said = capsys.readouterr().err
    assert f"c/p95-5m-500ms-99: {kind} cannot say statistics of intervals (each); it is left out." in said
    text = "".join(each.read_text("utf-8") for each in (tmp_path / "out").rglob("*") if each.is_file())
    assert "p99-200ms" in text
    assert "p95-5m" not in text


def test_nothing_is_left(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert exported(tmp_path, "prometheus", "99% of requests under 1s over 1h if 1000 requests, else 24h") == 2
    assert "cannot say a window that follows the traffic" in capsys.readouterr().err


def test_segments_are_not_exported_and_that_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    split = "{target: 99%, under: 200ms, over: 28d, per: status}"
    assert exported(tmp_path, "prometheus", split) == 0
    assert "c/p99-200ms: its segments (per) are judged by keeptime alone" in capsys.readouterr().err
