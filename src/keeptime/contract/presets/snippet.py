"""A contract for a server that has a preset: commented, valid as it stands, with thresholds that can be judged.

Guarantees: what it writes loads without an error, and each threshold is a bucket bound of the server where its
bounds are known. Pure.
"""

import json
import math
import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from keeptime.contract.presets.preset import Asked, Fidelity, Metric, Preset
from keeptime.contract.presets.spoken import bound
from keeptime.contract.probed import Kind, SecretRef
from keeptime.model.key import Signal

USUAL = {
    Signal.REQUESTS: ("99%", 0.5),
    Signal.FIRST_TOKEN: ("95%", 0.5),
    Signal.INTER_TOKEN: ("99%", 0.05),
    Signal.OUTPUT_TOKEN: ("95%", 0.05),
}
"""The share that is promised where nothing was measured, and about which threshold, in seconds."""

_TEMPLATE = """\
# A latency SLA on {title}'s own metrics, kept by keeptime. Change what is promised, then run
#   keeptime check {file}
#   keeptime run {file}
contract: {name}
provider: my-team
model: {model}

{endpoint}observe:
{observe}
{comment}objectives:
{objectives}

operators:                 # your own on-call: also alertmanager:http://127.0.0.1:9093
  tell: ["log:"]
"""
_SCRAPE = """\
  - scrape:
      url: {url}
      preset: {preset}
{headers}"""
_ENDPOINT = """\
endpoint:                  # where the model answers, and what it is asked
  url: {url}
  method: POST
  json: {{}}

"""


@dataclass(frozen=True, slots=True)
class Promise:
    """`under`: seconds, a bound; None: that requests succeed. `excluded`: failures are left out, for nothing tells
    of them."""

    signal: Signal
    share: str
    under: float | None
    excluded: bool = False

    @property
    def said(self) -> str:
        of = f"{self.share} of {self.signal}"
        return f"{of} succeed" if self.under is None else f"{of} under {bound(self.under)}"

    @property
    def written(self) -> str:
        """As an objective, over 28 days."""
        if not self.excluded or self.under is None:
            return f"{self.said} over 28d"
        terms = f"of: {self.signal}, target: {self.share}, under: {bound(self.under)}, over: 28d"
        return f"{{{terms}, errors: excluded}}     # these metrics tell of no failures"


def promise(metric: Metric, share: str, under: float | None) -> Promise:
    untold = metric.signal is Signal.REQUESTS and not metric.tells_failures
    return Promise(metric.signal, share, under, excluded=untold)


@dataclass(frozen=True, slots=True)
class Probed:
    """A probe in place of metrics: what stands below `probe`, and what is promised."""

    terms: str
    promises: tuple[Promise, ...]


PLAIN = Probed("{every: 10s, timeout: 5s}", (Promise(Signal.REQUESTS, "99%", 0.5),))
PROBED = {
    Kind.OPENAI: Probed(
        "{every: 30s, kind: openai, max_tokens: 32}",
        (Promise(Signal.REQUESTS, "99%", 5), Promise(Signal.FIRST_TOKEN, "95%", 0.5)),
    )
}
"""By the kind of the probe that a preset advises."""


def usual(preset: Preset) -> Sequence[Promise]:
    """A promise for each signal, where nothing was measured. Where a mean is all that is known of requests, what
    is known of other signals has to be switched on."""
    found = []
    plain = any(each.signal is Signal.REQUESTS and each.fidelity is Fidelity.MEAN for each in preset.metrics)
    for metric in preset.metrics[:1] if plain else preset.metrics:
        share, about = USUAL[metric.signal]
        if metric.fidelity is Fidelity.HISTOGRAM:
            near = min(metric.buckets or (about,), key=lambda each: abs(math.log(each / about)))
            found.append(promise(metric, share, near))
        elif metric.fidelity is Fidelity.MEAN and metric.tells_failures:
            found.append(Promise(metric.signal, "99.9%", None))
    return found


def write(
    preset: Preset,
    promises: Sequence[Promise],
    *,
    name: str,
    url: str = "",
    file: str = "contract.yaml",
    model: str = "",
    headers: Mapping[str, str | SecretRef] | None = None,
    comment: str = "",
) -> str:
    """The contract's text. Without a promise that its metrics can keep, it probes the server instead."""
    where = url or preset.url
    scraped = _SCRAPE.format(url=_text(where), preset=preset.name, headers=_headers(headers or {}))
    probed = PROBED.get(preset.probe, PLAIN)
    kept = list(promises)
    return _TEMPLATE.format(
        title=preset.title,
        file=re.sub(r"[^\x20-\x7e]", "?", file),
        name=name,
        model=_text(model or name),
        endpoint="" if kept else _ENDPOINT.format(url=_text(preset.model_url or where)),
        observe=scraped if kept else f"{_why(preset)}  - probe: {probed.terms}\n",
        comment="".join(f"# {line}\n" for line in comment.splitlines()),
        objectives="\n".join(f"  - {each.written}" for each in kept or probed.promises),
    )


def _why(preset: Preset) -> str:
    """Why its metrics are not asked, as comments."""
    refusals = preset.refusals
    why = refusals.get(Asked.PERCENTILES) or refusals.get(Asked.REQUESTS) or "its metrics cannot tell"
    lines = textwrap.wrap(f"{why}.", 100, break_on_hyphens=False)
    return "".join(f"  # {line}\n" for line in lines)


def _headers(headers: Mapping[str, str | SecretRef]) -> str:
    lines = "".join(f"        {_text(key)}: {_text(str(value))}\n" for key, value in headers.items())
    return f"      headers:\n{lines}" if lines else ""


def _text(text: str) -> str:
    """As YAML: in JSON's quotes, which YAML reads too, unless it is plainly harmless."""
    return text if re.fullmatch(r"[A-Za-z][A-Za-z0-9_./:?=&%-]*[A-Za-z0-9/]", text) else json.dumps(text)
