"""Fault 33: a silence ended, then kill -9 → it stays ended; a silence made, then kill -9 → it is there.

With it, what a silence does while keeptime runs: operators are muted, the consumer is told, and at its end the
operators are told what is still news.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.keeping import Keeptime, until
from tests.e2e.peers import Consumer, consumer
from tests.faults.scene import TERMS, Scene, scene

OPERATED = TERMS.replace("consumers:", "operators:\n  tell: [{{webhook: env:PAGER}}]\nconsumers:")


@dataclass(frozen=True)
class Office:
    """A scene with an operators' receiver of its own."""

    stage: Scene
    pager: Consumer

    @property
    def one(self) -> Keeptime:
        return self.stage.keeptime

    def keeptime(self, *words: str) -> tuple[int, dict[str, object], str]:
        """`keeptime …` as a user calls it: exit code, its JSON, stderr."""
        command = [sys.executable, "-m", "keeptime", *words, "--url", self.one.url, "--json"]
        done = subprocess.run(command, env=self.one.environment, capture_output=True, text=True, timeout=60)
        return done.returncode, json.loads(done.stdout or "{}"), done.stderr

    def silence(self) -> int:
        code, found, said = self.keeptime(
            "silence", "add", "kept", "--author", "ann", "--reason", "known", "--for", "2h"
        )
        assert code == 0, said
        return int(found["silence"]["id"])  # type: ignore[index]

    def silences(self) -> list[dict[str, object]]:
        return list(json.loads(self.one.get("/api/v1/silences"))["silences"])

    def kill_and_start(self) -> None:
        self.one.kill()
        self.one.start()

    def paged(self) -> list[str]:
        """Each message once: one whose answer a kill cut off comes again under its id."""
        bodies = dict(self.pager.received).values()
        return [json.loads(body)["type"].removeprefix("keeptime.") for body in bodies]


@contextmanager
def office(folder: Path) -> Iterator[Office]:
    with consumer() as pager, scene(folder, OPERATED) as stage:
        stage.keeptime.more = {**stage.keeptime.more, "PAGER": pager.url}
        stage.keeptime.start()
        yield Office(stage, pager)


def test_fault_33_a_silence_made_or_ended_before_a_kill_is_so_after_it(tmp_path: Path) -> None:
    with office(tmp_path) as at:
        number = at.silence()
        at.kill_and_start()
        (there,) = at.silences()
        assert (there["id"], there["author"], there["state"]) == (number, "ann", "active")
        at.stage.breach()
        assert at.paged() == [], "it mutes after the kill"
        muted = [each for each in json.loads(at.one.get("/api/v1/outbox"))["outbox"] if each["muted_by_silence"]]
        assert {(each["audience"], each["muted_by_silence"]) for each in muted} == {("operators", number)}

        code, _, said = at.keeptime("silence", "end", str(number), "--author", "bob")
        assert code == 0, said
        at.kill_and_start()
        assert at.silences() == [], "it stays ended"
        until(lambda: "objective.broken" in at.paged(), 20, "what is still news to be told")
        until(lambda: "service.silence_ended" in at.paged(), 20, "the end to be told")
        assert at.paged().count("objective.broken") == 1
        at.stage.mend()
        until(lambda: at.paged()[-1] == "objective.recovered", 20, "the operators to hear all again")
        kinds = [kind for (kind,) in at.one.rows("SELECT kind FROM ledger WHERE kind LIKE 'silence%' ORDER BY seq")]
        assert kinds == ["silence", "silence_ended"]


def test_fault_33_an_acknowledgement_survives_a_kill_and_ends_with_its_alert(tmp_path: Path) -> None:
    with office(tmp_path) as at:
        code, _, said = at.keeptime("ack", "kept", "--author", "ann")
        assert code == 1
        assert "no objective of kept has an alert that is open" in said
        at.stage.breach()
        code, _, said = at.keeptime("ack", "kept", "--author", "ann", "--note", "on it")
        assert code == 0, said
        at.kill_and_start()
        until(lambda: at.one.objective()["acknowledged"] is not None, 10, "the acknowledgement to be shown")
        assert at.one.objective()["acknowledged"]["author"] == "ann"  # type: ignore[index]
        at.stage.mend()
        (last,) = [body for name, body in at.stage.told.received if name == at.stage.told.once()[-1]][:1]
        assert json.loads(last)["acknowledged"]["note"] == "on it"
        until(lambda: at.one.objective()["acknowledged"] is None, 10, "it to end with the alert")


def test_a_silence_that_can_mean_nothing_is_refused(tmp_path: Path) -> None:
    with office(tmp_path) as at:
        common = ("--author", "ann", "--reason", "known")
        for words, why in (
            (("kpet", *common, "--for", "2h"), "no contract 'kpet' is kept; expected one of kept"),
            (("kept", "--objective", "p50", *common, "--for", "2h"), "kept has no objective 'p50'"),
            (("kept", *common, "--for", "31d"), "expected an end within 30 days"),
            (("kept", *common, "--until", "2001-01-01"), "its end has passed"),
        ):
            code, _, said = at.keeptime("silence", "add", *words)
            assert (code, why in said) == (1, True), said
        code, _, said = at.keeptime("silence", "end", "7", "--author", "ann")
        assert (code, "there is no silence 7" in said) == (1, True)
        code, _, said = at.keeptime("silence", "add", "kept", "--reason", "known", "--for", "2h")
        assert (code, "--author" in said) == (2, True)
        assert at.silences() == []
