"""The names of the series that the rules record, and how those of some objectives are selected.

Guarantees: every series has the labels `contract`, `objective` and `slo` (contract/objective, so that one matcher
picks any set of objectives); names and values are escaped as PromQL wants them.
"""

import re
from collections.abc import Sequence

from keeptime.model.key import ObjectiveKey
from keeptime.units import format_duration

REQUESTS_NOW = "keeptime:requests:increase"
BAD_NOW = "keeptime:bad:increase"
OBSERVED_NOW = "keeptime:observed_seconds:increase"
REQUESTS = "keeptime:requests:sum"
BAD = "keeptime:bad:sum"
OBSERVED = "keeptime:observed_seconds:sum"
EXPECTED = "keeptime:expected_requests:sum"
SLI = "keeptime:sli:ratio"
BURN = "keeptime:burn_rate:ratio"
BUDGET_LEFT = "keeptime:error_budget_left:ratio"
TARGET = "keeptime:target:ratio"
TIER = "keeptime:tier:standing"
DEMAND = "keeptime:demand:standing"
QUIET = "keeptime:quiet:seconds"
HELD = "keeptime:below_target:seconds"
STANDING = "keeptime:objective:standing"

BUCKET_EVIDENCE = "keeptime:bucket:evidence"
BUCKET_LIMIT = "keeptime:bucket:limit"
BUCKET_ROOM = "keeptime:bucket:room"
BUCKET_ROOM_LEFT = "keeptime:bucket:room_left"
BUCKET_REQUESTS = "keeptime:bucket:requests"
BUCKET_BAD = "keeptime:bucket:bad"
BUCKET_CLEARING = "keeptime:bucket:clearing"
BUCKET_BEFORE = "keeptime:bucket:level_before"
BUCKET_LEVEL = "keeptime:bucket:level"

LONGEST_DOWN = "6h"
"""What was recorded is carried on over a time without evaluation of at most this."""

SUMS = {REQUESTS_NOW: REQUESTS, BAD_NOW: BAD, OBSERVED_NOW: OBSERVED}
"""What is recorded at each evaluation, and its sums over windows."""


def labels_of(key: ObjectiveKey) -> dict[str, str]:
    return {"contract": key.contract, "objective": key.objective, "slo": str(key)}


class Chosen:
    """Some objectives, as matchers of their series."""

    def __init__(self, keys: Sequence[ObjectiveKey]) -> None:
        texts = [str(key) for key in keys]
        pattern = "|".join(_pattern(text) for text in texts)
        self._slo = f'slo="{texts[0]}"' if len(texts) == 1 else f'slo=~"{pattern}"'

    def of(self, name: str, window: str = "", **labels: str) -> str:
        """The series of this name; of one window where it has several, and with these labels."""
        more = {**({"window": window} if window else {}), **labels}
        matchers = [self._slo, *(f'{key}="{value}"' for key, value in more.items())]
        return f"{name}{{{','.join(matchers)}}}"


def _pattern(text: str) -> str:
    """A regular expression for exactly this text, inside a string of PromQL."""
    return re.sub(r"[.]", r"\\\\.", text)


def window_name(seconds: float) -> str:
    """ "1h", "28d": also the value of the label `window`."""
    return format_duration(seconds)
