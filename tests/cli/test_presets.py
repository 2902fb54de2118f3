"""`keeptime presets`: the list, all of one, and the name that nobody has."""

import json

import pytest

from keeptime.contract.presets import library
from keeptime.errors import UsageError

from .commands import run


def test_the_list_has_every_one_with_what_it_tells(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("presets") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1 : 1 + len(library.names())]] == list(library.names())
    triton = next(line for line in lines if line.startswith("triton"))
    assert "mean, histogram" in triton
    assert "told by counters" in triton


def test_all_of_one_has_its_metrics_bounds_traps_refusals_and_a_contract(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run("presets", "triton") == 0
    out = capsys.readouterr().out
    assert "nv_inference_request_success, in microseconds" in out
    assert "judges     100ms, 500ms, 2s, 5s" in out
    assert "percentiles cannot come from Triton's counters" in out
    assert "preset: triton" in out
    assert "99.9% of requests succeed" in out


def test_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("presets", "--json") == 0
    listed = json.loads(capsys.readouterr().out)["presets"]
    assert [each["preset"] for each in listed] == list(library.names())
    assert run("presets", "ray-serve", "--json") == 0
    one = json.loads(capsys.readouterr().out)
    assert one["metrics"][0]["unit"] == "milliseconds"
    assert one["metrics"][0]["buckets_seconds"][0] == 0.001
    assert "preset: ray-serve" in one["contract"]


def test_an_unknown_name_says_which_is_meant() -> None:
    with pytest.raises(UsageError, match=r"did you mean 'triton'\?; there are bentoml, .*vllm"):
        run("presets", "trition")
