"""The trace that a probe begins: its `traceparent` in the request (W3C Trace Context, level 1).

Guarantees: each request has ids of its own, that say it is sampled, so that whoever traces keeps it; a contract
that sends a `traceparent` of its own is left alone.
"""

import secrets

NAME = "traceparent"
_NOT_YET = b"traceparent: 00-" + b"0" * 32 + b"-" + b"0" * 16 + b"-01"
LINE = _NOT_YET.decode()
"""The field as it stands in a request that is made ready, until the request leaves."""


def begun(request: bytes) -> tuple[bytes, str]:
    """The request with ids of its own, and its trace's; as it is, and "", where it has no place for them."""
    at = request.find(_NOT_YET)
    if at < 0:
        return request, ""
    field, trace = parent()
    return request[:at] + f"{NAME}: {field}".encode() + request[at + len(_NOT_YET) :], trace


def parent() -> tuple[str, str]:
    """The field's value for one request, and the id of its trace."""
    trace, span = secrets.token_hex(16), secrets.token_hex(8)
    return f"00-{trace}-{span}-01", trace
