"""The options of a pair: what is refused, and with which sentence."""

import subprocess
import sys

import pytest

from keeptime.cli.main import main

WITHOUT = (
    "import sys; sys.modules['psycopg'] = None; from keeptime.cli.main import main; sys.exit(main(sys.argv[1:]))"
)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--store", "postgresql://h/db", "--data", "here"), "give one of them"),
        (("--store", "postgresql://u:secret@h/db"), "read by every user"),
        (("--store", "sqlite:///x"), "expected postgresql://USER@HOST"),
        (("--store", "postgresql://h/db", "--lease", "1h"), "expected 2s to 60s"),
        (("--store", "postgresql://h/db", "--lease", "soon"), "--lease soon"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    options: tuple[str, ...], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "contract.yaml", *options]) == 2
    said = capsys.readouterr().err
    assert says in said
    assert "secret" not in said


def test_without_the_driver_it_says_how_to_install_it() -> None:
    command = [sys.executable, "-c", WITHOUT, "run", "contract.yaml", "--store", "postgresql://h/db"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "pip install 'keeptime[postgresql]'" in done.stderr
    assert "Traceback" not in done.stderr
