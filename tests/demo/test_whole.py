"""The whole demo, as a person starts it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from keeptime.demo.story import EXPECTED, missing
from tests.demo.test_pieces import alive

DEMO = [sys.executable, "-m", "keeptime", "demo"]


def descendants(pid: int) -> set[int]:
    """Processes that this one has started, and those that they have; one that ends meanwhile has none."""
    found: set[int] = set()
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except FileNotFoundError:
        return found
    for child in children:
        found |= {int(child)} | descendants(int(child))
    return found


@pytest.mark.timeout(420)
def test_it_shows_all_and_leaves_nothing(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [*DEMO, "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"TMPDIR": str(tmp_path)},
    )
    assert process.stderr is not None
    story, started = [], set()
    for line in process.stderr:
        story.append(line)
        started |= descendants(process.pid)
    told = process.stdout.read() if process.stdout else ""
    code = process.wait()
    assert code in (0, 1), "".join(story)
    body = json.loads(told)
    assert missing([each["topic"] for each in body["received"]], EXPECTED) == ()
    assert len(started) >= 3
    assert [pid for pid in started if alive(pid)] == []
    assert list(tmp_path.iterdir()) == []
    assert "refused after" in "".join(story)
    right = {each["fault"]: each["right"] for each in body["causes"]}
    assert list(right) == ["dependency", "queue", "lock", "gc", "inference"]
    assert code == (0 if all(right.values()) else 1)
    assert sum(right.values()) >= 3, (
        f"a machine that is busy with other tests may hide one or two: {body['causes']}"
    )
