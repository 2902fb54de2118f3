"""Does anything that is observed have what an objective is about?

Guarantees: an objective on tokens is accepted only where something that is observed comes in pieces.
"""

from collections.abc import Sequence

from keeptime.contract.draft import Draft
from keeptime.contract.probed import STREAMING
from keeptime.contract.report import Report
from keeptime.contract.shapes import Placed
from keeptime.contract.terms import Contract
from keeptime.model.key import Signal

STREAMED = frozenset({Signal.FIRST_TOKEN, Signal.INTER_TOKEN, Signal.OUTPUT_TOKEN})
"""Signals of answers that come in pieces."""


def check_signals(contract: Contract, drafts: Sequence[Placed[Draft]], report: Report) -> None:
    """Report signals that nothing measures."""
    streaming = any(probe.kind in STREAMING for probe in contract.probes)
    for draft in drafts:
        one = draft.value
        told = streaming or any(each.tells(one.of) for each in contract.traffic)
        if one.of in STREAMED and not one.warns_of and not told:
            message = (
                f"{one.label}: nothing observed tells of '{one.of}'; expected a probe of kind openai, sse or "
                "ndjson, or traffic that streams, such as a 'scrape' of a model server"
            )
            report.error(draft.place, "signal-unmeasured", message)
