"""Whatever is decorated stays what it is, and each call of it is counted once, as it ended."""

import asyncio
import gc
import inspect
import pickle
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from keeptime.middleware import Labels, Recorder
from keeptime.middleware.call import MOST_HELD, Call
from keeptime.middleware.memory import PrivateMemory
from keeptime.middleware.observed import observed, observing
from keeptime.model.key import Signal

from .seen import Seen, only, seen

GAP = 0.02


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


def kept(one: Seen) -> tuple[int, dict[str, int]]:
    return one.ok, one.failed


def test_a_function_stays_what_it_is(recorder: Recorder) -> None:
    @observed("m", recorder=recorder, model_version="v2", route="answer", consumer="checkout")
    def answer(left: int, *, right: int) -> int:
        """Adds."""
        return left + right

    assert answer(1, right=2) == 3
    assert (answer.__name__, answer.__doc__) == ("answer", "Adds.")
    assert seen(recorder) == {Labels("answer", "m", "v2", "checkout"): only(recorder)}
    assert kept(only(recorder)) == (1, {})


@pytest.mark.parametrize(
    ("error", "failure"),
    [(ValueError("x"), "error"), (TimeoutError(), "timeout"), (asyncio.CancelledError(), "disconnect"),
     (KeyboardInterrupt(), "error")],
)  # fmt: skip
def test_what_raises_is_a_failure_and_is_raised(recorder: Recorder, error: BaseException, failure: str) -> None:
    @observed("m", recorder=recorder)
    def answer() -> None:
        raise error

    @observed("m", recorder=recorder)
    async def later() -> None:
        raise error

    for call in (answer, lambda: _driven(later())):
        with pytest.raises(type(error)) as raised:
            call()
        assert raised.value is error
    assert kept(only(recorder)) == (0, {failure: 2})


def _driven(coroutine: Any) -> None:
    """A coroutine that awaits nothing, without an event loop that would make something of what it raises."""
    coroutine.send(None)


def test_a_coroutine_is_timed_to_its_end_and_calls_at_once_are_apart(recorder: Recorder) -> None:
    @observed("m", recorder=recorder)
    async def answer(seconds: float) -> float:
        await asyncio.sleep(seconds)
        if not seconds:
            raise ValueError
        return seconds

    async def many() -> list[Any]:
        return await asyncio.gather(*(answer(each) for each in (0.06, 0.0, 0.03)), return_exceptions=True)

    assert inspect.iscoroutinefunction(answer)
    assert [each for each in asyncio.run(many()) if isinstance(each, float)] == [0.06, 0.03]
    assert kept(only(recorder)) == (2, {"error": 1})
    assert only(recorder).seconds >= 0.09


def test_an_object_that_is_called_and_a_function_with_some_of_its_arguments(recorder: Recorder) -> None:
    class Model:
        async def __call__(self, seconds: float) -> float:
            await asyncio.sleep(seconds)
            return seconds

    model = observed("m", recorder=recorder)(Model())
    part = observed("m", recorder=recorder)(partial(Model.__call__, Model(), GAP))
    assert asyncio.run(model(GAP)) == asyncio.run(part()) == GAP
    assert only(recorder).seconds >= 2 * GAP


def test_a_version_that_is_a_number_is_one(recorder: Recorder) -> None:
    with observing("m", recorder=recorder) as request:
        request.model_version = 3  # type: ignore[assignment]
    assert seen(recorder).keys() == {Labels("", "m", "3")}


def test_a_task_that_is_cancelled_was_left(recorder: Recorder) -> None:
    @observed("m", recorder=recorder)
    async def answer() -> None:
        await asyncio.sleep(60)

    async def left() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(answer(), GAP)

    asyncio.run(left())
    assert kept(only(recorder)) == (0, {"disconnect": 1})


def _stream(recorder: Recorder) -> Callable[[], Iterator[int]]:
    @observed("m", recorder=recorder)
    def pieces() -> Iterator[int]:
        time.sleep(3 * GAP)
        for each in range(3):
            yield each
            time.sleep(GAP)

    return pieces


def _async_stream(recorder: Recorder) -> Callable[[], AsyncIterator[int]]:
    @observed("m", recorder=recorder)
    async def pieces() -> AsyncIterator[int]:
        await asyncio.sleep(3 * GAP)
        for each in range(3):
            yield each
            await asyncio.sleep(GAP)

    return pieces


async def _all(pieces: AsyncIterator[int]) -> list[int]:
    return [each async for each in pieces]


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_generator_has_a_first_token_and_gaps(recorder: Recorder, kind: str) -> None:
    if kind == "sync":
        assert inspect.isgeneratorfunction(_stream(recorder))
        assert list(_stream(recorder)()) == [0, 1, 2]
    else:
        assert inspect.isasyncgenfunction(_async_stream(recorder))
        assert asyncio.run(_all(_async_stream(recorder)())) == [0, 1, 2]
    assert kept(only(recorder)) == (1, {})
    assert only(recorder, Signal.FIRST_TOKEN).seconds >= 3 * GAP
    assert only(recorder, Signal.INTER_TOKEN).ok == 2
    signals = (Signal.FIRST_TOKEN, Signal.INTER_TOKEN, Signal.REQUESTS)
    first, gaps, whole = (only(recorder, each).seconds for each in signals)
    assert gaps >= 2 * GAP
    assert whole >= first + gaps + GAP


