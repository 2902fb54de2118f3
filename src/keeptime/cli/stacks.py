"""`keeptime stacks INCIDENT`: where its slow requests stood, as a flame graph or for another tool.

Exit code 0: it is written; 1: no stack of its requests is kept, there is no such incident, or no keeptime answers;
2: wrong usage.
"""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keeptime.cli.asking import USUAL, add_token_option
from keeptime.cli.instants import instant_or_ago
from keeptime.errors import KeeptimeError

if TYPE_CHECKING:
    from keeptime.explain.stacks import Profile
    from keeptime.model.exemplar import Exemplar

FORMATS = ("table", "folded", "speedscope", "pprof", "svg")
SETTLE = 60.0
MOST = 1000
EXAMPLES = """\
examples:
  keeptime stacks                                       the incident that began last, as a table
  keeptime stacks sentiment-latency --since 1h          late requests of a contract, incident or not
  keeptime stacks sentiment-latency.p99-500ms.20261126T051200Z --format svg -o slow.svg
  keeptime stacks sentiment-latency --since 1h --format speedscope -o slow.json      for https://www.speedscope.app
  keeptime stacks sentiment-latency --since 1h --format pprof -o slow.pb.gz          for go tool pprof

exit codes:
  0  it is written
  1  no stack of its requests is kept, there is no such incident, or no keeptime answers
  2  the command was called wrongly
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = "Say where slow requests stood, as their model's own process saw it."
    parser.epilog = EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "what", metavar="INCIDENT|CONTRACT", nargs="?", help="an incident's id, or a contract's name"
    )
    parser.add_argument("--format", choices=FORMATS, default="table", help="(default %(default)s)")
    parser.add_argument("-o", "--output", metavar="FILE", type=Path, help="write there (default: to stdout)")
    parser.add_argument(
        "--since", metavar="WHEN", type=instant_or_ago,
        help="late requests of the contract from then on: 2026-10-01T10:00Z, or a duration before now, such as 1h",
    )  # fmt: skip
    parser.add_argument("--until", metavar="WHEN", type=instant_or_ago, help="the same; requests that ended before")
    parser.add_argument("--url", default=USUAL, help="where keeptime listens (default %(default)s)")
    add_token_option(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object: the table's rows")


def run(args: argparse.Namespace) -> int:
    from keeptime.explain.stacks import of_requests, profile_of

    name, contract, start, end = _asked(args)
    profile = profile_of(of_requests(_kept(args, contract, start, end)))
    if not profile.stacks:
        raise KeeptimeError(
            f"{name}: no stack of a slow request is kept; the middleware sends them with stacks=True"
        )
    written = _written("json" if args.json else args.format, profile, name)
    if args.output is not None:
        _to_file(args.output, written)
        print(f"{args.output}: {len(profile.stacks)} stacks of {profile.requests} requests", file=sys.stderr)
    else:
        sys.stdout.flush()
        sys.stdout.buffer.write(written)
        sys.stdout.buffer.flush()
    return 0


def _asked(args: argparse.Namespace) -> tuple[str, str, float | None, float | None]:
    """What it is called, the contract, from when to when."""
    from urllib.parse import quote, urlencode

    from keeptime.cli.asking import ask, send

    if args.what and "." not in args.what and (args.since is not None or args.until is not None):
        return args.what, args.what, args.since, args.until
    if args.what and "." in args.what:
        one = send(args.url, f"incidents/{quote(args.what, safe='~')}", token=args.token)
        one = one.get("incident", one)
    else:
        asked = {"limit": "1"} | ({"contract": args.what} if args.what else {})
        found = ask(args.url, f"incidents?{urlencode(asked)}", token=args.token)["incidents"]
        if not found:
            raise KeeptimeError(f"there is no incident{f' of {args.what}' if args.what else ''}; give --since")
        one = found[0]
    ended = one.get("ended")
    until = None if ended is None else float(ended) + SETTLE
    return str(one["id"]), str(one["contract"]), float(one["started"]) - SETTLE, until


def _kept(args: argparse.Namespace, contract: str, start: float | None, end: float | None) -> "list[Exemplar]":
    from urllib.parse import urlencode

    from keeptime.cli.asking import ask

    asked = {"contract": contract, "limit": str(MOST)}
    asked |= {name: repr(at) for name, at in (("since", start), ("until", end)) if at is not None}
    found = []
    for why in ("slow", "failed"):
        found += ask(args.url, f"exemplars?{urlencode({**asked, 'why': why})}", token=args.token)["exemplars"]
    return [_exemplar(contract, each) for each in found if each.get("stacks")]


def _exemplar(contract: str, found: dict[str, Any]) -> "Exemplar":
    from keeptime.model.exemplar import Exemplar
    from keeptime.model.trace import Why

    stacks = tuple((str(each["stack"]), int(each["count"])) for each in found["stacks"])
    at, took = round(found["at"] * 1e9), round(found["latency_seconds"] * 1e9)
    return Exemplar(
        contract,
        at,
        took,
        Why(found["why"]),
        observer=found["observer"],
        weight=float(found["weight"]),
        stacks=stacks,
    )


def _written(kind: str, profile: "Profile", name: str) -> bytes:
    from keeptime import __version__
    from keeptime.explain import stacks

    if kind == "pprof":
        return stacks.pprof(profile, name)
    if kind == "folded":
        return stacks.folded(profile).encode()
    if kind == "speedscope":
        return _json(stacks.speedscope(profile, name, f"keeptime {__version__}"))
    flame = stacks.drawn(profile)
    assert flame is not None, "it has stacks"
    if kind == "svg":
        return stacks.svg(flame, name).encode()
    rows = [{"share": each.share, "place": each.place, "did": each.did or None} for each in flame.top]
    if kind == "json":
        return _json({"of": name, "requests": profile.requests, "sentence": flame.sentence, "rows": rows})
    lines = [f"{name}: {flame.sentence}", ""]
    lines += [f"{each.percent:>8}  {each.place}{f'  [{each.did}]' if each.did else ''}" for each in flame.top]
    return ("\n".join(lines) + "\n").encode()


def _json(found: dict[str, Any]) -> bytes:
    import json

    return (json.dumps(found, indent=2, ensure_ascii=False) + "\n").encode()


def _to_file(path: Path, written: bytes) -> None:
    try:
        path.write_bytes(written)
    except OSError as error:
        raise KeeptimeError(f"{path} cannot be written: {error.strerror or error}") from None
