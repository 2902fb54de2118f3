"""References give their values, and only when asked."""

import json
from pathlib import Path

import pytest

from keeptime.contract.fingerprint import written
from keeptime.contract.load import load_files
from keeptime.contract.machine import lacking
from keeptime.contract.probed import SecretRef
from keeptime.contract.secrets import resolve
from keeptime.errors import SecretError

from .given import BASE, changed, valid


def test_an_environment_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEEPTIME_TEST_TOKEN", "abc")
    assert resolve("env:KEEPTIME_TEST_TOKEN") == resolve(SecretRef("env", "KEEPTIME_TEST_TOKEN")) == "abc"


def test_a_file_loses_one_newline(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("abc\n\n")
    assert resolve(f"file:{path}") == "abc\n"


@pytest.mark.parametrize(
    "ref",
    ["env:KEEPTIME_TEST_UNSET", "file:/nonexistent/token", "file:/tmp", "canary-hunter2", "env:", "http://canary"],
)
def test_no_value_names_the_reference_only(ref: str) -> None:
    with pytest.raises(SecretError) as caught:
        resolve(ref)
    assert "canary" not in str(caught.value)


def test_an_empty_value_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEEPTIME_TEST_TOKEN", "")
    with pytest.raises(SecretError, match="is empty"):
        resolve("env:KEEPTIME_TEST_TOKEN")


@pytest.mark.parametrize("data", [b"x" * 70_000, b"canary\xff"])
def test_a_file_that_is_no_secret(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "token"
    path.write_bytes(data)
    with pytest.raises(SecretError) as caught:
        resolve(f"file:{path}")
    assert "canary" not in str(caught.value)


def test_what_is_kept_of_a_contract_has_no_query_of_a_url() -> None:
    text = changed("5000/predict", "5000/predict?key=hunter2&plain=\\")
    text = text.replace('"log:"', '"webhook:https://hook.example/in?sig=hunter2", "log:"')
    one = valid(text)
    said = json.loads(written(one))
    assert said["endpoint"]["url"] == "http://127.0.0.1:5000/predict?***"
    assert said["operators"][0]["target"] == "https://hook.example/in?***"
    assert "hunter2" not in written(one)
    other = valid(text.replace("key=hunter2", "key=hunter3"))
    assert other.version != one.version
    assert written(other) == written(one)


def test_what_this_machine_lacks_is_a_warning_at_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KEEPTIME_TEST_TOKEN", raising=False)
    path = tmp_path / "c.yaml"
    text = BASE.replace("http:", "https:").replace(
        "  json:", "  headers: {Authorization: env:KEEPTIME_TEST_TOKEN}\n  tls: {ca: ca.pem}\n  json:"
    )
    path.write_text(text)
    (document,) = load_files([path]).documents
    assert document.problems == ()
    first, second = lacking(document)
    assert (first.line, first.column, first.severity, first.code) == (4, 28, "warning", "no-value")
    assert f"{tmp_path}/ca.pem cannot be read" in second.message
    (tmp_path / "ca.pem").write_bytes(b"\xff" * 100_000)
    monkeypatch.setenv("KEEPTIME_TEST_TOKEN", "abc")
    assert lacking(document) == ()
