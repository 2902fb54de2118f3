"""The figures of one streamed answer, as people and scripts are shown them: seconds, tokens, tokens a second.

Guarantees: what is not defined is None, never 0: no time between tokens where there is one token alone. Pure.
"""

from keeptime.model.sample import Sample, Stream

SECOND = 1_000_000_000
Figures = dict[str, object]


def stream_figures(sample: Sample) -> Figures | None:
    """Of the stable JSON of a probe; None where the answer was not read in pieces."""
    stream = sample.stream
    if stream is None:
        return None
    return {
        "first_token_seconds": _seconds(stream.first_token_ns),
        "output_token_seconds": _seconds(stream.output_token_ns),
        "inter_token": inter_token(stream),
        "tokens": stream.tokens,
        "tokens_per_second": tokens_per_second(sample),
        "closed_seconds": _seconds(stream.closed_ns),
        "merged_reads": stream.merged,
    }


def inter_token(stream: Stream) -> dict[str, float] | None:
    """Seconds between two tokens: median, 99th percentile (nearest rank) and the longest."""
    gaps = sorted((gap / tokens, tokens) for gap, tokens in stream.gaps)
    if not gaps:
        return None
    return {"p50": _rank(gaps, 0.5), "p99": _rank(gaps, 0.99), "max": gaps[-1][0] / SECOND}


def tokens_per_second(sample: Sample) -> float | None:
    """Over the whole answer, from the request to the last token; None where it failed or is not known."""
    took = sample.done_ns - sample.sent_ns
    return sample.tokens * SECOND / took if sample.tokens and took else None


def _rank(gaps: list[tuple[float, int]], share: float) -> float:
    every = sum(tokens for _, tokens in gaps)
    seen = 0
    for gap, tokens in gaps:
        seen += tokens
        if seen >= share * every:
            return gap / SECOND
    return gaps[-1][0] / SECOND


def _seconds(nanoseconds: float | None) -> float | None:
    return None if nanoseconds is None else nanoseconds / SECOND
