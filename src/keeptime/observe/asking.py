"""How one kind of probe makes its requests: what a target needs of it.

Guarantees: a request is made when it is about to leave, so each may differ from the one before. `Asks` is the usual
kind: the same bytes each time.
"""

from typing import TYPE_CHECKING, Protocol

from keeptime.observe.answer import Answer
from keeptime.observe.asked import Asked, Plain

if TYPE_CHECKING:
    from keeptime.observe.target import Target


class Asking(Protocol):
    """The requests of one probe, one after the other. Both methods are called in the prober's thread."""

    def ask(self, target: "Target") -> Asked:
        """The next request, and what reads its answer."""
        ...

    def refusal(self, now: int, in_flight: int) -> str:
        """Why none may be sent at this instant of the monotonic clock, so many being under way; "" if one may."""
        ...


class Asks:
    """The endpoint's own request, whose answer matters as a whole."""

    def ask(self, target: "Target") -> Asked:
        answer = Answer(target.method, target.max_body)
        return Plain(target.request, answer, target.look, target.attributes)

    def refusal(self, _now: int, _in_flight: int) -> str:
        return ""
