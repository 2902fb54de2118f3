"""Asking the keeptime that runs: what `status`, `outbox` and the others have in common.

Guarantees: a token is named by reference and never stands on the command line; it goes to the address that was
given and nowhere else (no proxy, no redirect), and never in clear to another machine.
"""

import argparse
import ipaddress
from typing import TYPE_CHECKING, Any

from keeptime.cli.run import PORT
from keeptime.errors import KeeptimeError, UsageError

if TYPE_CHECKING:
    from email.message import Message
    from ssl import SSLCertVerificationError
    from urllib.error import HTTPError
    from urllib.request import OpenerDirector, Request

LARGEST = 64 * 1024 * 1024
VARIABLE = "KEEPTIME_TOKEN"
USUAL = f"http://127.0.0.1:{PORT}"


class NoAnswer(KeeptimeError):
    """Nothing answers there as a keeptime does."""


class Refusal(KeeptimeError):
    """A keeptime answers that it will not. `answer`: all that it said."""

    def __init__(self, message: str, answer: dict[str, Any]) -> None:
        super().__init__(message)
        self.answer = answer


def add_token_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--token", metavar="REF", default="",
        help=f"env:NAME or file:PATH of the token to show, where one is needed (default: env:{VARIABLE})",
    )  # fmt: skip


def ask(
    url: str, what: str, posted: object = None, answered: str = "replayed", *, token: str = ""
) -> dict[str, Any]:
    """What the API answers, with at least the key that `what` begins with.

    `posted` is sent as JSON; its answer has the key `answered`. `token`: a reference. Raises UsageError for no URL
    and no reference, NoAnswer where no keeptime answers, Refusal.
    """
    key = what.partition("?")[0] if posted is None else answered
    found = send(url, what, posted=posted, token=token)
    if key not in found:
        raise _no_answer(url, f"it says nothing of {key}")
    return found


def send(
    url: str, what: str, *, posted: object = None, token: str = "", method: str = "", key: str = ""
) -> dict[str, Any]:
    """The JSON object that the API answers. `method`: another than GET, or POST of what is posted; `key`: under
    which it is done once.

    Raises as `ask`.
    """
    _must_be_url(url)
    request = _request(url, what, posted, token, method)
    if key:
        request.add_header("Idempotency-Key", key)
    return _sent(url, request, patience=10 if posted is None else 60)


def fetch(url: str, what: str, *, token: str = "") -> tuple[bytes, "Message"]:
    """The bytes that the API answers, which may be no JSON, and their headers. Raises as `ask`."""
    _must_be_url(url)
    return _got(url, _request(url, what, None, token, ""), patience=60)


def post_lines(url: str, contract: str, body: bytes, key: str, *, token: str = "") -> dict[str, Any]:
    """What became of these requests, one a line, of which some or all may have been refused. Raises as `ask`."""
    from urllib.parse import quote

    _must_be_url(url)
    request = _request(url, f"push/{quote(contract, safe='')}", None, token, "POST")
    request.data = body
    request.add_header("Content-Type", "application/x-ndjson")
    request.add_header("Idempotency-Key", key)
    try:
        found = _sent(url, request, patience=60)
    except Refusal as error:
        found = error.answer
        if "taken" not in found:
            raise
    if "taken" not in found:
        raise _no_answer(url, "it says nothing of what was taken")
    return found


def _must_be_url(url: str) -> None:
    if not url.startswith(("http://", "https://")):
        raise UsageError(f"--url {url}: expected a URL such as {USUAL}")


def _sent(url: str, request: "Request", patience: int, waits: int = 10) -> dict[str, Any]:
    """The JSON object of the answer."""
    import json

    said, _ = _got(url, request, patience, waits)
    try:
        found = json.loads(said)
    except ValueError as error:
        raise _no_answer(url, error) from error
    if not isinstance(found, dict):
        raise _no_answer(url, "it answers no JSON object")
    return found


def _got(url: str, request: "Request", patience: int, waits: int = 10) -> tuple[bytes, "Message"]:
    """`waits`: how often it may be told to come again a little later."""
    import ssl
    import urllib.error

    try:
        with _opener().open(request, timeout=patience) as said:
            return said.read(LARGEST), said.headers
    except urllib.error.HTTPError as error:
        if waits and _waited(error):
            return _got(url, request, patience, waits - 1)
        raise _refusal(url, error) from error
    except OSError as error:
        why = getattr(error, "reason", error)
        if isinstance(why, ssl.SSLCertVerificationError):
            raise _not_trusted(url, why) from error
        raise _no_answer(url, why) from error


def _waited(error: "HTTPError") -> bool:
    """Was it only too early, and is it time now?"""
    from keeptime.clock import sleep

    after = error.headers.get("Retry-After", "")
    if error.code not in (429, 503) or not after.isdigit() or int(after) > 10:
        return False
    sleep(int(after))
    return True


def _not_trusted(url: str, why: "SSLCertVerificationError") -> NoAnswer:
    return NoAnswer(
        f"the certificate of {url} is not trusted ({why.verify_message}), so nothing was asked; expected one of an "
        "authority that this machine knows; SSL_CERT_FILE names a file with the authority's or with the certificate"
    )


def _no_answer(url: str, why: object) -> NoAnswer:
    return NoAnswer(f"no keeptime answers at {url} ({why}); start one with `keeptime run`")


def _opener() -> "OpenerDirector":
    """Without proxies of the environment, and without following a redirect, which would take the token along."""
    import urllib.request

    class _Stays(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_: object, **__: object) -> None:
            return None

    return urllib.request.build_opener(urllib.request.ProxyHandler({}), _Stays)


def _request(url: str, what: str, posted: object, token: str, method: str) -> "Request":
    import json
    from urllib.request import Request

    request = Request(f"{url.rstrip('/')}/api/v1/{what}", method=method or None)
    if posted is not None:
        request.data = json.dumps(posted).encode()
        request.add_header("Content-Type", "application/json")
    if value := token_value(token):
        _must_not_go_in_clear(url)
        request.add_unredirected_header("Authorization", f"Bearer {value}")
    return request


def token_value(reference: str) -> str:
    """The token that is meant, "" where none is. Raises UsageError, SecretError."""
    import os

    from keeptime.contract.secrets import resolve

    if not reference:
        if not os.environ.get(VARIABLE):
            return ""
        reference = f"env:{VARIABLE}"
    if not reference.startswith(("env:", "file:")):
        raise UsageError(
            "--token: expected env:NAME or file:PATH, never the token itself: others can read it there"
        )
    value = resolve(reference).strip()
    if not value.isprintable() or not value.isascii() or " " in value:
        raise UsageError(f"--token {reference}: this is no token; expected what `keeptime token add` printed")
    return value


def _must_not_go_in_clear(url: str) -> None:
    from urllib.parse import urlsplit

    host = urlsplit(url).hostname or ""
    if url.startswith("http://") and not _is_here(host):
        raise UsageError(f"--url {url}: a token goes to another machine by https alone; expected https://…")


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _refusal(url: str, error: "HTTPError") -> Refusal:
    """In its own words, or with the status where it has none."""
    import json

    try:
        found = json.loads(error.read(LARGEST))
    except (OSError, ValueError):
        found = None
    answer = found if isinstance(found, dict) else {}
    why = answer.get("error", f"it answered {error.code}; is it a keeptime of this version?")
    more = f"; show one with --token env:NAME, or in {VARIABLE}" if error.code == 401 else ""
    return Refusal(f"the keeptime at {url}: {why}{more}", answer)
