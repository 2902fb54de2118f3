"""`--listen HOST:PORT` of the commands that serve something.

Guarantees: only loopback addresses come through. Serves nothing itself.
"""

import ipaddress

from keeptime.errors import UsageError


def address(text: str) -> tuple[str, int]:
    """Host and port. Raises UsageError."""
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not host or not port.isdecimal() or int(port) > 65535:
        raise UsageError(f"--listen {text}: expected HOST:PORT such as 127.0.0.1:5337 or [::1]:5337")
    if not _loopback(host):
        raise UsageError(
            f"--listen {text}: keeptime has no log-in yet, so it listens on loopback addresses only; "
            "to show it to others, put a proxy with authentication before it"
        )
    return host, int(port)


def url_of(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
