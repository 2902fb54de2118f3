"""Where a message stands among those of one contract to one audience: the sender's numbers, read.

Guarantees: as of a `Notice`: what is of a wrong type is refused with its path.
"""

from collections.abc import Mapping
from typing import NamedTuple

from keeptime.consumer.fields import Fields
from keeptime.errors import MessageRefused


class Route(NamedTuple):
    """What is numbered together."""

    contract: str
    audience: str


class Numbers(NamedTuple):
    """`previous_id`: of the message before; None: there is none, or the sender does not say. `missing`: how many
    the sender gave up before this one and had not named yet; `missing_ids`: the oldest of them.
    """

    route: Route
    epoch: str | None
    sequence: int
    previous_id: str | None
    missing: int
    missing_ids: tuple[str, ...]


def read_numbers(body: Mapping[str, object]) -> Numbers | None:
    """None where the body has none: a test, or of a keeptime from before there were any."""
    of = Fields(body)
    sequence = of.optional(of.count, "sequence")
    if sequence is None:
        return None
    if sequence < 1:
        raise MessageRefused("malformed", "the body's sequence: expected 1 or more")
    missing = of.newer(lambda name: of.nullable(of.part, name), "missing", None)
    return Numbers(
        route=Route(of.text("contract"), of.newer(of.text, "audience", "")),
        epoch=of.optional(of.text, "epoch"),
        sequence=sequence,
        previous_id=of.optional(of.text, "previous_id"),
        missing=0 if missing is None else missing.count("count"),
        missing_ids=() if missing is None else missing.texts_of("ids"),
    )
