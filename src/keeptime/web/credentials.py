"""The token that a request shows, and whether it is enough.

Guarantees: a token comes in the Authorization header alone: as Bearer, or as the password of Basic, which a
browser asks a person for; what came as Basic may look, and change nothing but by a form that a page of our own
posts, so that no other page can make a browser use it. A link to a consumer's status page has its token in its
query: one that is made for that page, and opens that alone. Whether there is such a page is told to nobody without
it. A token is in no log, no error, and no answer but the page whose link it is.
"""

import base64
import binascii
from dataclasses import dataclass

from starlette.datastructures import Headers, QueryParams
from starlette.types import Scope

from keeptime.model.token import Token
from keeptime.web.access import Access
from keeptime.web.refusal import Refusal


@dataclass(frozen=True, slots=True)
class Shown:
    """`written`: what is said to be a token. `typed`: it came as Basic. `opens`: the consumer whose status page the
    link is to that it came in; None: it came in no link."""

    written: str
    typed: bool
    opens: str | None = None


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


def linked(scope: Scope) -> Shown | None:
    """What the link to a consumer's page shows; None: it holds no token."""
    given = QueryParams(scope["query_string"]).getlist("token")
    if not given:
        return None
    return Shown(given[0] if len(given) == 1 else "", False, scope["path"].split("/")[2])


def decide(row: Access, given: Shown | None, owner: Token | None) -> Refusal | None:
    """May the token's owner do this? Only asked where a token is needed."""
    if given is None:
        whole = "open the whole link, with its token, or " if row.link else ""
        message = f"a token is needed: {whole}Authorization: Bearer kt_…; `keeptime token` makes one"
        return Refusal(401, "no_token", message)
    if owner is None or given.opens not in (None, owner.consumer):
        return Refusal(401, "bad_token", "this token is not known here, was revoked or is over")
    if given.opens is not None:
        return None
    if row.scope is not None and not owner.may(row.scope):
        return Refusal(403, "scope", f"the token '{owner.name}' has no scope '{row.scope}', which this takes")
    if row.changes and given.typed and not row.form:
        return Refusal(403, "typed", "a change takes the token as Authorization: Bearer")
    return None


def _password(encoded: str) -> str:
    try:
        return base64.b64decode(encoded.strip(), validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""
