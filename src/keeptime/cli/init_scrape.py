"""`keeptime init --scrape`: recognise a server by its metrics and write a first contract on them.

Guarantees: the contract is proved valid before it is written; a server that is not recognised is said to be none,
with the presets that come nearest and what to do.
"""

import argparse
import asyncio
import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from keeptime.cli.presets import preset_named
from keeptime.cli.starting import contract_name, headers
from keeptime.cli.writing import Refused, write_whole
from keeptime.errors import UsageError

if TYPE_CHECKING:
    from keeptime.contract.presets.preset import Preset
    from keeptime.contract.presets.proposing import Proposal, Seen
    from keeptime.contract.traffic.scrape import Scrape
    from keeptime.model.key import Signal
    from keeptime.observe.scrape.reading import Counted

ENOUGH = 100
"""Requests between two looks that are enough to propose thresholds by; with fewer, all since the server began."""
NAMED = 5
"""Metrics of a page that are named where none is known."""


@dataclass(frozen=True, slots=True)
class Found:
    """`since`: what was counted, in words. `models`: the values of the attribute that names the model."""

    preset: "Preset"
    seen: "Mapping[Signal, Seen]"
    proposals: "Sequence[Proposal]"
    since: str
    models: Sequence[str]


def run(args: argparse.Namespace, seconds: float) -> int:
    """Raises UsageError, SecretError, SourceError and Refused; nothing is written then."""
    scrape = _scrape(args)
    contract_name(args.name, scrape.url)  # a wrong one is told before anything is measured
    found = asyncio.run(_look(args, scrape, seconds))
    name = contract_name(args.name, scrape.url, _last(scrape.url, found))
    text = _text(args, scrape, name, found)
    if args.output == "-" and not args.json:
        print(text, end="")
    elif args.output != "-":
        write_whole(args.output, text, force=args.force)
    if args.json:
        print(json.dumps(_as_json(args, name, found), indent=2))
    elif args.output != "-":
        print(f"{args.output} was written for {found.preset.title}. Next: keeptime check {args.output}")
    return 0


def _last(url: str, found: Found) -> str:
    """What the contract is called after: the one model; the preset where the host has no name."""
    host = urlsplit(url).hostname or ""
    if len(found.models) == 1:
        return found.models[0]
    return found.preset.name if host == "localhost" or not re.search("[a-z]", host) or ":" in host else ""


def _scrape(args: argparse.Namespace) -> "Scrape":
    """By the contract's own reader. Raises UsageError with every mistake that its rules find."""
    from dataclasses import replace
    from pathlib import Path

    from keeptime.contract.nodes import Entry, Mapped, Place, Scalar
    from keeptime.contract.presets.library import names
    from keeptime.contract.report import Report, Spoiled
    from keeptime.contract.traffic.scrape import SCRAPE_TABLE, Scrape

    place = Place(1, 1)
    url = args.scrape if urlsplit(args.scrape).path.strip("/") else f"{args.scrape.rstrip('/')}/metrics"
    preset = preset_named(args.preset).name if args.preset else names()[0]
    values = [("url", url), ("preset", preset)]
    entries = [Entry(Scalar(key, False, place), Scalar(value, False, place)) for key, value in values]
    entries.append(Entry(Scalar("headers", False, place), headers(args.header)))
    report = Report("", Path.cwd())
    try:
        found = SCRAPE_TABLE.read(Mapped(tuple(entries), place), report, "")
    except Spoiled:
        raise UsageError("; ".join(problem.message for problem in report.problems)) from None
    for problem in report.problems:
        print(f"keeptime init: {problem.severity}: {problem.message}", file=sys.stderr)
    assert isinstance(found, Scrape)
    return replace(found, preset=args.preset or "")


async def _look(args: argparse.Namespace, scrape: "Scrape", seconds: float) -> Found:
    from keeptime.observe.outbound import session
    from keeptime.observe.scrape.reading import Reading

    async with session("the server", decompress=False) as going:
        reading = Reading(scrape)
        names = await reading.look(going)
        preset = _recognised(args, scrape, names)
        total = reading.total(preset)
        print(f"keeptime init: {preset.title}; {_said(total)} since it began", file=sys.stderr)
        for each in reading.refused[:NAMED]:
            print(f"keeptime init: warning: {each}", file=sys.stderr)
        if not any(each.seen.count for each in total.values()):
            return _found(preset, total, {}, seconds)
        print(f"keeptime init: measuring for {seconds:g} s", file=sys.stderr)
        await asyncio.sleep(seconds)
        await reading.look(going)
        return _found(preset, reading.total(preset), reading.recent(preset), seconds)


def _found(preset: "Preset", total: "Counted", last: "Counted", seconds: float) -> Found:
    """By what came in the last seconds, where that is enough, else by all there was."""
    from keeptime.contract.presets.proposing import propose

    recent = bool(last) and all(last[signal].seen.count >= ENOUGH for signal in total if total[signal].seen.count)
    seen = {signal: each.seen for signal, each in (last if recent else total).items()}
    models = sorted({model for each in total.values() for model in each.models})
    since = f"in {seconds:g} s" if recent else "since it began"
    return Found(preset, seen, propose(preset, seen), since, models)


