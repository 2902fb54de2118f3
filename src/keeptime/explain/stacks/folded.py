"""Folded stacks: a line for each, its frames joined by ";", and how often it was seen. Most tools read it.

Guarantees: lines are in order of the stacks, whole numbers from 1 on. Pure.
"""

from keeptime.explain.stacks.profile import Profile


def folded(profile: Profile) -> str:
    return "".join(f"{';'.join(stack)} {whole(count)}\n" for stack, count in sorted(profile.stacks.items()))


def whole(count: float) -> int:
    """What was seen at all is 1 at least."""
    return max(1, round(count))
