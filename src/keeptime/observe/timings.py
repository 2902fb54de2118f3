"""What a server says of an answer: where its time went (`Server-Timing`), and who gave it.

Guarantees: never raises on any header; what is no number of milliseconds is left out; so many at most. Source: W3C
Server Timing.
"""

import re
from collections.abc import Mapping

SERVER_TIMING = b"server-timing"
MOST = 20
LONGEST_MS = 86_400_000.0
TOLD = (
    *("server", "via", "x-cache", "x-served-by", "x-backend", "x-replica", "x-region", "x-model-version"),
    *("x-device", "x-batch-size", "x-queue-depth"),
)
"""Headers of an answer that are kept with a request as evidence; others are not, whatever they say."""
LONGEST = 100

_ONE = re.compile(rb"\s*([A-Za-z0-9!#$%&'*+.^_`|~-]{1,60})((?:\s*;[^,;\"]*(?:\"[^\"]*\")?)*)\s*(?:,|$)")
_DUR = re.compile(rb";\s*dur\s*=\s*\"?([0-9]+(?:\.[0-9]+)?)\"?", re.IGNORECASE)


def timings_of(fields: Mapping[bytes, bytes]) -> Mapping[str, int]:
    """Nanoseconds by name; those of the same name are added up."""
    value = fields.get(SERVER_TIMING)
    if not value:
        return {}
    found: dict[str, int] = {}
    for one in _ONE.finditer(value):
        took = _DUR.search(one[2])
        if took is None or float(took[1]) > LONGEST_MS:
            continue
        name = one[1].decode("ascii")
        if name in found or len(found) < MOST:
            found[name] = found.get(name, 0) + round(float(took[1]) * 1_000_000)
    return found


def told_of(fields: Mapping[bytes, bytes]) -> Mapping[str, str]:
    """The headers that are kept, by name."""
    there = ((name, fields.get(name.encode())) for name in TOLD)
    return {name: value.decode("utf-8", "replace")[:LONGEST] for name, value in there if value}
