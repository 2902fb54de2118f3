"""What every request of the one port goes through before a route sees it, and what every answer has in common.

Guarantees: only what has a row in the access table is let in, and where tokens are asked for, only with one that
may; what changes something comes in a form that its row takes, and from no page of another origin; what a page can
post to any origin is taken only with proof that it was one of our own; a request under a foreign host name is
refused, so that no web page can reach the port by DNS rebinding; a body is wholly here, and not too large; whoever
asks too often waits; every answer carries a strict content security policy.
"""

import ipaddress

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from keeptime.app.auditing import Attempt
from keeptime.model.token import Scope as Scopes
from keeptime.web.access import UNKNOWN, access, allowed
from keeptime.web.bodies import Gone, announced, answer_and_linger, form_of, whole
from keeptime.web.credentials import linked, shown
from keeptime.web.door import Door
from keeptime.web.entering import Entering
from keeptime.web.refusal import Refusal
from keeptime.web.whence import Whence, whence

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


FORM_REFERRER = "same-origin"
"""Of a page with forms: under no-referrer a browser says of what is posted that its origin is null (Fetch standard,
"append a request Origin header")."""


class Guard:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp, door: Door | None = None) -> None:
        self._app = app
        self._door = door or Door()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        asked = Asked(self._door, scope, whence(scope, self._door.proxies))
        sending = _with_headers(send, asked)
        refusal = await asked.refusal()
        if refusal is None and asked.row.changes:
            try:
                body = await whole(scope, receive, asked.row, self._door.body_seconds)
            except Gone:
                return
            if isinstance(body, Refusal):
                refusal = body
            else:
                receive = body.again()
        if refusal is None:
            asked.note_let_in()
            await self._app(scope, receive, sending)
            return
        asked.note_refused(refusal)
        answer = asked.answer(refusal)
        if refusal.unread:
            await answer_and_linger(answer, receive, sending)
        else:
            await answer(scope, receive, sending)


class Asked:
    """One request on its way in."""

    def __init__(self, door: Door, scope: Scope, came: Whence) -> None:
        self._door, self._scope, self._came = door, scope, came
        self._headers = Headers(scope=scope)
        self._entering = Entering(door, came.client)
        self.row = access(scope["method"], scope["path"]) or UNKNOWN[0]

    async def refusal(self) -> Refusal | None:
        """Why it is not let in; None where it is. In this order, so that what costs comes last."""
        refused = self._entering.crowd() or self._row() or self._place()
        if refused is None:
            given = shown(self._headers) or (linked(self._scope) if self.row.link else None)
            refused = await self._entering.who(self.row, given)
        if refused is None and self.row.changes:
            refused = self._change()
        return refused or announced(self._scope, self.row)

    def may_be_embedded(self) -> bool:
        """May pages of other sites show it? Only for who has the link: no page may find out by trying names."""
        owner = self._entering.owner
        return self.row.embedded and owner is not None and owner.consumer != ""

    def answer(self, refusal: Refusal) -> Response:
        """In the form that its row has for it."""
        posted_by_a_page = self.row.form and self.row.changes
        return refusal.response(form_of(self._headers) if self.row.rpc else None, page=posted_by_a_page)

    def note_refused(self, refusal: Refusal) -> None:
        self._door.audit.note_refused(self._attempt(refusal.status, refusal.reason))

    def note_let_in(self) -> None:
        owner = self._entering.owner
        self._scope["token"] = owner.name if owner else ""
        self._scope["may"] = frozenset(each for each in Scopes if owner is None or owner.may(each))
        if self.row.changes and self.row.noted and self._entering.owner is not None:
            self._door.audit.note_changed(self._attempt(0, "let_in"))

    def _attempt(self, status: int, reason: str) -> Attempt:
        name = self._entering.owner.name if self._entering.owner else ""
        return Attempt(self._came.client, self._scope["method"], self._scope["path"], name, status, reason)

    def _row(self) -> Refusal | None:
        method, path = self._scope["method"], self._scope["path"]
        if access(method, path) is None:
            methods = allowed(path)
            message = f"{method} is not served here; only {' and '.join(methods)} {_are(methods)}"
            return Refusal(405, "method", message, {"Allow": ", ".join(methods)}, unread=True)
        return None

    def _place(self) -> Refusal | None:
        local = self._arrived_on_loopback()
        if self._came.clear and not local and not self._came.proxied:
            message = "without TLS this port answers its own machine and its trusted proxy alone"
            return Refusal(403, "clear", message, unread=True)
        host = self._headers.get("host", "")
        name = host_name(host)
        if name in self._door.hosts or (name == "localhost" or is_loopback(name) if local else is_address(name)):
            return None
        message = (
            f"this port does not answer to the host name {host[:100]!r}; --host names those that it answers to"
        )
        return Refusal(421, "host", message, unread=True)

    def _change(self) -> Refusal | None:
        """What a page can post to another origin without asking first is no form that a row takes."""
        if form_of(self._headers) not in self.row.taken:
            message = f"this is posted with Content-Type: {' or '.join(self.row.taken)}"
            return Refusal(415, "content_type", message, {"Accept-Post": ", ".join(self.row.taken)}, unread=True)
        origin = self._headers.get("origin")
        own = f"{self._came.scheme}://{self._headers.get('host', '')}"
        site = self._headers.get("sec-fetch-site")
        if (origin is not None and origin.lower() != own.lower()) or site not in (None, "none", "same-origin"):
            return Refusal(403, "origin", "a page of another site may change nothing", unread=True)
        if self.row.form and (site or origin) in (None, "none"):
            message = "a form is taken from keeptime's own page alone, and nothing says that it comes from there"
            return Refusal(403, "origin", message, unread=True)
        return None

    def _arrived_on_loopback(self) -> bool:
        server = self._scope.get("server")
        return server is None or is_loopback(server[0])


def _are(methods: tuple[str, ...]) -> str:
    return "is" if len(methods) == 1 else "are"


def host_name(host: str) -> str:
    """The name in a Host header, lower case, without port and brackets."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].rstrip(".").lower()


def is_address(text: str) -> bool:
    """Is it an IP address as it is usually written? No page can have one as a name of its own."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def is_loopback(text: str) -> bool:
    """Is it written as an address of this machine alone (127.0.0.0/8, ::1)?"""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


def _with_headers(send: Send, asked: Asked) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.update(HEADERS)
            if asked.may_be_embedded():
                headers["Cross-Origin-Resource-Policy"] = "cross-origin"
            if asked.row.form:
                headers["Referrer-Policy"] = FORM_REFERRER
            headers.setdefault(
                "Cache-Control", "max-age=3600" if asked.row.path.startswith("/static/") else "no-store"
            )
        await send(message)

    return sending
