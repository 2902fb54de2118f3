"""`keeptime push`: a batch job's requests, from a file or a pipe, to the keeptime that runs.

Exit code 0: all were counted; 1: some or all were refused, or no keeptime answers; 2: wrong usage.
"""

import argparse
from typing import TYPE_CHECKING, Any

from keeptime.cli.asking import USUAL, add_token_option
from keeptime.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import BinaryIO

AT_ONCE, BYTES = 5_000, 2 * 1024 * 1024
"""Lines and bytes of one body: half of what is taken."""

TOLD = 20
"""Lines that were refused and are told with their reasons."""

EXAMPLES = """\
examples:
  keeptime push nightly-scoring requests.ndjson
  score-everything | keeptime push nightly-scoring
  keeptime push nightly-scoring requests.ndjson --key job-4711      may be run again: it counts once
  echo '{"latency_seconds": 1.7}' | keeptime push nightly-scoring

Each line is one request, as `docs/push.md` says: {"latency_seconds": 0.12, "status": 200, "attributes": {…}}. The
same lines pushed twice count twice, unless both come under the same --key within an hour.

exit codes:
  0  every request was counted
  1  some or all were refused, or no keeptime answers
  2  the command was called wrongly
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = "Report requests to the keeptime that runs."
    parser.epilog = EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("contract", metavar="CONTRACT", help="the contract's name")
    parser.add_argument("file", metavar="FILE", nargs="?", default="-", help="lines of JSON; - is standard input")
    parser.add_argument("--url", default=USUAL, help="where keeptime listens (%(default)s)")
    add_token_option(parser)
    parser.add_argument("--key", default="", help="a name of this push: the same lines under it count once an hour")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    import sys

    if args.file == "-":
        done = _pushed(args, sys.stdin.buffer)
    else:
        try:
            with open(args.file, "rb") as file:
                done = _pushed(args, file)
        except OSError as error:
            raise UsageError(f"{args.file}: it cannot be read ({error.strerror})") from error
    _say(done, args.json)
    return 1 if done["refused_count"] else 0


def _pushed(args: argparse.Namespace, lines: "BinaryIO") -> dict[str, Any]:
    """What became of all of it. Raises NoAnswer, Refusal, UsageError."""
    import secrets

    from keeptime.cli.asking import post_lines

    done: dict[str, Any] = {"contract": args.contract, "taken": 0, "late": 0, "refused": [], "refused_count": 0}
    begun, name = 0, args.key or secrets.token_hex(16)
    if not (name.isascii() and name.isprintable() and len(name) <= 150):
        raise UsageError("--key: expected at most 150 printable characters of ASCII")
    for many in _bodies(lines):
        body = b"".join(many)
        said = post_lines(args.url, args.contract, body, f"{name}/{begun}", token=args.token)
        for each in ("taken", "late", "refused_count"):
            done[each] += said[each]
        places = [nth for nth, line in enumerate(many, begun + 1) if line.strip()]
        done["refused"] += [{"line": places[each["at"]], "why": each["why"]} for each in said["refused"]]
        begun += len(many)
    done["refused"] = done["refused"][:TOLD]
    return done


def _bodies(lines: "Iterable[bytes]") -> "Iterator[list[bytes]]":
    many: list[bytes] = []
    size = 0
    for line in lines:
        if many and (len(many) >= AT_ONCE or size + len(line) > BYTES):
            yield many
            many, size = [], 0
        many.append(line)
        size += len(line)
    if many:
        yield many


def _say(done: dict[str, Any], as_json: bool) -> None:
    import json
    import sys

    if as_json:
        print(json.dumps(done, indent=2, ensure_ascii=False))
        return
    print(f"{done['contract']}: {done['taken']:,} counted, {done['refused_count']:,} refused")
    for each in done["refused"]:
        print(f"line {each['line']}: {each['why']}", file=sys.stderr)
