"""The mapped file: who owns which segment, what a death leaves, and what is no such file."""

import functools
import multiprocessing
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from keeptime.middleware import Labels, Recorder
from keeptime.middleware.grouping import master
from keeptime.middleware.learning import teach
from keeptime.middleware.mapped import SharedMemory
from keeptime.middleware.totals import Totals, totals
from keeptime.model.key import Signal
from tests.servers import wait_until

FORK = multiprocessing.get_context("fork")
LABELS = Labels("/predict")


def _counts(found: Totals) -> dict[str, int]:
    return {each.signal: each.count for each in found.series}


def _child(work: Callable[[], None]) -> int:
    """Do it in a forked child; its exit code."""
    process = FORK.Process(target=work)
    process.start()
    process.join(30)
    assert process.exitcode is not None
    return process.exitcode


def _serve(recorder: Recorder, requests: int = 1) -> None:
    for _ in range(requests):
        recorder.begin().end(LABELS)


@pytest.fixture
def recorder(tmp_path: Path) -> Recorder:
    return Recorder(path=tmp_path / "counts", thresholds=[0.5])


def test_forked_children_count_in_segments_of_their_own_and_what_is_dead_is_taken_over(
    recorder: Recorder, tmp_path: Path
) -> None:
    _serve(recorder)
    size = []
    for _ in range(5):
        assert _child(lambda: _serve(recorder, 10)) == 0
        size.append((tmp_path / "counts").stat().st_size)
    assert _counts(totals(recorder.memory)) == {"requests": 51}
    assert totals(recorder.memory).workers == 1
    assert len(set(size)) == 1, "a dead child's segment is used again"


def test_what_a_dead_worker_had_under_way_is_in_flight_no_more(recorder: Recorder) -> None:
    recorder.come()

    def dying() -> None:
        recorder.come()
        recorder.come()
        assert totals(recorder.memory).in_flight == 3
        os.kill(os.getpid(), signal.SIGKILL)

    assert _child(dying) == -signal.SIGKILL
    assert totals(recorder.memory).in_flight == 1
    assert _child(lambda: _serve(recorder)) == 0
    assert totals(recorder.memory).in_flight == 1


def _counted(recorder: Recorder) -> int:
    return sum(each.count for each in totals(recorder.memory).series[:1])


def test_a_kill_at_any_instant_leaves_totals_that_agree_and_never_fall(recorder: Recorder) -> None:
    def busily() -> None:
        series = recorder.series(LABELS)
        while True:
            recorder.come()
            series.streamed(0.0, [0.1, 0.2, 0.4], 0.45)

    before = 0
    for wait in range(8):
        process = FORK.Process(target=busily)
        process.start()
        wait_until(lambda seen=before: _counted(recorder) > seen, 30, "a worker to count")
        time.sleep(wait / 1000)
        process.kill()
        process.join()
        (requests, *_, output) = totals(recorder.memory).series
        assert before <= requests.count <= output.count <= requests.count + wait + 1
        assert requests.count - wait - 1 <= requests.within[500_000_000] <= requests.count
        before = requests.count
    assert before > 0


def test_a_threshold_is_told_once_every_living_worker_counts_it_and_exactly_then(recorder: Recorder) -> None:
    series = recorder.series(LABELS)
    series.served(0.2999)

    def other() -> None:
        recorder.series(LABELS).served(0.2999)
        signal.pause()

    process = FORK.Process(target=other, daemon=True)
    process.start()
    try:
        wait_until(lambda: _counts(totals(recorder.memory)) == {"requests": 2}, 10, "the other to count")
        recorder.learn([0.3])
        teach(recorder.memory.taught(), {Signal.REQUESTS: [0.3]})
        assert 300_000_000 not in totals(recorder.memory).series[0].within
    finally:
        process.kill()
        process.join()
    before = totals(recorder.memory).series[0].within[300_000_000]
    for seconds in (0.1, 0.2999, 0.3001):
        series.served(seconds)
    assert _child(lambda: recorder.series(LABELS).served(0.2998)) == 0
    assert totals(recorder.memory).series[0].within[300_000_000] == before + 3


def test_threads_of_a_process_lose_no_count(recorder: Recorder) -> None:
    threads = [threading.Thread(target=_serve, args=(recorder, 2000)) for _ in range(4)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for each in threads:
            each.start()
        for each in threads:
            each.join()
    finally:
        sys.setswitchinterval(interval)
    assert _counts(totals(recorder.memory)) == {"requests": 8000}
    assert totals(recorder.memory).in_flight == 0


PROGRAM = """
import sys
from keeptime.middleware import Labels, Recorder
from keeptime.middleware.totals import totals
recorder = Recorder(path=sys.argv[1])
recorder.begin().end(Labels("/predict"))
found = totals(recorder.memory)
print(found.instance, sum(each.count for each in found.series), found.workers)
"""


def _another_program(path: Path, program: str = PROGRAM, **more: Any) -> list[str]:
    done = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, **more)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_programs_that_give_one_path_share_it_while_one_lives(recorder: Recorder, tmp_path: Path) -> None:
    _serve(recorder)
    assert _another_program(tmp_path / "counts") == [recorder.memory.instance, "2", "2"]


