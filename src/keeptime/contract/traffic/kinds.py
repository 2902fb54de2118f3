"""Which ways to observe real traffic there are: one line each.

Guarantees: every kind can be read from a contract and written back.
"""

from keeptime.contract.given import Terms
from keeptime.contract.shapes import Field
from keeptime.contract.traffic import log, otlp, push, scrape
from keeptime.contract.traffic.source import Traffic

FIELDS: tuple[Field[Traffic], ...] = (scrape.SCRAPE, otlp.OTLP, push.PUSH, log.LOG)
"""Keys of an entry of `observe`, with what stands below each."""


def written(one: Traffic) -> Terms:
    """What stands below its key."""
    match one:
        case scrape.Scrape():
            return scrape.written(one)
        case otlp.Otlp():
            return otlp.written(one)
        case push.Push():
            return push.written(one)
        case log.Log():
            return log.written(one)
        case _:
            raise AssertionError(f"{one.kind} has a writer")
