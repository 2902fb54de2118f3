"""`keeptime probe`: one probe now, phase by phase.

Exit code 0: the probe succeeded; 1: it failed, or could not be sent, or the contract is invalid; 2: wrong usage.
"""

import argparse
import json
import sys
from typing import TYPE_CHECKING

from keeptime.errors import ProbeError, SecretError, UsageError

if TYPE_CHECKING:
    from keeptime.contract.terms import Contract
    from keeptime.model.sample import Sample

EXAMPLES = """\
examples:
  keeptime probe contract.yaml                 one probe, as a small picture
  keeptime probe contracts/ --name sentiment   where the files hold several contracts
  keeptime probe --json contract.yaml          one JSON object on stdout, for scripts

exit codes:
  0  the probe succeeded
  1  it failed, could not be sent, or the contract is invalid
  2  the command was called wrongly
"""
PHASES = ("dns", "connect", "tls", "write", "wait", "transfer")
MEANING = {
    "dns": "look-up of the name",
    "connect": "TCP connection",
    "tls": "TLS handshake",
    "write": "request sent",
    "wait": "until the first byte",
    "transfer": "first byte to last",
}
BAR = 34


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = "Send one probe now and show where its time went."
    parser.epilog = EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("contracts", metavar="CONTRACT", nargs="+", help="a contract file, or a directory of them")
    parser.add_argument("--name", help="which contract, where there are several")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Raises ContractError and UsageError for the front door to show."""
    from keeptime.contract.load import require
    from keeptime.observe.once import probe_once

    contract = _choose(require(args.contracts), args.name)
    if not contract.probes or contract.endpoint is None:
        raise UsageError(f"{contract.name} has no probe; expected `observe: - probe: …` in {contract.file}")
    try:
        sample = probe_once(contract.endpoint, contract.probes[0], contract=contract.name)
    except (ProbeError, SecretError) as error:
        print(f"keeptime probe: {contract.name}: the probe could not be sent: {error}", file=sys.stderr)
        return 1
    if args.json:
        print(json.dumps(as_json(sample), indent=2))
    else:
        print("\n".join(picture(contract.at(sample.sent_ns / 1e9), sample)))
    return 0 if sample.failure is None else 1


def _choose(contracts: "tuple[Contract, ...]", name: str | None) -> "Contract":
    names = ", ".join(each.name for each in contracts)
    if name is None:
        if len(contracts) == 1:
            return contracts[0]
        raise UsageError(f"{len(contracts)} contracts given ({names}); say which with --name")
    for each in contracts:
        if each.name == name:
            return each
    raise UsageError(f"no contract is named {name!r}; expected one of: {names}")


def as_json(sample: "Sample") -> dict[str, object]:
    """The stable JSON of one probe; times are seconds, `at` is Unix seconds."""
    from keeptime.model.figures import stream_figures

    return {
        "contract": sample.contract,
        "success": sample.failure is None,
        "latency_seconds": sample.latency_ns / 1e9,
        "status": sample.status,
        "failure": sample.failure,
        "phases": {name: getattr(sample.phases, name) / 1e9 for name in PHASES},
        "at": sample.sent_ns / 1e9,
        "size_bytes": sample.size,
        "connection": sample.connection,
        "stamped": sample.stamped,
        "stream": stream_figures(sample),
        "detail": sample.detail,
    }


def picture(contract: "Contract", sample: "Sample") -> list[str]:
    """Lines of at most 80 columns: how it ended, and each phase as a bar where and as long as it was."""
    total = sample.done_ns - sample.sent_ns
    lines = [f"{contract.name}: {contract.observed}"[:80]]
    lines.append(f"  {_outcome(sample)} in {_ms(total)}"[:80])
    if sample.detail:
        lines += _wrapped(sample.detail)
    begun = 0
    for name in PHASES:
        spent = getattr(sample.phases, name)
        if spent:
            lines.append(f"  {name:<9}{_ms(spent):>11} |{_bar(begun, spent, total)}| {MEANING[name]}")
        begun += spent
    kind = "the kernel's" if sample.stamped else "keeptime's own"
    lines.append(f"  {sample.size} bytes; the end is by {kind} clock")
    return [*lines, *_streamed(sample), *_promises(contract, sample)]


def _streamed(sample: "Sample") -> list[str]:
    """The times of tokens, of an answer that was read in pieces."""
    from keeptime.model.figures import inter_token, tokens_per_second

    stream = sample.stream
    if stream is None:
        return []
    if stream.first_token_ns is None:
        return ["  no token came"]
    rate, gaps, each = tokens_per_second(sample), inter_token(stream), stream.output_token_ns
    lines = [f"  first token after {_ms(stream.first_token_ns)}; {stream.tokens} tokens"]
    lines[0] += f", {rate:.1f} a second" if rate else ""
    if gaps and each is not None:
        shown = ", ".join(f"{name} {_ms(round(gap * 1e9))}" for name, gap in gaps.items())
        lines += [f"  between tokens {shown},", f"  on average {_ms(round(each))}"]
    if stream.merged:
        lines.append(f"  {stream.merged} reads held several segments: their tokens share an instant")
    return lines


def _outcome(sample: "Sample") -> str:
    status = "" if sample.status is None else f"status {sample.status}"
    if sample.failure is None:
        return f"ok, {status}," if status else "ok"
    return f"failed: {sample.failure.replace('_', ' ')}{f' ({status})' if status else ''},"


def _wrapped(detail: str) -> list[str]:
    import textwrap

    return textwrap.wrap(detail, 76, initial_indent="  ", subsequent_indent="  ")[:6]


def _ms(nanoseconds: int) -> str:
    return f"{nanoseconds / 1e6:.3f} ms"


def _bar(begun: int, spent: int, total: int) -> str:
    """A phase's share of the whole, at its place; never less than one mark."""
    start = min(BAR - 1, begun * BAR // max(1, total))
    end = min(BAR, max(start + 1, round((begun + spent) * BAR / max(1, total))))
    return " " * start + "#" * (end - start) + " " * (BAR - end)


def _promises(contract: "Contract", sample: "Sample") -> list[str]:
    """What this one request would be for each objective on requests; of one on intervals, none is."""
    from keeptime.contract.spoken import asked
    from keeptime.observe.deciding import attributes_of, deciding

    lines, attributes = [], attributes_of(sample)
    for each in contract.objectives:
        if each.each is not None:
            continue
        found = deciding(contract, each).decide(sample, attributes)
        verdict = ("good" if found else "bad") if isinstance(found, bool) else "left out"
        lines.append(f"  {verdict:<9}{each.name}: {asked(each)}"[:80])
    return lines
