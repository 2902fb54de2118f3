"""A process of Python looked at from outside: by the real py-spy where it is, and what is made of what it says."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from keeptime.contract.process import Process
from keeptime.errors import SourceError
from keeptime.observe import pyspy
from keeptime.observe.pyspy import MISSING, PySpy, pid_of, stacks_of

MODEL = """
import threading, time
lock = threading.Lock()
def holding_the_model():
    with lock:
        print("ready", flush=True)
        time.sleep(60)
def predict():
    with lock:
        pass
threading.Thread(target=holding_the_model, daemon=True).start()
time.sleep(0.1)
predict()
"""


def frame(name: str, file: str = "app.py", line: int = 3) -> dict[str, Any]:
    return {"name": name, "filename": f"/srv/model/{file}", "line": line}


def thread(*frames: dict[str, Any], active: bool = True, owns_gil: bool = True) -> dict[str, Any]:
    """Innermost first, as py-spy has them."""
    return {"active": active, "owns_gil": owns_gil, "frames": list(frames)}


def test_threads_that_are_at_work_are_told_with_what_they_do() -> None:
    serve, predict = frame("serve"), frame("predict", line=9)
    said = [
        thread(predict, serve),
        thread(predict, serve, owns_gil=False),
        thread(predict, serve, active=False, owns_gil=False),
        thread(frame("wait"), frame("_worker", "concurrent/futures/thread.py"), active=False),
        thread(frame("select", "selectors.py"), serve, active=False),
        thread(),
    ]
    at = "serve (srv/model/app.py:3);predict (srv/model/app.py:9)"
    assert stacks_of(json.dumps(said)) == [at, f"{at};[native code]", f"{at};[waiting]"]


@pytest.mark.parametrize("said", ["", "[", "{}x", '[{"frames": 3}]', "[1]", '[{"frames": [{}]}]', "7"])
def test_what_is_no_list_of_threads_is_refused(said: str) -> None:
    with pytest.raises(SourceError, match="no list of threads"):
        stacks_of(said)


def test_the_number_of_a_process_is_read_anew(tmp_path: Path) -> None:
    file = tmp_path / "model.pid"
    assert pid_of(Process(4711, "")) == 4711
    for text, why in ((None, "No such file"), ("", "expected the number"), ("-5", "expected"), ("1", "expected")):
        if text is not None:
            file.write_text(text)
        with pytest.raises(SourceError, match=why):
            pid_of(Process(None, str(file)))
    file.write_text("4711\n")
    assert pid_of(Process(None, str(file))) == 4711


def looked(spy: PySpy, pid: int, seconds: float = 0.2) -> tuple[tuple[str, int], ...]:
    return asyncio.run(spy.look(Process(pid, "", seconds)))


def test_where_it_is_not_installed_that_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert PySpy().problem() == MISSING
    with pytest.raises(SourceError, match="not installed"):
        looked(PySpy(), 4711)


def script(tmp_path: Path, text: str) -> str:
    file = tmp_path / "py-spy"
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)
    return str(file)


def test_what_it_cannot_do_is_said_in_its_words_and_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refusing = script(tmp_path, 'echo "Error: Permission denied (os error 1)" >&2; exit 1')
    with pytest.raises(SourceError, match="cannot look at process 4711: Error: Permission denied"):
        looked(PySpy(refusing), 4711)
    monkeypatch.setattr(pyspy, "PATIENCE", 0.2)
    with pytest.raises(SourceError, match="said nothing of process 4711"):
        looked(PySpy(script(tmp_path, "exec sleep 60")), 4711)
    with pytest.raises(SourceError, match="cannot be run"):
        looked(PySpy(str(tmp_path / "nothing")), 4711)


def test_a_look_that_fails_now_and_then_is_passed_over(tmp_path: Path) -> None:
    said = json.dumps([thread(frame("predict"))])
    script(tmp_path, f"echo x >> {tmp_path}/n; test $(($(wc -l < {tmp_path}/n) % 3)) = 0 || exit 1; echo '{said}'")
    found = looked(PySpy(str(tmp_path / "py-spy")), 4711)
    assert found == (("predict (srv/model/app.py:3)", 3),)


@pytest.mark.skipif(
    not (Path(sys.executable).with_name("py-spy").exists() or shutil.which("py-spy")), reason="py-spy is an extra"
)
def test_the_real_one_says_where_a_model_stands() -> None:
    with subprocess.Popen([sys.executable, "-c", MODEL], stdout=subprocess.PIPE) as model:
        try:
            assert model.stdout is not None
            assert model.stdout.readline() == b"ready\n"
            try:
                found = dict(looked(PySpy(), model.pid))
            except SourceError as error:
                if "ermission" in str(error) and os.geteuid() != 0:
                    pytest.skip(str(error))
                raise
        finally:
            model.kill()
    waiting = {stack for stack in found if "predict (" in stack and stack.endswith(";[waiting]")}
    assert waiting
    assert any("holding_the_model (" in stack for stack in found)
