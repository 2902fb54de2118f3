"""The fields of probes whose answer comes in pieces: kinds `openai`, `sse` and `ndjson`.

Guarantees: a budget is at least one token, and so is an answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from urllib.parse import urlsplit

from keeptime.contract.given import Terms, given
from keeptime.contract.kinds import Choice, Duration, LongText, Text, Whole
from keeptime.contract.lists import Forms, ListOf
from keeptime.contract.nodes import Node
from keeptime.contract.probed import Endpoint, Kind, KindTerms, Probe
from keeptime.contract.references import FilePath
from keeptime.contract.report import Report
from keeptime.contract.shapes import Field, Row, Schema
from keeptime.contract.written_figures import duration

USUAL_MAX_TOKENS = 64


class FirstToken(StrEnum):
    """Which tokens count: reasoning and calls of tools, too, or those of the answer alone."""

    ANY = "any"
    ANSWER = "answer"


class Switch(StrEnum):
    """On or off, as YAML writes truth values."""

    TRUE = "true"
    FALSE = "false"


@dataclass(frozen=True, slots=True)
class StreamTerms(KindTerms):
    """`stall`: seconds without a token after which a stream has failed; None: only the timeout ends it. `prompts`:
    a file, or these. `model`: what is asked for where the endpoint's own body does not say it.
    `tokens_per_hour`: 0 without a limit. `nonce`: each prompt begins with a text that was never sent before.
    `usage`: the server is asked to say how many tokens there were.
    """

    stall: float | None = None
    model: str = ""
    prompts: str | tuple[str, ...] = ()
    max_tokens: int | None = None
    tokens_per_hour: int = 0
    nonce: bool = True
    first_token: FirstToken = FirstToken.ANY
    usage: bool = True

    def named(self, model: str) -> KindTerms:
        return self if self.model else replace(self, model=model)


@dataclass(frozen=True)
class Truth:
    """true or false."""

    expected: str = "true or false"

    def read(self, node: Node, report: Report, what: str) -> bool:
        return Choice(Switch).read(node, report, what) is Switch.TRUE

    def schema(self) -> Schema:
        return {"type": "boolean"}


STALL = Field(
    "stall",
    Duration(0.001, 3600, "5s"),
    "Kinds openai, sse, ndjson: after the first token, so long without another is a failure (stalled).",
    default="only the timeout ends it",
)
MODEL = Field(
    "model",
    Text("the name of a model"),
    "The model that is asked for, by its name on the server.",
    default="kind openai: that in the endpoint's `json`, else the contract's",
)
PROMPTS = Field(
    "prompts",
    Forms(
        FilePath("a file of prompts, or a list of them"), listing=ListOf(LongText("a prompt"), "prompts", most=1000)
    ),
    "Kind openai: what is asked, in turn: a list, a file with a prompt on each line, or a `.jsonl` file "
    'of texts, {"prompt": …} or {"messages": […]}.',
    default="the messages or prompt in the endpoint's `json`, else a short question",
)
MAX_TOKENS = Field(
    "max_tokens",
    Whole(1, 1_000_000),
    "Kind openai: the answer is cut after so many tokens.",
    default=f"that in the endpoint's `json`, else {USUAL_MAX_TOKENS}",
)
TOKENS_PER_HOUR = Field(
    "tokens_per_hour",
    Whole(1, 1_000_000_000),
    "Kind openai: with so many tokens spent in the last hour, prompts included, probes are skipped and counted so.",
    default="no limit",
)
NONCE = Field(
    "nonce",
    Truth(),
    "Kind openai: begin each prompt with a text that was never sent before, so that no cache of prefixes answers.",
    default="true",
)
FIRST_TOKEN = Field(
    "first_token",
    Choice(FirstToken),
    "Kind openai: whether reasoning and calls of tools count as tokens (any), or the answer's alone (answer).",
    default="any",
)
USAGE = Field(
    "usage",
    Truth(),
    "Kind openai: ask the server how many tokens there were (`stream_options`). Without, pieces count.",
    default="true",
)
FIELDS: tuple[Field[object], ...] = (STALL,)
OPENAI_FIELDS: tuple[Field[object], ...] = (
    STALL,
    MODEL,
    PROMPTS,
    MAX_TOKENS,
    TOKENS_PER_HOUR,
    NONCE,
    FIRST_TOKEN,
    USAGE,
)


def stream_terms(row: Row, kind: Kind) -> KindTerms:
    if kind is not Kind.OPENAI:
        return StreamTerms(row.get(STALL, None))
    return StreamTerms(
        row.get(STALL, None),
        row.get(MODEL, ""),
        _prompts(row),
        row.get(MAX_TOKENS, None),
        row.get(TOKENS_PER_HOUR, 0),
        row.get(NONCE, True),
        row.get(FIRST_TOKEN, FirstToken.ANY),
        row.get(USAGE, True),
    )


def no_completion(endpoint: Endpoint) -> str:
    """Why an endpoint gives no completions like OpenAI's; "" where it may."""
    path = urlsplit(endpoint.url).path.rstrip("/")
    if not path.endswith("/completions"):
        return (
            f"the endpoint's path is {path or '/'}; expected one that ends with /chat/completions or /completions"
        )
    if endpoint.body is not None and not endpoint.body.lstrip().startswith(b"{"):
        return "it adds to the endpoint's body; expected a JSON object as 'json'"
    return ""


def as_asked(endpoint: Endpoint | None, probes: Sequence[Probe]) -> Endpoint | None:
    """The endpoint as it is shown: completions are asked by POST, also where the contract names no body."""
    if endpoint is None or not probes or any(each.kind is not Kind.OPENAI for each in probes):
        return endpoint
    return replace(endpoint, method="POST")


def _prompts(row: Row) -> str | tuple[str, ...]:
    given = row.get(PROMPTS, ())
    return given if isinstance(given, str) else tuple(given)


def written_stream(probe: Probe) -> Terms:
    one = probe.terms
    assert isinstance(one, StreamTerms)
    stall = None if one.stall is None else duration(one.stall)
    if probe.kind is not Kind.OPENAI:
        return given(stall=stall)
    return given(
        stall=stall,
        model=one.model,
        prompts=one.prompts if isinstance(one.prompts, str) else list(one.prompts),
        max_tokens=one.max_tokens,
        tokens_per_hour=one.tokens_per_hour or None,
        nonce=one.nonce,
        first_token=str(one.first_token),
        usage=one.usage,
    )
