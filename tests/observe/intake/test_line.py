"""Bodies wait their turn: one at a time, so many and no more, and those that came are done at the end."""

import asyncio
import threading

import pytest

from keeptime.observe.intake.line import Line
from keeptime.observe.intake.refusing import Busy


def test_one_at_a_time_so_many_wait_and_all_that_came_is_done_at_the_end() -> None:
    open_, done, at_once = threading.Event(), list[int](), list[int]()

    def work(nth: int) -> int:
        at_once.append(nth)
        open_.wait(10)
        assert len(at_once) == len(done) + 1
        done.append(nth)
        return nth

    async def scenario() -> None:
        line = Line(most=3)
        tasks = [asyncio.create_task(line(work, nth)) for nth in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(Busy, match="3 bodies wait"):
            await line(work, 3)
        closing = asyncio.create_task(line.close())
        await asyncio.sleep(0)
        with pytest.raises(Busy, match="keeptime is ending"):
            await line(work, 4)
        open_.set()
        await closing
        assert await asyncio.gather(*tasks) == [0, 1, 2]

    asyncio.run(scenario())
    assert done == [0, 1, 2]


def test_what_it_raises_is_raised_and_the_next_goes_on() -> None:
    async def scenario() -> None:
        line = Line()
        with pytest.raises(ZeroDivisionError):
            await line(lambda: 1 // 0)
        assert await line(lambda: 1) == 1
        await line.close()

    asyncio.run(scenario())
