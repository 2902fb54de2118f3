"""The usual kind of probe: the endpoint's own request, whose answer matters as a whole.

Guarantees: the same bytes each time.
"""

from keeptime.observe.answer import Answer
from keeptime.observe.asked import Asked, Plain
from keeptime.observe.target import Target


class Asks:
    """The endpoint's own request."""

    def ask(self, target: Target) -> Asked:
        answer = Answer(target.method, target.max_body)
        return Plain(target.request, answer, target.look, target.attributes)

    def refusal(self, _now: int, _in_flight: int) -> str:
        return ""