def test_a_generator_that_is_left_before_its_end(recorder: Recorder) -> None:
    closed = []

    @observed("m", recorder=recorder)
    def pieces() -> Iterator[int]:
        try:
            yield from range(9)
        finally:
            closed.append("sync")

    @observed("m", recorder=recorder)
    async def later() -> AsyncIterator[int]:
        try:
            for each in range(9):
                yield each
        finally:
            closed.append("async")

    async def leave() -> None:
        stream = later()
        await anext(stream)
        await stream.aclose()  # type: ignore[attr-defined]

    stream = pieces()
    next(stream)
    stream.close()  # type: ignore[attr-defined]
    asyncio.run(leave())
    pieces()  # never asked for anything: no request
    assert closed == ["sync", "async"]
    assert kept(only(recorder)) == (0, {"disconnect": 2})


def test_what_is_sent_and_thrown_into_a_generator_arrives(recorder: Recorder) -> None:
    @observed("m", recorder=recorder)
    def echo() -> Generator[object, object, str]:
        told: object = "ready"
        while told != "end":
            try:
                told = yield told
            except ValueError as error:
                told = f"caught {error}"
        return "done"

    stream = echo()
    assert [next(stream), stream.send("a"), stream.throw(ValueError("b"))] == ["ready", "a", "caught b"]
    with pytest.raises(StopIteration) as ended:
        stream.send("end")
    assert ended.value.value == "done"
    assert kept(only(recorder)) == (1, {})


def test_what_is_sent_and_thrown_into_an_async_generator_arrives(recorder: Recorder) -> None:
    @observed("m", recorder=recorder)
    async def echo() -> Any:
        told: object = "ready"
        while told != "end":
            try:
                told = yield told
            except ValueError as error:
                told = f"caught {error}"

    async def ask() -> list[object]:
        stream = echo()
        said = [await anext(stream), await stream.asend("a"), await stream.athrow(ValueError("b"))]
        with pytest.raises(StopAsyncIteration):
            await stream.asend("end")
        return said

    assert asyncio.run(ask()) == ["ready", "a", "caught b"]
    assert kept(only(recorder)) == (1, {})


def test_a_generator_that_raises_is_a_failure_with_the_gaps_it_had(recorder: Recorder) -> None:
    @observed("m", recorder=recorder)
    def pieces() -> Iterator[int]:
        yield from range(3)
        raise ValueError

    with pytest.raises(ValueError):
        list(pieces())
    assert kept(only(recorder)) == (0, {"error": 1})
    assert kept(only(recorder, Signal.INTER_TOKEN)) == (2, {"error": 1})


@pytest.mark.parametrize("ends", ["well", "badly"])
def test_a_stream_that_goes_on_for_long_holds_little_and_loses_nothing(recorder: Recorder, ends: str) -> None:
    @observed("m", recorder=recorder)
    def pieces() -> Iterator[int]:
        yield from range(2 * MOST_HELD + 10)
        if ends == "badly":
            raise ValueError

    held = 0
    with suppress(ValueError):
        for each in pieces():
            if each == 2 * MOST_HELD:
                held = max(len(call.stamps) for call in gc.get_objects() if isinstance(call, Call))
    assert 0 < held <= MOST_HELD
    assert only(recorder, Signal.INTER_TOKEN).ok == 2 * MOST_HELD + 9
    assert kept(only(recorder)) == ((1, {}) if ends == "well" else (0, {"error": 1}))
    assert kept(only(recorder, Signal.OUTPUT_TOKEN)) == ((1, {}) if ends == "well" else (0, {"error": 1}))


def test_a_block(recorder: Recorder) -> None:
    with observing("m", recorder=recorder) as request:
        request.model_version = "v2"
    with pytest.raises(TimeoutError), observing("m", recorder=recorder, model_version="v2"):
        raise TimeoutError
    with observing("m", recorder=recorder, model_version="v2") as request:
        request.fail()

    async def later() -> None:
        async with observing("m", recorder=recorder, model_version="v2") as request:
            request.chunk()
            await asyncio.sleep(GAP)
            request.chunk()

    asyncio.run(later())
    assert kept(seen(recorder)[Labels("", "m", "v2")]) == (2, {"timeout": 1, "error": 1})
    assert only(recorder, Signal.INTER_TOKEN).seconds >= GAP


def test_a_block_is_for_one_request(recorder: Recorder) -> None:
    block = observing("m", recorder=recorder)
    with pytest.raises(RuntimeError):
        block.chunk()
    with block, pytest.raises(RuntimeError), block:
        pass
    assert kept(only(recorder)) == (1, {})


def test_a_recorder_that_is_sent_to_another_process_counts_there(tmp_path: Path) -> None:
    recorder = Recorder(thresholds=[0.5], path=tmp_path / "counts")
    sent = pickle.dumps(recorder)
    assert pickle.loads(sent) is recorder
    there = (
        "import pickle, sys; from keeptime.middleware import Labels\n"
        f"sent = {sent!r}; recorder = pickle.loads(sent); assert pickle.loads(sent) is recorder\n"
        "recorder.begin().end(Labels(route='there'))"
    )
    recorder.begin().end(Labels(route="here"))
    subprocess.run([sys.executable, "-c", there], check=True, timeout=60)
    assert seen(recorder).keys() == {Labels("here"), Labels("there")}
    with pytest.raises(TypeError, match="cannot be sent"):
        pickle.dumps(Recorder(memory=PrivateMemory()))


def test_all_but_the_interceptors_work_without_grpc() -> None:
    without = (
        "import sys; sys.modules['grpc'] = None\n"
        "import keeptime.middleware.wsgi, keeptime.middleware.observed, keeptime.middleware.django\n"
        "try: import keeptime.middleware.grpc\n"
        "except ImportError: sys.exit(0)\n"
        "sys.exit('it was imported')"
    )
    subprocess.run([sys.executable, "-c", without], check=True, timeout=60)
