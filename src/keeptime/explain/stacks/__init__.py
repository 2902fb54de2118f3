"""Stacks of slow requests put together: where they stood, as a flame graph and in the forms that other tools read.

Pure.
"""

from keeptime.explain.stacks.flame import Flame, drawn
from keeptime.explain.stacks.folded import folded
from keeptime.explain.stacks.pprof import pprof
from keeptime.explain.stacks.profile import OUTSIDE, Profile, of_requests, profile_of
from keeptime.explain.stacks.speedscope import speedscope
from keeptime.explain.stacks.svg import svg

__all__ = [
    "OUTSIDE",
    "Flame",
    "Profile",
    "drawn",
    "folded",
    "of_requests",
    "pprof",
    "profile_of",
    "speedscope",
    "svg",
]
