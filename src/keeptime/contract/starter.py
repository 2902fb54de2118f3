"""The first contract for an endpoint: proposed thresholds and a commented text that is valid as it stands.

Guarantees: what it writes loads without an error or a warning. Pure: what was measured comes in, text goes out.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from keeptime.contract.probed import SecretRef
from keeptime.units import format_duration

_STEPS = (1, 1.5, 2, 2.5, 3, 4, 5, 7.5, 10)
_TEMPLATE = """\
# A latency SLA, kept by keeptime. Change what is promised, then run
#   keeptime check {file}
#   keeptime run {file}
contract: {name}
provider: {provider}
model: {model}

endpoint:
  url: {url}
  method: {method}
{headers}{body}  expect: {{status: {status}}}     # also: json, regex, max_body

observe:
  # One probe per `every`, on schedule, slow or not; given up after `timeout` and then bad.
  - probe: {{every: 10s, timeout: {timeout}{kind}}}

# Measured on {count} requests: half of them within {p50}, 99% within {p99}.
# The thresholds are about twice that: replace them by what you want to promise.
objectives:
  - 99% of requests under {slow} over 28d
  - 50% of requests under {usual} over 28d
{tokens}  # - 99.9% of requests succeed over calendar month    # wants a probe every 2s

# policy: buckets          # or burn-rate, sustained

# consumers:               # whom the promise was made to, and where they are told
#   - name: checkout
#     tell:
#       - webhook: {{url: env:CHECKOUT_HOOK, secret: env:CHECKOUT_SECRET}}

operators:                 # your own on-call: also alertmanager:http://127.0.0.1:9093
  tell: ["log:"]
"""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Seconds: what was seen, and what is proposed."""

    p50: float
    p99: float
    usual: float
    slow: float


@dataclass(frozen=True, slots=True)
class TokenThresholds:
    """Of a language model that streams: seconds to the first token and between two (None where no second one came),
    the model's name, and how many tokens were asked for.
    """

    first: float
    between: float | None
    model: str
    most: int


def propose(latencies: Sequence[float]) -> Thresholds:
    """Thresholds from latencies in seconds: about twice the observed quantiles, rounded up to a pleasant number.

    Quantiles by nearest rank. Raises ValueError without latencies.
    """
    if not latencies:
        raise ValueError("no latency was measured, so no threshold can be proposed")
    ordered = sorted(latencies)
    p50, p99 = (ordered[max(0, math.ceil(q * len(ordered)) - 1)] for q in (0.5, 0.99))
    usual = pleasant(2 * p50)
    return Thresholds(p50, p99, usual, max(pleasant(2 * p99), pleasant(usual * 1.01)))


def pleasant(seconds: float) -> float:
    """The next number up that people write: 1, 1.5, 2, 2.5, 3, 4, 5, 7.5 times a power of ten, from 1 ms on."""
    millis = max(1.0, seconds * 1000)
    size: float = 10 ** math.floor(math.log10(millis))
    step = next(step for step in _STEPS if millis <= step * size * (1 + 1e-9))
    whole = step * size if size >= 10 else math.ceil(step) * size
    return whole / 1000


def label(text: str) -> str:
    """A valid contract name of any text."""
    made = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:63].strip("-")
    return made or "model"


def write(
    *,
    name: str,
    file: str,
    url: str,
    method: str,
    headers: Mapping[str, str | SecretRef],
    body: object,
    status: int,
    count: int,
    thresholds: Thresholds,
    tokens: TokenThresholds | None = None,
) -> str:
    """The contract's text. `body`: a JSON value, or `...` for none; `headers`: as the person gave them; `tokens`:
    where completions of a language model were measured.
    """
    lines = "".join(f"    {_text(key)}: {_text(str(value))}\n" for key, value in headers.items())
    return _TEMPLATE.format(
        name=name,
        file=re.sub(r"[^\x20-\x7e]", "?", file),
        provider="my-team",
        model=name if tokens is None else _text(tokens.model),
        url=_text(url),
        method=method,
        headers=f"  headers:\n{lines}" if lines else "",
        body="" if body is ... else f"  json: {_json(body)}\n",
        status=status,
        timeout=format_duration(max(5.0, 2 * thresholds.slow)),
        count=count,
        p50=_rounded(thresholds.p50),
        p99=_rounded(thresholds.p99),
        usual=format_duration(thresholds.usual),
        slow=format_duration(thresholds.slow),
        kind="" if tokens is None else f", kind: openai, max_tokens: {tokens.most}",
        tokens="" if tokens is None else _promises(tokens),
    )


def _promises(tokens: TokenThresholds) -> str:
    """Objectives on tokens."""
    found = [("first_token", tokens.first), ("inter_token", tokens.between)]
    lines = [
        f"  - {{of: {of}, target: 99%, under: {format_duration(under)}, over: 28d}}\n"
        for of, under in found
        if under is not None
    ]
    return "".join(lines)


def _json(value: object) -> str:
    """A JSON value as YAML reads it too: YAML has no surrogate pairs but one \\U escape for such a character."""
    return re.sub(r"(\\\\)|\\u(d[89ab]..)\\u(d[c-f]..)", _joined, json.dumps(value))


def _joined(found: "re.Match[str]") -> str:
    if found[1]:
        return found[1]
    code = 0x10000 + ((int(found[2], 16) - 0xD800) << 10) + int(found[3], 16) - 0xDC00
    return f"\\U{code:08x}"


def _text(text: str) -> str:
    """A text as YAML: in JSON's quotes, which YAML reads too, unless it is plainly harmless."""
    return text if re.fullmatch(r"[A-Za-z][A-Za-z0-9_./:?=&%-]*[A-Za-z0-9/]", text) else _json(text)


def _rounded(seconds: float) -> str:
    return f"{seconds * 1000:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"