def _said(counted: "Counted") -> str:
    total = ", ".join(f"{each.seen.count} of {signal}" for signal, each in counted.items() if each.seen.count)
    return total or "no request"


def _recognised(args: argparse.Namespace, scrape: "Scrape", names: Sequence[str]) -> "Preset":
    """The one that was asked for, or the one that the page's metrics are of. Raises Refused."""
    from keeptime.contract.presets.library import recognised

    likely = list(recognised(names))
    also = ", ".join(each.name for each in likely[1:])
    if args.preset:
        one = preset_named(args.preset)
        if one not in likely:
            near = f"; they look like those of {', '.join(each.name for each in likely)}" if likely else ""
            raise Refused(f"{_where(scrape)}: none of the metrics by which {one.title} is known is there{near}")
        return one
    if not likely:
        raise Refused(_unknown(scrape, names))
    if also:
        print(
            f"keeptime init: also there: {also}; --preset NAME takes another than {likely[0].name}", file=sys.stderr
        )
    return likely[0]


def _where(scrape: "Scrape") -> str:
    return scrape.url.partition("?")[0]


def _unknown(scrape: "Scrape", names: Sequence[str]) -> str:
    """What is there, and what to do."""
    families = [each for each in names if not re.search(r"_(bucket|count|sum|created)$", each)]
    timed = [each for each in families if re.search(r"latency|duration|seconds|_ms$|_us$|time", each)]
    shown = ", ".join((timed or families)[:NAMED])
    there = f"{len(families)} metrics are there{f', such as {shown}' if shown else ''}"
    return (
        f"{_where(scrape)}: no server is recognised by its metrics; {there}\n"
        "`keeptime presets` lists the servers; some serve their metrics at another port or path, or only once\n"
        "they are switched on (`keeptime presets NAME`). A server of which there is no preset is described in the\n"
        "contract itself: observe: - scrape: {url: …, metrics: [{signal: requests, histogram: NAME}]}"
    )


def _text(args: argparse.Namespace, scrape: "Scrape", name: str, found: Found) -> str:
    """Proved valid. Raises Refused."""
    from keeptime.contract.load import load_text
    from keeptime.contract.presets.snippet import usual, write

    text = write(
        found.preset,
        [each.promise for each in found.proposals] or usual(found.preset),
        name=name,
        url=scrape.url,
        file="contract.yaml" if args.output == "-" else args.output,
        model=found.models[0] if len(found.models) == 1 else "",
        headers=scrape.headers,
        comment=_comment(found),
    )
    result = load_text(text.encode(), args.output)
    if not result.valid:
        why = "; ".join(problem.message for problem in result.problems)
        raise Refused(f"no valid contract can be written for this: {why}")
    return text


def _comment(found: Found) -> str:
    """What was seen, and what these metrics do not say."""
    from keeptime.contract.presets.spoken import bound

    lines = [_counted(found)]
    for each in found.proposals:
        under = "succeeded" if each.promise.under is None else f"within {bound(each.promise.under)}"
        count = found.seen[each.promise.signal].count
        lines.append(f"  {each.seen:.2%} of {count} {each.promise.signal} {under}")
    if len(found.models) > 1:
        lines.append(f"Models there: {', '.join(found.models[:10])}. All are one here; an objective takes `where`.")
    return "\n".join([*lines, f"What {found.preset.title}'s metrics do not say:", *_wrapped(found.preset.traps)])


def _counted(found: Found) -> str:
    if found.proposals:
        return f"Counted {found.since}. Thresholds are bucket bounds; replace them by what you want to promise:"
    counted = any(each.count for each in found.seen.values())
    why = "From what was counted no threshold can be told" if counted else "Nothing was counted yet"
    return f"{why}: these are guesses. Replace them by what you want to promise."


def _wrapped(traps: Sequence[str]) -> list[str]:
    import textwrap

    return [
        line
        for trap in traps
        for line in textwrap.wrap(
            trap, 108, initial_indent="- ", subsequent_indent="  ", break_on_hyphens=False, break_long_words=False
        )
    ]


def _as_json(args: argparse.Namespace, name: str, found: Found) -> dict[str, object]:
    return {
        "contract": name,
        "file": None if args.output == "-" else args.output,
        "preset": found.preset.name,
        "since": found.since,
        "models": list(found.models),
        "signals": {
            str(signal): {"count": each.count, "failed": each.failed if _tells(found.preset, signal) else None}
            for signal, each in found.seen.items()
        },
        "objectives": [
            {
                "signal": str(each.promise.signal),
                "target": each.promise.share,
                "threshold_seconds": each.promise.under,
                "seen": each.seen,
            }
            for each in found.proposals
        ],
    }


def _tells(preset: "Preset", signal: "Signal") -> bool:
    metric = preset.metric(signal)
    return metric is not None and metric.tells_failures
