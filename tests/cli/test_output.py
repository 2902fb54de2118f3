"""Where output goes that cannot be written as it is: other encodings, a full disk, a reader that has gone."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contract.given import BASE

FULL = Path("/dev/full")


def keeptime(
    *words: str, stdout: int | None = subprocess.PIPE, **environment: str
) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "keeptime", *words]
    return subprocess.run(
        command, stdout=stdout, stderr=subprocess.PIPE, timeout=30, env=os.environ | environment, check=False
    )


def test_a_locale_without_the_signs_is_given_others(tmp_path: Path) -> None:
    contract = tmp_path / "contract.yaml"
    contract.write_text(BASE, "utf-8")
    done = keeptime("check", str(contract), PYTHONIOENCODING="ascii")
    assert done.returncode == 0
    assert b"precision      ?4 % of the budget" in done.stdout
    assert done.stderr == b""


@pytest.mark.skipif(not FULL.exists(), reason="no /dev/full")
@pytest.mark.parametrize("words", [("schema",), ("check",)])
def test_a_full_disk_is_said_in_one_sentence(words: tuple[str, ...], tmp_path: Path) -> None:
    contract = tmp_path / "contract.yaml"
    contract.write_text(BASE, "utf-8")
    given = [str(contract)] if words == ("check",) else []
    with FULL.open("wb") as full:
        done = keeptime(*words, *given, stdout=full.fileno())
    assert done.returncode == 1
    assert done.stderr == b"keeptime: the output cannot be written: no space is left where it goes\n"


def test_a_reader_that_has_gone_ends_it_quietly() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = keeptime("schema", stdout=writing)
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, b"")
