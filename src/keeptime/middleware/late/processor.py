"""Did a thread run between two looks at it, or wait? By its own clock of processor time.

Guarantees: says only what can be known, by the processor time of the thread and the instruction that it stands at:

- RUNS_NATIVE: it ran, and stands where Python never gives the interpreter's lock up: it is in code that is not
  Python and gave it up there; or it stands at the same call of the same frame as before;
- WAITS: it stood still in a call: a lock, a socket, a sleep;
- WAITS_FOR_GIL: it stood still where Python itself gives the interpreter's lock up, and nowhere else waits.

Where the system has no such clock (Linux has) nothing is said.
"""

import sys
import threading
import time
from dis import opmap
from types import FrameType

RUNS_NATIVE, WAITS, WAITS_FOR_GIL = "[native code]", "[waiting]", "[waiting for the GIL]"
RAN, STOOD = 0.5, 0.2
"""Shares of the time between two looks: from RAN on it ran, below STOOD it stood still."""

_YIELDS = frozenset(code for name, code in opmap.items() if name == "RESUME" or "JUMP_BACKWARD" in name)
_CALLS = frozenset(code for name, code in opmap.items() if name.startswith(("CALL", "PRECALL", "ENTER_EXECUTOR")))


class Look:
    """One look at a thread; `clock`: processor seconds, None where they are not known."""

    __slots__ = ("at", "clock", "frame", "instruction")

    def __init__(self, at: float, clock: float | None, top: FrameType) -> None:
        self.at, self.clock = at, clock
        self.frame, self.instruction = id(top), top.f_lasti


def told(before: Look | None, now: Look, top: FrameType) -> str | None:
    """What the thread did in between; None where it ran Python, or it cannot be known."""
    if before is None or before.clock is None or now.clock is None or now.at <= before.at:
        return None
    share = (now.clock - before.clock) / (now.at - before.at)
    instruction = _instruction(top)
    if share < STOOD:
        return WAITS_FOR_GIL if instruction in _YIELDS else WAITS
    same = (before.frame, before.instruction) == (now.frame, now.instruction)
    native = same if instruction in _CALLS else instruction not in _YIELDS
    return RUNS_NATIVE if share >= RAN and native else None


def clocks() -> dict[int, int]:
    """The system's number of each thread of Python, by Python's own."""
    if not sys.platform.startswith("linux"):
        return {}
    return {each.ident: each.native_id for each in threading.enumerate() if each.ident and each.native_id}


def clock(native: int | None) -> float | None:
    """The processor seconds of a thread of this process. By the number that Linux gives its clock, for the call of
    the C library that gives it must not be asked of a thread that has ended."""
    if native is None:
        return None
    try:
        return time.clock_gettime((~native << 3) | 6)
    except (OSError, OverflowError):
        return None


def _instruction(frame: FrameType) -> int:
    code, at = frame.f_code.co_code, frame.f_lasti
    return code[at] if 0 <= at < len(code) else -1