def test_the_file_of_an_earlier_run_is_not_counted_on(tmp_path: Path) -> None:
    first, second = (_another_program(tmp_path / "counts") for _ in range(2))
    assert first[1:] == second[1:] == ["1", "1"]
    assert first[0] != second[0]


@pytest.mark.parametrize("content", [b"x" * 100, b"x" * 200_000, bytes(100)])
def test_somebody_elses_file_is_left_as_it_is(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "counts").write_bytes(content)
    recorder = Recorder(path=tmp_path / "counts")
    _serve(recorder)
    assert _counts(totals(recorder.memory)) == {"requests": 1}
    assert (tmp_path / "counts").read_bytes() == content


def test_an_empty_file_is_used(tmp_path: Path) -> None:
    (tmp_path / "counts").touch()
    _serve(Recorder(path=tmp_path / "counts"))
    assert (tmp_path / "counts").stat().st_size > 0


def test_a_link_or_a_folder_is_never_followed_and_counts_are_private_then(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "victim").write_bytes(b"mine")
    (tmp_path / "link").symlink_to(tmp_path / "victim")
    for path in (tmp_path / "link", tmp_path, tmp_path / "none" / "counts"):
        recorder = Recorder(path=path)
        _serve(recorder)
        assert _counts(totals(recorder.memory)) == {"requests": 1}
        assert "not shared" in caplog.text
        caplog.clear()
    assert (tmp_path / "victim").read_bytes() == b"mine"


FULL = """
import resource, sys
from keeptime.middleware import Labels, Recorder
from keeptime.middleware.totals import totals
recorder = Recorder(path=sys.argv[1])
recorder.begin().end(Labels("/predict"))
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
for number in range(50):
    recorder.begin().end(Labels(f"/{number}"))
print(sum(each.count for each in totals(recorder.memory).series) < 51, totals(recorder.memory).in_flight)
"""


def test_a_full_disk_costs_counts_and_nothing_else(tmp_path: Path) -> None:
    assert _another_program(tmp_path / "counts", FULL) == ["True", "0"]


def test_the_file_is_for_its_owner_alone(recorder: Recorder, tmp_path: Path) -> None:
    _serve(recorder)
    assert stat.S_IMODE((tmp_path / "counts").stat().st_mode) == 0o600


def test_a_file_without_a_path_goes_with_its_server(tmp_path: Path) -> None:
    program = PROGRAM.replace("path=sys.argv[1]", "") + "print(recorder.memory._path)"
    path = Path(_another_program(tmp_path, program)[-1])
    assert "counts" in path.name
    assert not path.exists()


def test_a_forked_child_is_of_its_parents_server_and_another_program_is_not() -> None:
    own = master()
    assert own.pid == os.getpid() or own.pid == os.getppid()
    assert _child(lambda: sys.exit(0 if master() == own else 1)) == 0
    told = _another_program(Path(), "from keeptime.middleware.grouping import master; print(*master())")
    assert told != [str(each) for each in own]


def test_a_spawned_worker_is_of_its_parents_server(tmp_path: Path) -> None:
    program = """
import multiprocessing
from keeptime.middleware.grouping import master
from keeptime.middleware.learning import teach
def told(queue): queue.put(master())
if __name__ == "__main__":
    spawn = multiprocessing.get_context("spawn")
    queue = spawn.Queue()
    spawn.Process(target=told, args=(queue,)).start()
    print(queue.get() == master())
"""
    (tmp_path / "spawning.py").write_text(program)
    done = subprocess.run([sys.executable, tmp_path / "spawning.py"], capture_output=True, text=True)
    assert done.stdout == "True\n", done.stderr


def test_two_recorders_of_a_process_with_one_path_do_not_write_to_one_segment(tmp_path: Path) -> None:
    one, other = (Recorder(path=tmp_path / "counts") for _ in range(2))
    _serve(one, 3)
    _serve(other, 4)
    assert _counts(totals(one.memory)) == _counts(totals(other.memory)) == {"requests": 7}
    assert isinstance(one.memory, SharedMemory)


def test_labels_of_many_lives_of_a_worker_lose_no_request(recorder: Recorder) -> None:
    def serve(life: int) -> None:
        for number in range(life * 256, (life + 1) * 256):
            recorder.begin().end(Labels(f"/{number % 100}", consumer=f"c{number // 100}"))

    for life in range(5):
        assert _child(functools.partial(serve, life)) == 0
    found = totals(recorder.memory)
    assert sum(each.count for each in found.series) == 5 * 256
    (other,) = [each for each in found.series if each.labels == Labels("other", consumer="other")]
    assert other.count == found.capped
