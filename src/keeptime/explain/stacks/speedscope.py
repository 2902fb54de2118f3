"""A file of speedscope (https://www.speedscope.app): a sampled profile, each stack with its weight.

Guarantees: as its file format says: frames are told once and stacks are numbers of them, outermost first. Weights
are shares of the time that was seen, in no unit. Pure.
"""

from typing import Any

from keeptime.explain.stacks.folded import whole
from keeptime.explain.stacks.profile import Place, Profile, place_of

SCHEMA = "https://www.speedscope.app/file-format-schema.json"


def speedscope(profile: Profile, name: str, exporter: str = "keeptime") -> dict[str, Any]:
    """To be written as JSON. `name`: what it is called there."""
    frames: dict[str, int] = {}
    samples, weights = [], []
    for stack, count in sorted(profile.stacks.items()):
        samples.append([frames.setdefault(frame, len(frames)) for frame in stack])
        weights.append(whole(count))
    told = {"type": "sampled", "name": name, "unit": "none", "startValue": 0, "endValue": sum(weights)}
    return {
        "$schema": SCHEMA,
        "shared": {"frames": [_frame(place_of(each)) for each in frames]},
        "profiles": [{**told, "samples": samples, "weights": weights}],
        "name": name,
        "activeProfileIndex": 0,
        "exporter": exporter,
    }


def _frame(place: Place) -> dict[str, Any]:
    if not place.file:
        return {"name": place.name}
    return {"name": place.name, "file": place.file, "line": place.line}
