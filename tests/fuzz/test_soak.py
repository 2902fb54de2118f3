"""Every target for KEEPTIME_FUZZ_SECONDS (20) under atheris, from the words that get past its door."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.targets import TARGETS, words

pytestmark = [
    pytest.mark.soak,
    pytest.mark.skipif(
        importlib.util.find_spec("atheris") is None,
        reason="atheris is not installed: `scripts/tools` installs it on Linux x86_64 with Python 3.11 to 3.14",
    ),
]
SECONDS = int(os.environ.get("KEEPTIME_FUZZ_SECONDS", "20"))
ROOT = Path(__file__).resolve().parents[2]


def prepared(folder: Path, name: str) -> tuple[Path, Path]:
    """A corpus and a dictionary made of the target's words."""
    corpus, dictionary = folder / "corpus", folder / "words"
    corpus.mkdir()
    found = [each for each in words(name) if each]
    for nth, word in enumerate(found):
        (corpus / str(nth)).write_bytes(word)
    (corpus / "all").write_bytes(b"".join(each for each in found if len(each) < 100))
    lines = ['"' + "".join(f"\\x{byte:02x}" for byte in each) + '"' for each in found if len(each) <= 64]
    dictionary.write_text("\n".join(lines) + "\n")
    return corpus, dictionary


@pytest.mark.parametrize("name", TARGETS)
def test_the_fuzzer_finds_nothing(name: str, tmp_path: Path) -> None:
    corpus, dictionary = prepared(tmp_path, name)
    options = [f"-max_total_time={SECONDS}", "-timeout=20", "-rss_limit_mb=2048", "-max_len=4096"]
    options += [f"-dict={dictionary}", f"-artifact_prefix={tmp_path}/", str(corpus)]
    command = [sys.executable, "-m", "tests.fuzz.fuzzing", name, *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS * 3 + 60)
    found = [(each.name, each.read_bytes()) for each in tmp_path.glob("*-*")]
    assert (done.returncode, found) == (0, []), (done.stdout + done.stderr)[-4000:]
