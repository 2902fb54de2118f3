"""A real disk that is full, to the byte: before a breach, and between a receiver's answer and the mark."""

import json
import os
from pathlib import Path

import pytest

from keeptime.consumer import Inbox, Verifier
from tests.e2e.keeping import until
from tests.faults.disk import small_disk
from tests.faults.scene import SLOW, TERMS, Scene, scene

BEATING = TERMS.replace("  - name: checkout\n", "  - name: checkout\n    heartbeat: 1s\n")

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk takes root")


def beats(stage: Scene) -> int:
    """Heartbeats that the consumer took."""
    return sum(json.loads(body)["type"] == "keeptime.heartbeat" for _, body in stage.told.received)


def told(stage: Scene) -> list[tuple[str, dict[str, object]]]:
    """Messages about objectives, repeats too, as (topic, body)."""
    bodies = [json.loads(body) for _, body in stage.told.received]
    return [(each["type"].rsplit(".", 1)[1], each) for each in bodies if each["type"].startswith("keeptime.obj")]


def gaps(stage: Scene) -> list[str]:
    """What a consumer's inbox misses of all that came."""
    missed: list[str] = []
    inbox = Inbox(Verifier([], unsigned=True), lambda got: missed.append(got.gap.text) if got.gap else None)
    for name, body in stage.told.received:
        inbox.take({"webhook-id": name, "webhook-timestamp": "1800000000"}, body, 1_800_000_000.0)
    return missed


@needs_root
def test_fault_08_a_full_disk_before_a_breach_the_notice_goes_out_and_the_heartbeat_stops(tmp_path: Path) -> None:
    with small_disk(tmp_path / "k" / "data") as disk, scene(tmp_path, BEATING) as stage:
        stage.keeptime.start()
        stage.keeptime.await_condition("ok")
        until(lambda: beats(stage) > 0, 15, "a heartbeat")
        disk.fill()
        until(lambda: b"disk is full" in stage.keeptime.get("/healthz"), 20, "keeptime to notice")
        before = beats(stage)
        stage.model.delay = SLOW
        until(lambda: "broken" in [topic for topic, _ in told(stage)], 40, "the notice")
        assert stage.decided() == [], "nothing could be stored"
        assert beats(stage) <= before + 1, "no heartbeat while nothing can be stored, but for one under way"
        early = {str(body["id"]): body for _, body in told(stage)}
        disk.free()
        until(lambda: len(stage.decided()) >= len(early), 30, "all to be stored")
        until(lambda: stage.unsent() == 0, 30, "the outbox to be empty")
        until(lambda: beats(stage) > before, 15, "the heartbeat to come back")
        assert stage.keeptime.end() == 0
        assert gaps(stage) == [], "a consumer that keeps the numbers misses nothing"
        ids = list(dict.fromkeys(str(body["id"]) for _, body in told(stage)))
        assert ids == stage.decided(), "the same ids, in the same order"
        after = {str(body["id"]): body for _, body in told(stage)}
        numbers = ("epoch", "sequence", "previous_id", "missing")
        for name, body in early.items():
            assert [body[each] for each in numbers] == [None] * 4, "it had no numbers yet"
            assert {**body, **{each: after[name][each] for each in numbers}} == after[name]


@needs_root
def test_fault_09_a_disk_full_between_the_answer_and_the_mark_sends_again_with_the_same_id(tmp_path: Path) -> None:
    with small_disk(tmp_path / "k" / "data") as disk, scene(tmp_path) as stage:
        stage.keeptime.start()
        stage.keeptime.await_condition("ok")
        stage.told.before_answer = disk.fill
        stage.model.delay = SLOW
        until(lambda: bool(stage.told.received), 40, "the consumer to take a message")
        stage.told.before_answer = None
        until(lambda: b"outcome of a delivery" in stage.keeptime.get("/healthz"), 20, "keeptime to lack the mark")
        stage.keeptime.kill()
        (name, body), taken = stage.told.received[0], len(stage.told.received)
        assert stage.unsent() == 1
        disk.free()
        stage.keeptime.start()
        until(lambda: len(stage.told.received) > taken, 30, "the message to come again")
        assert stage.told.received[taken] == (name, body)
