"""`keeptime receive`: a ready receiver that verifies messages and prints each once.

Exit code 0: ended in order; 1: a secret has no value, the port or the file cannot be had; 2: wrong usage.
"""

import argparse

EXAMPLES = """\
examples:
  keeptime receive --secret env:KEEPTIME_SECRET        verify, and print for people
  keeptime receive --secret env:NEW --secret env:OLD   while the secret is being changed
  keeptime receive --secret env:KEEPTIME_SECRET --json one JSON object a line, for a script
  keeptime receive --listen 127.0.0.1:0 --seen ids.db  any free port; repeats are known after a restart, too

exit codes:
  0  ended in order (Ctrl-C or SIGTERM)
  1  a secret has no value, the port or the file of --seen cannot be had, or nobody reads stdout
  2  the command was called wrongly
"""
PORT = 5338
"""Beside that of `keeptime run`."""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = "Receive keeptime's webhooks: verify, drop repeats, print."
    parser.epilog = EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "--listen", metavar="HOST:PORT", default=f"127.0.0.1:{PORT}",
        help="loopback address; port 0: any free one (default %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--secret", metavar="REF", action="append", default=[],
        help="env:NAME or file:PATH of the signing secret; several: any of them may have signed. "
        "Without one, nothing is verified",
    )  # fmt: skip
    parser.add_argument(
        "--tolerance", metavar="DURATION", default="5m",
        help="the most by which sender's and own clock may differ (default %(default)s)",
    )  # fmt: skip
    parser.add_argument("--seen", metavar="FILE", help="keep the ids of messages there (default: in memory)")
    parser.add_argument("--json", action="store_true", help="print one JSON object per message")


def run(args: argparse.Namespace) -> int:
    import asyncio

    from keeptime.cli.receiving import Options, keep_receiving

    return asyncio.run(keep_receiving(Options.of(args)))
