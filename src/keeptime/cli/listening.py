"""`--listen HOST:PORT` of the commands that serve something.

Guarantees: what comes through is a host and a port; whether only a loopback address may be one, the command says.
Serves nothing itself.
"""

import ipaddress

from keeptime.errors import UsageError


def address(text: str, *, anywhere: bool = False) -> tuple[str, int]:
    """Host and port. `anywhere`: not on loopback alone. Raises UsageError."""
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not host or not port.isdecimal() or int(port) > 65535:
        raise UsageError(f"--listen {text}: expected HOST:PORT such as 127.0.0.1:5337 or [::1]:5337")
    if not anywhere and not is_loopback(host):
        raise UsageError(
            f"--listen {text}: this listens on loopback addresses only; "
            "to let others reach it, put a proxy with authentication before it"
        )
    return host, int(port)


def url_of(host: str, port: int, scheme: str = "http") -> str:
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
