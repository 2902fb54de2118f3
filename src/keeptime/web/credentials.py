"""The token that a request shows, and whether it is enough.

Guarantees: a token comes in the Authorization header alone: as Bearer, or as the password of Basic, which a
browser asks a person for; what came as Basic may look and change nothing, so that no page can make a browser use
it. A token is in no answer, no log and no error.
"""

import base64
import binascii
from dataclasses import dataclass

from starlette.datastructures import Headers

from keeptime.model.token import Token
from keeptime.web.access import Access
from keeptime.web.refusal import Refusal


@dataclass(frozen=True, slots=True)
class Shown:
    """`written`: what is said to be a token. `typed`: it came as Basic."""

    written: str
    typed: bool


def shown(headers: Headers) -> Shown | None:
    """What the request shows; None: nothing. Of what cannot be read, "" is shown, which is nobody's token."""
    given = headers.getlist("authorization")
    if not given:
        return None
    if len(given) > 1:
        return Shown("", False)
    scheme, _, rest = given[0].strip().partition(" ")
    if scheme.lower() == "bearer":
        return Shown(rest.strip(), False)
    return Shown(_password(rest) if scheme.lower() == "basic" else "", True)


def decide(row: Access, given: Shown | None, owner: Token | None) -> Refusal | None:
    """May the token's owner do this? Only asked where a token is needed."""
    if given is None:
        return Refusal(401, "no_token", "a token is needed: Authorization: Bearer kt_…; `keeptime token` makes one")
    if owner is None:
        return Refusal(401, "bad_token", "this token is not known here, was revoked or is over")
    if row.scope is not None and not owner.may(row.scope):
        return Refusal(403, "scope", f"the token '{owner.name}' has no scope '{row.scope}', which this takes")
    if row.changes and given.typed:
        return Refusal(403, "typed", "a change takes the token as Authorization: Bearer")
    return None


def _password(encoded: str) -> str:
    try:
        return base64.b64decode(encoded.strip(), validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""
