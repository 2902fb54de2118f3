"""URLs in a contract: http or https, a host, no user name or password in them.

Guarantees: a URL that is accepted can be split and connected to as it stands, and its host is a name, or an address
in its usual spelling that is no metadata address; one that may hold a password is never repeated in a message.
"""

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qsl, urlsplit

from keeptime.contract.kinds import text_of
from keeptime.contract.nodes import Node, Place
from keeptime.contract.report import Report, Spoiled, quote
from keeptime.contract.shapes import Schema
from keeptime.model.reach import host_refusal

LONGEST_URL = 2000
SECRET_WORDS = re.compile(r"(?i)token|secret|password|passwd|api-?_?key|access-?_?key|signature|credential")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9.])?|[0-9A-Fa-f:.]+(%[A-Za-z0-9._-]+)?")


@dataclass(frozen=True)
class Url:
    """`cure`: where a secret goes instead, for the message. `fragment`: whether #… may be in it. A URL of
    `tcp`, where it is among the schemes, is a host and a port alone."""

    expected: str = "a URL such as http://127.0.0.1:5000/predict"
    cure: str = "pass secrets by headers with env:NAME"
    query: bool = True
    fragment: bool = False
    schemes: tuple[str, ...] = ("http", "https")

    def read(self, node: Node, report: Report, what: str) -> str:
        scalar = text_of(node, report, what, self.expected)
        return self.parse(scalar.text, scalar.place, report, what)

    def parse(self, text: str, place: Place, report: Report, what: str) -> str:
        parts = self._split(text, place, report, what)
        wrong = _wrong_host(parts, self.schemes) or _wrong_rest(parts, self.query, self.fragment)
        if wrong:
            raise self._bad(text, wrong, place, report, what)
        if refused := host_refusal(parts.hostname or ""):
            raise report.spoil(place, "refused-address", f"{what}: {quote(text)}: {refused}")
        for name, _ in parse_qsl(parts.query):
            if SECRET_WORDS.search(name):
                message = f"{what}: the URL's parameter {quote(name)} looks like a secret; {self.cure}"
                report.warning(place, "secret-in-url", message)
        return text

    def _split(self, text: str, place: Place, report: Report, what: str) -> SplitResult:
        if len(text) > LONGEST_URL:
            message = f"{what}: {len(text)} characters; a URL may have at most {LONGEST_URL}"
            raise report.spoil(place, "too-long", message)
        if "@" in re.split(r"[/?#]", text.partition("://")[2], maxsplit=1)[0]:
            message = f"{what}: the URL holds a user name or password; {self.cure}"
            raise report.spoil(place, "url-userinfo", message)
        if re.search(r"[^\x21-\x7e]", text):
            raise self._bad(text, "holds a blank or a character beyond ASCII; write it as %XX", place, report, what)
        try:
            return urlsplit(text)
        except ValueError:
            raise self._bad(text, "has a host that is no IPv6 address", place, report, what) from None

    def _bad(self, text: str, wrong: str, place: Place, report: Report, what: str) -> Spoiled:
        return report.spoil(place, "bad-url", f"{what}: {quote(text)} {wrong}; expected {self.expected}")

    def schema(self) -> Schema:
        begin = "https?" if self.schemes == ("http", "https") else f"({'|'.join(self.schemes)})"
        return {"type": "string", "pattern": f"^{begin}://[^@/?#]+([/?#].*)?$", "maxLength": LONGEST_URL}


def _wrong_host(parts: SplitResult, schemes: tuple[str, ...]) -> str:
    if parts.scheme not in schemes:
        usable = f"{', '.join(schemes[:-1])} and {schemes[-1]}"
        return f"has the scheme '{parts.scheme}'; only {usable} can be used" if parts.scheme else "has no scheme"
    if not parts.hostname:
        return "has no host"
    if _HOST.fullmatch(parts.hostname) is None:
        return "has a host that is neither a name nor an address"
    try:
        port = parts.port
    except ValueError:
        return "has a port that is no number from 1 to 65535"
    if port is None and parts.scheme == "tcp":
        return "has no port"
    return "has the port 0, which nothing can listen on" if port == 0 else ""


def _wrong_rest(parts: SplitResult, query: bool, fragment: bool) -> str:
    if parts.scheme == "tcp" and (parts.path or parts.query or parts.fragment):
        return "has more than a host and a port"
    if parts.fragment and not fragment:
        return "has a fragment (#…), which is never sent"
    return "has a query (?…)" if parts.query and not query else ""
