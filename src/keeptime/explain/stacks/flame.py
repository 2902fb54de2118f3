"""A flame graph laid out: a box for each frame, as wide as the share of the time that it was seen, callers on top.

Guarantees: boxes of a caller hold those of what it called; what is too narrow to be seen is left out, and counted.
Colours are named, not chosen. Each box says its share in words; the ten places at which most was seen are told as
rows, too. With a profile of usual requests beside it, a frame that has grown says so. Pure.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from keeptime.explain.stacks.profile import Place, Profile, did, place_of
from keeptime.explain.words import percent

WIDTH, ROW = 1200.0, 20.0
NARROWEST = 2.0
DEEPEST = 70
LETTER = 7.3
"""How wide a letter is, more or less, at the size of the text."""
GROWN = 0.05
"""More of the whole than of the usual ones."""
TOP = 10
SHADES = 4


@dataclass(frozen=True, slots=True)
class Box:
    """`text`: what fits into it; `title`: all; `kind`: one of did-waits, did-native, did-gc, did-other, shade-0 …,
    `grown` beside it."""

    x: float
    y: float
    width: float
    text: str
    title: str
    kind: str


@dataclass(frozen=True, slots=True)
class Standing:
    """A row of the table: where requests stood, what they did there, and for which share of the time."""

    place: str
    did: str
    share: float
    usual: float | None

    @property
    def percent(self) -> str:
        return percent(self.share)

    @property
    def usual_percent(self) -> str:
        return percent(self.usual) if self.usual else "none"


@dataclass(frozen=True, slots=True)
class Flame:
    """`requests`: of how many; `usual`: of how many it was compared with; `narrow`: boxes that are left out."""

    width: float
    height: float
    boxes: tuple[Box, ...]
    top: tuple[Standing, ...]
    requests: int
    usual: int
    narrow: int

    @property
    def sentence(self) -> str:
        """Where most of the time was seen."""
        first = self.top[0]
        doing = f", {first.did}" if first.did else ""
        return f"{first.percent} of the time that was seen: {first.place}{doing}"


@dataclass(slots=True)
class _Node:
    total: float = 0.0
    below: dict[str, "_Node"] = field(default_factory=dict)


def drawn(profile: Profile, usual: Profile | None = None) -> Flame | None:
    """None where no stack was seen."""
    if not profile.stacks:
        return None
    beside = None if usual is None or not usual.stacks else _shares(usual)
    root, boxes = _tree(profile), list[Box]()
    narrow = 0
    for box in _boxes(root, beside):
        if box.width < NARROWEST:
            narrow += 1
        else:
            boxes.append(box)
    height = max(box.y for box in boxes) + ROW if boxes else ROW
    requests = 0 if usual is None else usual.requests
    return Flame(WIDTH, height, tuple(boxes), _top(profile, usual), profile.requests, requests, narrow)


def _tree(profile: Profile) -> _Node:
    root = _Node(profile.total)
    for stack, count in profile.stacks.items():
        node = root
        for frame in stack[:DEEPEST]:
            node = node.below.setdefault(frame, _Node())
            node.total += count
    return root


def _boxes(root: _Node, usual: dict[str, float] | None) -> Iterator[Box]:
    waiting = [(root, 0.0, 0)]
    while waiting:
        node, x, depth = waiting.pop()
        for name, below in sorted(node.below.items()):
            width = below.total / root.total * WIDTH
            share = below.total / root.total
            yield Box(
                x, depth * ROW, width, _text(name, width), _title(name, share, usual), _kind(name, share, usual)
            )
            if width >= NARROWEST:
                waiting.append((below, x, depth + 1))
            x += width


def _text(name: str, width: float) -> str:
    room = int((width - 6) / LETTER)
    short = name if did(name) else place_of(name).name
    if len(short) > room and not did(name):
        short = ".".join(short.split(".")[-2:])
    if len(short) <= room:
        return short
    return f"{short[: room - 1]}…" if room >= 4 else ""


def _title(name: str, share: float, usual: dict[str, float] | None) -> str:
    beside = "" if usual is None else f" (usual {percent(usual[name])})" if usual.get(name) else " (usual none)"
    return f"{name}: {percent(share)}{beside}"


def _kind(name: str, share: float, usual: dict[str, float] | None) -> str:
    grown = " grown" if usual is not None and share - usual.get(name, 0.0) > GROWN else ""
    if not did(name):
        module = place_of(name).name.partition(".")[0]
        return f"shade-{sum(module.encode()) % SHADES}{grown}"
    kinds = {"native": "did-native", "garbage": "did-gc", "waiting": "did-waits", "awaiting": "did-waits"}
    return kinds.get(name.strip("[]").split(" ")[0], "did-other") + grown


def _shares(profile: Profile) -> dict[str, float]:
    """Of the time, by frame that was under way."""
    found: dict[str, float] = {}
    for stack, count in profile.stacks.items():
        for frame in set(stack):
            found[frame] = found.get(frame, 0.0) + count / profile.total
    return found


def _top(profile: Profile, usual: Profile | None) -> tuple[Standing, ...]:
    own = _own(profile)
    before = None if usual is None or not usual.stacks else _own(usual)
    ranked = sorted(own.items(), key=lambda each: (-each[1], each[0]))[:TOP]
    return tuple(
        Standing(place, what, share, None if before is None else before.get((place, what), 0.0))
        for (place, what), share in ranked
    )


def _own(profile: Profile) -> dict[tuple[str, str], float]:
    """Where it stood and what it did there, without what it called."""
    found: dict[tuple[str, str], float] = {}
    for stack, count in profile.stacks.items():
        what = stack[-1].strip("[]") if did(stack[-1]) else ""
        place = next((each for each in reversed(stack) if not did(each)), "")
        key = (_shown(place_of(place)) if place else what, what if place else "")
        found[key] = found.get(key, 0.0) + count / profile.total
    return found


def _shown(place: Place) -> str:
    return f"{place.name} ({place.file}:{place.line})" if place.file else place.name
