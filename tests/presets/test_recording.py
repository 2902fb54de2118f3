"""The real servers still say what was recorded of them: run anew, where their packages can be had."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from .expositions import RECORDED

ROOT = Path(__file__).resolve().parents[2]


def _shape(path: Path) -> set[tuple[str, frozenset[str], str]]:
    """Names, labels and bounds, whatever was counted."""
    found = set()
    for name, labels in re.findall(r"^([a-z_:]+)\{(.*)\} ", path.read_text("utf-8"), re.MULTILINE):
        keys = frozenset(re.findall(r'(\w+)="', labels))
        bound = re.search(r'\ble="([^"]*)"', labels)
        found.add((name, keys, bound[1] if bound else ""))
    return found


def test_a_shape_is_more_than_nothing() -> None:
    assert all(len(_shape(path)) >= 15 for path in RECORDED)


@pytest.mark.soak
@pytest.mark.timeout(900)
@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_the_server_says_what_was_recorded(path: Path, tmp_path: Path) -> None:
    command = [ROOT / "scripts/record-presets", path.stem.replace("-", "_")]
    done = subprocess.run(command, env={**os.environ, "OUT": str(tmp_path)}, capture_output=True, text=True)
    if "cannot be installed" in done.stderr:
        pytest.skip(done.stderr.splitlines()[-1])
    assert done.returncode == 0, done.stderr[-2000:]
    assert _shape(tmp_path / path.name) == _shape(path)
