"""What every answer of the one port has in common: who may ask, and what a browser may do with the answer.

Guarantees: only what has a row in the access table is let in; what changes something comes as JSON, to a loopback
address, and from no page of another origin; a request that came in on a loopback address under a foreign host
name is refused, so that no web page can reach it by DNS rebinding; every answer carries a strict content security
policy.
"""

import ipaddress
from collections.abc import Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from keeptime.web.access import access, allowed

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class Guard:
    """ASGI middleware. `hosts`: host names beside the loopback ones that may be asked for on a loopback address."""

    def __init__(self, app: ASGIApp, hosts: Collection[str] = ()) -> None:
        self._app = app
        self._hosts = frozenset(host.lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        refusal = self._refusal(scope)
        await (refusal or self._app)(scope, receive, _with_headers(send, scope["path"]))

    def _refusal(self, scope: Scope) -> JSONResponse | None:
        method, host = scope["method"], Headers(scope=scope).get("host", "")
        row = access(method, scope["path"])
        if row is None:
            methods = allowed(scope["path"])
            message = f"{method} is not served here; only {' and '.join(methods)} {_are(methods)}"
            return JSONResponse({"error": message}, 405, {"Allow": ", ".join(methods)})
        if self._arrived_on_loopback(scope) and not self._may_be_asked(host_name(host)):
            message = f"this port answers to localhost, not to the host name {host!r}"
            return JSONResponse({"error": message}, 421)
        if row.changes and (why := self._may_not_change(scope)):
            return JSONResponse({"error": why}, 403)
        return None

    def _may_not_change(self, scope: Scope) -> str:
        """Why this request may change nothing, else "". A page can post JSON to another origin only after it asked
        with OPTIONS (Fetch standard, CORS-preflight), which is not served."""
        headers = Headers(scope=scope)
        if not self._arrived_on_loopback(scope):
            return "there is no log-in yet, so changes are taken on a loopback address alone"
        if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            return "a change is posted with Content-Type: application/json"
        origin = headers.get("origin")
        own = f"{scope.get('scheme', 'http')}://{headers.get('host', '')}"
        if (origin is not None and origin.lower() != own.lower()) or headers.get("sec-fetch-site", "none") not in (
            "none",
            "same-origin",
        ):
            return "a page of another site may change nothing"
        return ""

    def _arrived_on_loopback(self, scope: Scope) -> bool:
        server = scope.get("server")
        return server is None or is_loopback(server[0])

    def _may_be_asked(self, name: str) -> bool:
        return name == "localhost" or name in self._hosts or is_loopback(name)


def _are(methods: Collection[str]) -> str:
    return "is" if len(methods) == 1 else "are"


def host_name(host: str) -> str:
    """The name in a Host header, lower case, without port and brackets."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].rstrip(".").lower()


def is_loopback(text: str) -> bool:
    """Is it written as an address of this machine alone (127.0.0.0/8, ::1)?"""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


def _with_headers(send: Send, path: str) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.update(HEADERS)
            headers.setdefault("Cache-Control", "max-age=3600" if path.startswith("/static/") else "no-store")
        await send(message)

    return sending
