"""Who asks, and may they: the same whether they come by HTTP or by gRPC.

Guarantees: a token is looked up only where one is asked for; who shows wrong ones waits, and who has a right one
that was seen lately goes on; whoever asks too often waits.
"""

from dataclasses import dataclass

from keeptime.errors import TokenError
from keeptime.model.token import Token
from keeptime.web.access import Access
from keeptime.web.credentials import Shown, decide
from keeptime.web.door import Door
from keeptime.web.limits import key_of
from keeptime.web.refusal import Refusal, too_often


@dataclass(slots=True)
class Entering:
    """Somebody at this address. `owner`: of the token that was shown, once that is known."""

    door: Door
    client: str
    owner: Token | None = None

    def crowd(self) -> Refusal | None:
        """Does this address ask too often?"""
        wait = self.door.per_address.take(key_of(self.client), self.door.now())
        return too_often("address_rate", wait, "this address") if wait else None

    async def who(self, row: Access, given: Shown | None) -> Refusal | None:
        """Why they may not; None where they may, or nobody is asked."""
        rights = self.door.rights
        if row.scope is None or rights is None:
            return None
        try:
            if not rights.asked():
                return None
            if given is not None and not rights.remembers(given.written) and (wait := self._failed_often()):
                return too_often("failures", wait, "this address")
            self.owner = await rights.owner(given.written) if given is not None else None
        except TokenError:
            message = "who may ask cannot be known now; keeptime's log says why"
            return Refusal(503, "tokens", message, unread=True)
        return self._judged(row, given)

    def _judged(self, row: Access, given: Shown | None) -> Refusal | None:
        if given is not None and self.owner is None:
            self.door.failures.take(key_of(self.client), self.door.now())
        if self.owner is not None and (wait := self.door.per_token.take(self.owner.id, self.door.now())):
            return too_often("token_rate", wait, f"the token '{self.owner.name}'")
        return decide(row, given, self.owner)

    def _failed_often(self) -> float:
        return self.door.failures.wait(key_of(self.client), self.door.now())
