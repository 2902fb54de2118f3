"""Fault 30: an invalid reload → the old contract goes on, and the operators are told."""

import json
import subprocess
import sys
from pathlib import Path

from tests.e2e.keeping import Keeptime, until
from tests.faults.scene import TERMS, Scene, scene

OPERATED = TERMS.replace("consumers:", "operators:\n  tell: [{{webhook: env:HOOK}}]\nconsumers:")


def reload(one: Keeptime, *options: str) -> tuple[int, str, str]:
    """`keeptime reload` as a user calls it: exit code, stdout, stderr."""
    command = [sys.executable, "-m", "keeptime", "reload", "--url", one.url, "--author", "ann", *options]
    done = subprocess.run(command, env=one.environment, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout, done.stderr


def service_messages(stage: Scene) -> list[dict[str, object]]:
    bodies = [json.loads(body) for _, body in stage.told.received]
    return [each for each in bodies if each["type"] == "keeptime.service.reload_refused"]


def test_fault_30_what_is_not_valid_or_lacks_a_secret_changes_nothing_and_the_operators_hear(
    tmp_path: Path,
) -> None:
    with scene(tmp_path, OPERATED) as stage:
        one = stage.keeptime
        one.start()
        good = OPERATED.format(url=stage.model.url)
        version = one.view()["version"]

        one.write(good.replace("90%", "100%"))
        code, _, said = reload(one)
        assert code == 1
        assert f"{one.contract}:6:5" in said
        until(lambda: bool(service_messages(stage)), 20, "the operators to be told")
        assert f"{one.contract}:6:5" in str(service_messages(stage)[0]["reason"])
        assert f"{one.contract}:6:5" in str(one.api()["reload_error"])
        assert b"keeptime_reload_refused 1.0" in one.get("/metrics")

        one.write(good.replace("env:HOOK_SECRET", "env:NOT_THERE"))
        code, said, _ = reload(one, "--json")
        assert code == 1
        (problem,) = json.loads(said)["problems"]
        assert (problem["code"], problem["line"] > 1) == ("no-value", True)

        assert one.view()["version"] == version, "the old contract goes on"
        stage.breach()

        one.write(good.replace("90%", "80%"))
        code, said, _ = reload(one, "--json")
        assert code == 0
        (changed,) = json.loads(said)["changed"]
        assert (changed["contract"], changed["from"], changed["to"]) == ("kept", version, one.view()["version"])
        assert one.api()["reload_error"] is None


def test_fault_30_watched_files_are_read_again_once_they_are_whole(tmp_path: Path) -> None:
    with scene(tmp_path) as stage:
        one = stage.keeptime
        one.options = ("--watch",)
        one.start()
        text = TERMS.format(url=stage.model.url)
        one.write(text.replace("90%", "100%"))
        until(lambda: one.api()["reload_error"] is not None, 20, "the refusal")
        assert one.objective()["target"] == 0.9
        one.write(text.replace("90%", "70%"))
        until(lambda: one.objective()["target"] == 0.7, 20, "the change to be read")
        assert one.api()["reload_error"] is None
