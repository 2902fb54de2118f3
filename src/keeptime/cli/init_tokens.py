"""`keeptime init --kind openai`: what is measured of a language model that streams, and what that suggests.

Guarantees: UsageError says which option was wrong; thresholds are about twice what was seen.
"""

import math
from typing import TYPE_CHECKING

from keeptime.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from keeptime.contract.probed import Probe
    from keeptime.contract.starter import TokenThresholds
    from keeptime.model.sample import Sample

MOST_TOKENS = 32
"""Of each answer: enough to see how tokens follow each other."""


def probe_of(kind: str, model: str | None, name: str, every: float, timeout: float) -> "Probe":
    """`name`: the contract's, which stands for the model where none is named, as in the contract itself."""
    from keeptime.contract.probed import Kind, Probe
    from keeptime.contract.probing.streams import StreamTerms

    if kind == "http":
        if model is not None:
            raise UsageError("--model without --kind openai; expected both, or the model in --json-body")
        return Probe(every, timeout)
    terms = StreamTerms(model=model or name, max_tokens=MOST_TOKENS)
    return Probe(every, timeout, kind=Kind.OPENAI, terms=terms)


def tokens_of(probe: "Probe", good: "Sequence[Sample]") -> "TokenThresholds | None":
    """What to promise of tokens; None where no completions were asked for."""
    from keeptime.contract.probing.streams import StreamTerms
    from keeptime.contract.starter import TokenThresholds, pleasant

    terms = probe.terms
    if not isinstance(terms, StreamTerms):
        return None
    streams = [each.stream for each in good if each.stream is not None]
    first = [each.first_token_ns / 1e9 for each in streams if each.first_token_ns is not None]
    gaps = [gap / n / 1e9 for each in streams for gap, n in each.gaps for _ in range(n)]
    between = pleasant(2 * _p99(gaps)) if gaps else None
    return TokenThresholds(pleasant(2 * _p99(first)), between, terms.model, terms.max_tokens or MOST_TOKENS)


def _p99(values: "list[float]") -> float:
    """By nearest rank."""
    return sorted(values)[max(0, math.ceil(0.99 * len(values)) - 1)]
