"""What is said of a connection that did not work: the class of the failure and a sentence for the person.

Pure. Knows neither sockets nor schedules, only the errors they raise.
"""

import errno
import ssl

from keeptime.errors import blame
from keeptime.model.sample import Failure
from keeptime.observe.phases import Phase

NO_ROOM = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL})
"""This machine's own limits: the probe did not leave, and nothing is known about the endpoint."""
_DOING = {
    Phase.DNS: "still looking up the name",
    Phase.CONNECT: "still connecting",
    Phase.TLS: "still in the TLS handshake",
    Phase.WRITE: "still sending the request",
    Phase.WAIT: "no byte of it came",
    Phase.TRANSFER: "it had begun, and did not end",
}


BUG = "a bug of keeptime: "


def bug(error: Exception) -> str:
    """Why a probe ended of which nothing can be said: what a skipped slot gives as its reason."""
    return f"{BUG}{blame(error)}"


def unconnected(error: OSError, host: str, port: int) -> tuple[Failure | None, str]:
    """Why there is no connection. No failure: this machine has no room for it, and the endpoint is not judged."""
    if error.errno in NO_ROOM:
        return None, f"no socket or port to spare here: {_said(error)}"
    if isinstance(error, ssl.SSLError):
        return Failure.TLS, _said(error)
    where = f"[{host}]" if ":" in host else host
    return Failure.REFUSED, f"{where}:{port}: {_said(error)}"


def broken_off(error: OSError, phase: Phase) -> tuple[Failure, str]:
    """Why a connection ended in this phase."""
    if isinstance(error, ssl.SSLError):
        return Failure.TLS, _said(error)
    if phase is Phase.TLS:
        return Failure.TLS, f"broken off during the handshake: {_said(error)}"
    return Failure.PROTOCOL, f"broken off before the end of the answer: {_said(error)}"


def out_of_time(phase: Phase, timeout: int) -> str:
    """What was still going on in this phase when the timeout (nanoseconds) was over."""
    return f"no whole answer within {timeout / 1e9:g} s: {_DOING[phase]}"


def _said(error: OSError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    if isinstance(error, ssl.SSLError):
        return error.reason or "the handshake failed"
    return error.strerror or str(error)
