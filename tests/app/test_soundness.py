"""What `check` and `run` say of a contract that is legal and will not work on this machine."""

from pathlib import Path

import pytest

from keeptime.app.soundness import doubts, unsigned
from keeptime.contract.load import Document, load_files
from tests.contract.given import BASE

TOLD = """
consumers:
  - name: checkout
    tell:
      - webhook: {url: http://127.0.0.1:1/hook, secret: [env:KEEPTIME_TEST_NEW, env:KEEPTIME_TEST_OLD]}
"""
GOOD = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def document(folder: Path) -> Document:
    path = folder / "c.yaml"
    path.write_text(BASE + TOLD)
    (found,) = load_files([path]).documents
    assert found.contract is not None
    return found


@pytest.mark.parametrize("bad", ["no base64!", "whpk_" + "A" * 43 + "=", "whsk_AAAA"])
def test_a_secret_that_cannot_sign_is_a_warning_at_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bad: str
) -> None:
    monkeypatch.setenv("KEEPTIME_TEST_NEW", bad)
    monkeypatch.setenv("KEEPTIME_TEST_OLD", GOOD)
    (problem,) = unsigned(document(tmp_path))
    assert (problem.severity, problem.code) == ("warning", "bad-secret")
    assert "env:KEEPTIME_TEST_NEW" in problem.message
    assert bad not in problem.message
    assert problem in doubts(document(tmp_path), 10.0)


def test_secrets_that_sign_and_secrets_that_are_not_here_are_no_bad_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEEPTIME_TEST_NEW", GOOD)
    monkeypatch.delenv("KEEPTIME_TEST_OLD", raising=False)
    assert unsigned(document(tmp_path)) == ()
