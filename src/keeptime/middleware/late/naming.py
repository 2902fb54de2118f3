"""A frame in words: `module.function (file:line)`.

Guarantees: what is told of a frame is the name of its function, its file from where packages begin, and its line;
never a value. It can be printed, and no ";" is in it, so that stacks can be joined.
"""

import os
import sys
from types import CodeType, FrameType

DEEPEST = 64
"""Frames of a stack; of a deeper one the innermost are kept."""
_OURS = __name__.rpartition(".late")[0]
_KNOWN: dict[CodeType, "_Names"] = {}
_MOST_KNOWN = 4096
_LONGEST = 120
_ROOTS = sorted(
    {
        os.path.join(each, "")
        for each in (*sys.path, os.path.dirname(os.__file__), os.getcwd())
        if os.path.isabs(each)
    },
    key=len,
    reverse=True,
)


class _Names(dict[int, str]):
    """What frames of some code are called, by the instruction that they stand at."""

    def __init__(self, frame: FrameType) -> None:
        super().__init__()
        code, module = frame.f_code, frame.f_globals.get("__name__")
        self.ours = isinstance(module, str) and module.startswith(_OURS)
        self._name = _plain(f"{module}.{code.co_qualname}" if isinstance(module, str) else code.co_qualname)
        self._file, self._first = _plain(_short(code.co_filename)), code.co_firstlineno

    def add(self, frame: FrameType) -> str:
        text = self[frame.f_lasti] = f"{self._name} ({self._file}:{frame.f_lineno or self._first})"
        return text


def named(frame: FrameType) -> str:
    known = _known(frame)
    return known.get(frame.f_lasti) or known.add(frame)


def calls(frame: FrameType | None, within: FrameType | None = None) -> list[str]:
    """Who called whom, outermost first: what was called from `within`, or by the middleware; else all."""
    found: list[str] = []
    while frame is not None and frame is not within and len(found) < DEEPEST:
        known = _KNOWN.get(frame.f_code) or _known(frame)
        if not known.ours:
            found.append(known.get(frame.f_lasti) or known.add(frame))
        elif found:  # what is innermost may be ours: a callback of the garbage collector
            break
        frame = frame.f_back
    found.reverse()
    return found


def ours(frame: FrameType) -> bool:
    """Is it of the middleware itself?"""
    return _known(frame).ours


def _known(frame: FrameType) -> _Names:
    found = _KNOWN.get(frame.f_code)
    if found is None:
        if len(_KNOWN) >= _MOST_KNOWN:
            _KNOWN.clear()
        found = _KNOWN[frame.f_code] = _Names(frame)
    return found


def _short(path: str) -> str:
    """From the folder that modules are looked for in; its last three parts where it is in none."""
    for root in _ROOTS:
        if path.startswith(root):
            return path[len(root) :]
    return "/".join(path.replace("\\", "/").rsplit("/", 3)[-3:])


def _plain(text: str) -> str:
    return "".join("," if each == ";" else each if each.isprintable() else " " for each in text[-_LONGEST:])
