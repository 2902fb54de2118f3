"""Where an answer says how many tokens it gave: the field `tokens` of the endpoint, and what asks for it.

Guarantees: an objective on a rate of tokens is accepted only where each answer says how many there were.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from keeptime.contract.attributes import HEADER, JSON, Origin
from keeptime.contract.draft import Draft
from keeptime.contract.kinds import text_of
from keeptime.contract.nodes import Node
from keeptime.contract.probed import STREAMING
from keeptime.contract.report import Report, quote
from keeptime.contract.shapes import Field, Placed, Schema
from keeptime.contract.terms import Contract


@dataclass(frozen=True)
class Count:
    """`header:NAME`, or `json:PATH`."""

    expected: str = "json:PATH in the answer, or header:NAME of it, such as json:$.usage.completion_tokens"

    def read(self, node: Node, report: Report, what: str) -> str:
        scalar = text_of(node, report, what, self.expected)
        if not scalar.text.startswith((HEADER, JSON)):
            message = f"{what}: {quote(scalar.text)} says no place; expected {self.expected}"
            raise report.spoil(scalar.place, "bad-token-count", message)
        return Origin().read(node, report, what)

    def schema(self) -> Schema:
        return {"type": "string", "pattern": "^(json|header):", "examples": ["json:$.usage.completion_tokens"]}


TOKENS = Field(
    "tokens",
    Count(),
    "Where an answer says how many tokens it gave, a whole number. One that does not is a failure (expectation).",
    default="not asked",
)


def check_tokens(contract: Contract, drafts: Sequence[Placed[Draft]], report: Report) -> None:
    """Report rates that nothing measures; warn where nobody says what a token is."""
    asking = [each for each in drafts if each.value.at_least is not None and not each.value.warns_of]
    for draft in asking:
        if contract.endpoint is None:
            message = f"{draft.value.label}: counts from Prometheus tell no tokens of answers; expected a probe"
            report.error(draft.place, "counts-not-requests", message)
        elif not contract.endpoint.tokens and not all(each.kind in STREAMING for each in contract.probes):
            message = (
                f"{draft.value.label}: nothing says how many tokens an answer gave; add 'tokens' to the endpoint, "
                "such as tokens: 'json:$.usage.completion_tokens', or expect a stream (a probe of kind openai)"
            )
            report.error(draft.place, "tokens-unknown", message)
        elif not contract.token_basis:
            message = f"{draft.value.label}: it is not said what a token is; add 'token_basis' to the contract"
            report.warning(draft.place, "token-basis-unsaid", message)
            return
