r"""Labels as text formats write them: `model="llama",le="0.5"`.

Guarantees: work is linear in the text; a label is there once, and none of them is endless.
"""

import re

from keeptime.observe.scrape.page import LONGEST_LABELS, MOST_LABELS, Labels

_LABEL = re.compile(r'[ \t]*([a-zA-Z_][a-zA-Z0-9_]*)[ \t]*=[ \t]*"((?>[^"\\]|\\.)*)"[ \t]*(,|\Z)', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
Read = tuple[Labels, str | None]
"""Sorted labels without `le` and `quantile`, and the value of the one of these that was there."""


def read_labels(text: str) -> Read | str:
    """A sentence where they are malformed."""
    if len(text) > LONGEST_LABELS:
        return f"{len(text)} characters of labels; at most {LONGEST_LABELS} are read"
    found: dict[str, str] = {}
    at = 0
    while at < len(text.rstrip(" \t,")):
        match = _LABEL.match(text, at)
        if match is None:
            return f"its labels cannot be read from character {at + 1} on"
        if match[1] in found:
            return f"the label {match[1]} is there twice"
        found[match[1]] = _plain(match[2])
        at = match.end()
    if len(found) > MOST_LABELS:
        return f"{len(found)} labels; at most {MOST_LABELS} are read"
    special = found.pop("le", None)
    special = found.pop("quantile", None) if special is None else special
    return tuple(sorted(found.items())), special


def _plain(value: str) -> str:
    return _ESCAPED.sub(lambda found: "\n" if found[1] == "n" else found[1], value) if "\\" in value else value
