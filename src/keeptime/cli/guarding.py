"""The options of `keeptime run` that say who may ask: names, TLS, proxies.

Guarantees: what is not on loopback is refused unless there are tokens, and TLS or a trusted proxy. Serves nothing
itself.
"""

import argparse
import ipaddress
import re
from dataclasses import dataclass
from pathlib import Path

from keeptime.app.auditing import Audit, Write
from keeptime.app.rights import Rights
from keeptime.cli.listening import is_loopback
from keeptime.clock import SystemClock
from keeptime.errors import UsageError
from keeptime.store.tokens import TokenFile
from keeptime.web.door import Door
from keeptime.web.tls import Certificate
from keeptime.web.whence import Network

_NAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*")


@dataclass(frozen=True, slots=True)
class Guarding:
    """The options, understood. `open`: nobody is asked for a token unless there is a file of them."""

    hosts: frozenset[str]
    proxies: tuple[Network, ...]
    certificate: Path | None
    key: Path | None
    open: bool

    @classmethod
    def of(cls, args: argparse.Namespace, host: str) -> "Guarding":
        """Raises UsageError."""
        if (args.tls_cert is None) != (args.tls_key is None):
            raise UsageError("--tls-cert and --tls-key belong together; give both or none")
        proxies = tuple(map(_network, args.trusted_proxy))
        if not is_loopback(host) and args.tls_cert is None and not proxies:
            raise UsageError(
                f"--listen {args.listen}: others can reach this address, so it takes TLS (--tls-cert, --tls-key), "
                "or a proxy that speaks TLS before it (--trusted-proxy), and a token (`keeptime token add`); "
                "without them keeptime listens on loopback addresses only"
            )
        return cls(
            hosts=frozenset(map(_host, args.host)),
            proxies=proxies,
            certificate=None if args.tls_cert is None else Path(args.tls_cert),
            key=None if args.tls_key is None else Path(args.tls_key),
            open=is_loopback(host) and not proxies,
        )

    @property
    def scheme(self) -> str:
        return "http" if self.certificate is None else "https"

    def tls(self) -> Certificate | None:
        """Raises KeeptimeError where the files are of no use."""
        if self.certificate is None or self.key is None:
            return None
        return Certificate(self.certificate, self.key)

    def rights(self, data: Path) -> Rights:
        """Raises UsageError where a token is needed and there is none, TokenError where that cannot be known."""
        file = TokenFile(data)
        if not file.read() and not self.open:
            raise UsageError(
                f"others can reach this keeptime, so whoever asks it needs a token, and {file.path} has none; "
                "make one first: `keeptime token add NAME --scope read`"
            )
        return Rights(file, SystemClock(), always=not self.open)

    def door(self, rights: Rights, write: Write) -> Door:
        """`write`: what appends a row to the ledger."""
        audit = Audit(rights.clock, write)
        return Door(hosts=self.hosts, proxies=self.proxies, rights=rights, clock=rights.clock, audit=audit)


def _network(text: str) -> Network:
    try:
        return ipaddress.ip_network(text)
    except ValueError as error:
        raise UsageError(
            f"--trusted-proxy {text}: expected an address or a network such as 10.0.0.7 or 10.0.0.0/24 ({error})"
        ) from error


def _host(text: str) -> str:
    if _NAME.fullmatch(text.rstrip(".")) is None or len(text) > 253:
        raise UsageError(f"--host {text}: expected a host name such as sla.example.com, without a port")
    return text.rstrip(".").lower()
