"""`keeptime run`: keep these contracts until told to end.

Exit code 0: ended in order; 1: a contract is invalid, the store or the port cannot be had; 2: wrong usage.
"""

import argparse

EXAMPLES = """\
examples:
  keeptime run contract.yaml                       page, API and /metrics on http://127.0.0.1:5337
  keeptime run contracts/ --listen 127.0.0.1:0     all *.yaml of a directory, on any free port
  keeptime run contract.yaml --data ./state        keep the store here
  keeptime run contract.yaml --store postgresql://keeptime@db.example.com/keeptime   one of a pair
  keeptime run contract.yaml --watch               read the contracts again when they change
  keeptime run contract.yaml --listen 0.0.0.0:5337 --tls-cert chain.pem --tls-key key.pem --host sla.example.com
  keeptime run contract.yaml --otlp-grpc 127.0.0.1:4317   take OpenTelemetry's exports by gRPC, too
  keeptime reload, or kill -HUP PID                read the contracts again; an invalid one changes nothing
  kill -TERM PID                                   end in order: judge, store and send what is left

exit codes:
  0  ended in order
  1  a contract is invalid, or the store or the port cannot be had
  2  the command was called wrongly
"""
PORT = 5337
"""Keys k-e-e-p of a telephone; no model server or monitoring tool is known to use it."""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = "Observe, judge and tell; page, API and /metrics on one port."
    parser.epilog = EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("contracts", metavar="CONTRACT", nargs="+", help="a contract file, or a directory of them")
    parser.add_argument(
        "--listen", metavar="HOST:PORT", default=f"127.0.0.1:{PORT}",
        help="address of the one port; port 0: any free one (default %(default)s)",
    )  # fmt: skip
    parser.add_argument("--data", metavar="DIR", help="where the store lives (default: a folder per user)")
    parser.add_argument(
        "--store", metavar="URL",
        help="instead of --data: postgresql://USER@HOST/DATABASE, or env:NAME or file:PATH that holds such a URL; "
        "two with the same one are a pair, of which one leads and the other takes over",
    )  # fmt: skip
    parser.add_argument(
        "--lease", metavar="DURATION", default="8s",
        help="of a pair: how long the lead is held without a word to the database (default %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--tick", default="10s", metavar="DURATION",
        help="how often verdicts are made; divides a minute, and belongs to the store (default %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--otlp-grpc", metavar="ADDRESS:PORT",
        help="take OTLP over gRPC there too, usually 127.0.0.1:4317 (needs keeptime[grpc])",
    )  # fmt: skip
    parser.add_argument("--ready-file", metavar="FILE", help='write {"url", "pid"} there once all runs')
    parser.add_argument(
        "--watch", action="store_true", help="read the contracts again by itself when their files have changed"
    )
    _add_who_may_ask(parser)
    parser.add_argument("--plain", action="store_true", help="log lines instead of the live table in a terminal")


def _add_who_may_ask(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("who may ask", "needed where others can reach the address of --listen")
    group.add_argument("--tls-cert", metavar="FILE", help="the certificate and its chain, in PEM")
    group.add_argument("--tls-key", metavar="FILE", help="its key, in PEM, readable by this user alone")
    group.add_argument(
        "--host", metavar="NAME", action="append", default=[],
        help="a host name that the port answers to, beside its addresses; more than once for several",
    )  # fmt: skip
    group.add_argument(
        "--trusted-proxy", metavar="ADDRESS", action="append", default=[],
        help="an address or network whose X-Forwarded-For and -Proto are believed, and which may come without TLS",
    )  # fmt: skip


def run(args: argparse.Namespace) -> int:
    import asyncio
    import gc

    gc.disable()  # nothing of what is imported is garbage, and looking for it takes a tenth of the time
    from keeptime.cli.running import Options, keep_running

    gc.enable()
    return asyncio.run(keep_running(Options.of(args)))
