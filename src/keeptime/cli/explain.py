"""`keeptime explain INCIDENT`: why requests were slow, as far as the evidence tells.

Exit code 0: it is shown; 1: nothing is known of it, there is no such incident, or no keeptime answers; 2: wrong
usage.
"""

import argparse
from collections.abc import Iterator
from typing import Any

from keeptime.cli.asking import USUAL, add_token_option
from keeptime.errors import KeeptimeError

EXAMPLES = """\
examples:
  keeptime explain                                                   the incident that began last
  keeptime explain sentiment-latency                                 the last one of this contract
  keeptime explain sentiment-latency.p99-500ms.20261126T051200Z
  keeptime explain sentiment-latency --json | jq -r '.explanation.lines[]'

exit codes:
  0  what is known is shown; it may be that nothing stands out
  1  there is no such incident, or nothing is known of it, or no keeptime answers
  2  the command was called wrongly
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Say why requests were slow: what they have in common, since when, and what was changed then."
    )
    parser.epilog = EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "what", metavar="INCIDENT|CONTRACT", nargs="?", help="an incident's id, or a contract's name"
    )
    parser.add_argument("--url", default=USUAL, help="where keeptime listens (default %(default)s)")
    add_token_option(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    from urllib.parse import quote

    from keeptime.cli.asking import send

    name = args.what if args.what and "." in args.what else _newest(args)
    said = send(args.url, f"incidents/{quote(name, safe='~')}/explanation", token=args.token)
    if "explanation" not in said:
        raise KeeptimeError(f"{args.url} explains nothing; is it a keeptime of this version?")
    if args.json:
        import json

        print(json.dumps(said, indent=2, ensure_ascii=False))
    elif said["explanation"] is None:
        print(f"{name}: nothing is known of it")
    else:
        _print(name, said["explanation"])
    return 0 if said["explanation"] is not None else 1


def _newest(args: argparse.Namespace) -> str:
    """The id of the incident that began last. Raises KeeptimeError where there is none."""
    from urllib.parse import urlencode

    from keeptime.cli.asking import ask

    asked = {"limit": "1"} | ({"contract": args.what} if args.what else {})
    found = ask(args.url, f"incidents?{urlencode(asked)}", token=args.token)["incidents"]
    if not found:
        raise KeeptimeError(f"there is no incident{f' of {args.what}' if args.what else ''} to explain")
    return str(found[0]["id"])


def _print(name: str, found: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    console.print(Text(name, "bold"))
    for line in (*found["lines"], *_rest(found)):
        console.print(Text(line))


def _rest(found: dict[str, Any]) -> Iterator[str]:
    if found["causes"]:
        yield from ("", "what stands out")
        yield from (f"  {at}. {each['kind']}: {each['sentence']}" for at, each in enumerate(found["causes"], 1))
    if found["phases"]:
        from keeptime.units import speak_duration

        yield from ("", "where the time went (medians: usual, bad)")
        wide = max(len(each["name"]) for each in found["phases"])
        for each in found["phases"]:
            usual, bad = speak_duration(each["usual_seconds"]), speak_duration(each["bad_seconds"])
            yield f"  {each['name']:{wide}}  {usual:>10}  {bad:>10}"
    if (looked := found["looked"]) is not None:
        of = f"{looked['attributes']} attributes, {looked['phases']} phases and {looked['events']} changes"
        yield from ("", f"found in {looked['bad']} bad requests and {looked['good']} others; {of} were looked at")
