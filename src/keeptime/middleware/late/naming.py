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
_KNOWN: dict[CodeType, tuple[str, str]] = {}
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


def named(frame: FrameType, line: int | None = None) -> str:
    """`line`: where it stands; where the frame says it itself, if it is not given."""
    code = frame.f_code
    known = _KNOWN.get(code)
    if known is None:
        known = _names(code, frame.f_globals.get("__name__"))
        if len(_KNOWN) < _MOST_KNOWN:
            _KNOWN[code] = known
    return f"{known[0]} ({known[1]}:{line or frame.f_lineno or code.co_firstlineno})"


def calls(frame: FrameType | None, within: FrameType | None = None) -> list[str]:
    """Who called whom, outermost first: what was called from `within`, or by the middleware; else all."""
    found: list[str] = []
    while frame is not None and frame is not within and len(found) < DEEPEST:
        if not ours(frame):
            found.append(named(frame))
        elif found:  # what is innermost may be ours: a callback of the garbage collector
            break
        frame = frame.f_back
    found.reverse()
    return found


def ours(frame: FrameType) -> bool:
    """Is it of the middleware itself?"""
    return str(frame.f_globals.get("__name__", "")).startswith(_OURS)


def _names(code: CodeType, module: object) -> tuple[str, str]:
    name = f"{module}.{code.co_qualname}" if isinstance(module, str) else code.co_qualname
    return _plain(name), _plain(_short(code.co_filename))


def _short(path: str) -> str:
    """From the folder that modules are looked for in; its last three parts where it is in none."""
    for root in _ROOTS:
        if path.startswith(root):
            return path[len(root) :]
    return "/".join(path.replace("\\", "/").rsplit("/", 3)[-3:])


def _plain(text: str) -> str:
    return "".join("," if each == ";" else each if each.isprintable() else " " for each in text[-_LONGEST:])
