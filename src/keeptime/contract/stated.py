"""The terms that a contract states, and that are shown but not judged: duties, whose clock, which tokens."""

from keeptime.contract.kinds import Label, Text
from keeptime.contract.lists import MapOf
from keeptime.contract.shapes import Field, Shape

_TEXT = Text()


def _text(_: str) -> Shape[str]:
    return _TEXT


DUTIES = Field(
    "duties",
    MapOf(Label("name"), _text, "duties", most=20),
    "What the consumer has to keep to, by name (rate, ramp); free text, shown and not judged.",
    default="none",
)
VANTAGE = Field(
    "vantage",
    Text(),
    "Where latency is measured and by whose clock; free text, shown and not judged.",
    default="not said",
)
TOKEN_BASIS = Field(
    "token_basis", Text(), "What counts as a token; free text, shown and not judged.", default="not said"
)
