"""What the chunks of an OpenAI-like completion mean: `/v1/chat/completions` and `/v1/completions`.

Guarantees: chunks with a role alone, with usage alone or without choices carry no token; one whose content is empty
and that names no role does. An error in mid-stream is the end. Knows nothing of time.
"""

import json
from collections.abc import Mapping

from keeptime.contract.probing.streams import FirstToken
from keeptime.model.sample import Failure
from keeptime.observe.asked import Ended
from keeptime.observe.streams.events import Event
from keeptime.observe.streams.meaning import DONE, SHOWN, failed, shown

_REASONING = ("reasoning_content", "reasoning")
_CALLS = ("tool_calls", "function_call")


class Completion:
    """`first`: whether reasoning and calls of tools count as tokens, or the answer alone."""

    def __init__(self, first: FirstToken) -> None:
        self._answer_alone = first is FirstToken.ANSWER
        self.done = self._finished = False
        self.cached: int | None = None
        self._usage: Mapping[str, object] = {}
        self._said = self._counted = self._aside = 0
        self.last = b""
        self._text: list[str] = []

    def tokens(self, event: Event) -> int:
        if self.done or event.data.strip() == DONE:
            self.done = True
            return 0
        if event.name == b"error":
            raise failed(event.data)
        chunk, self.last = _object(event.data), event.data
        if chunk.get("error"):
            raise failed(chunk["error"])
        before = self._said
        self._note_usage(chunk.get("usage"))
        found = self._in_choices(chunk.get("choices"))
        return max(found, self._said - before) if found and before else found

    def _note_usage(self, usage: object) -> None:
        """The newest usage counts: most servers send one at the end, some one with each chunk."""
        if isinstance(usage, dict):
            self._usage = usage
            self._said = _whole(usage.get("completion_tokens")) or 0
            details = usage.get("prompt_tokens_details")
            if isinstance(details, dict):
                self.cached = _whole(details.get("cached_tokens"))

    def _in_choices(self, choices: object) -> int:
        found = 0
        for choice in choices if isinstance(choices, list) else ():
            if isinstance(choice, dict):
                found += self._in_choice(choice)
        return found

    def _in_choice(self, choice: Mapping[str, object]) -> int:
        reason = choice.get("finish_reason")
        if reason == "error":
            raise failed(choice.get("error") or "finish_reason: error")
        self._finished = self._finished or isinstance(reason, str)
        delta = choice.get("delta")
        if isinstance(delta, dict):
            text, role = delta.get("content"), delta.get("role") is not None
        else:
            text, role, delta = choice.get("text"), False, {}
        if isinstance(text, str) and (text or not role):
            self._text.append(text)
            self._counted += 1
            return 1
        if any(delta.get(key) for key in (*_REASONING, *_CALLS)):
            self._aside += 1
            return 0 if self._answer_alone else 1
        return 0

    @property
    def unfinished(self) -> str:
        if self.done or self._finished:
            return ""
        return "the stream ended with neither [DONE] nor a finish_reason: it was cut off"

    @property
    def output(self) -> int | None:
        if not self._said:
            return None
        if not self._answer_alone:
            return self._said
        details = self._usage.get("completion_tokens_details")
        reasoning = _whole(details.get("reasoning_tokens")) if isinstance(details, dict) else None
        if reasoning is None:
            return None if self._aside else self._said
        return max(0, self._said - reasoning)

    @property
    def total(self) -> int:
        return _whole(self._usage.get("total_tokens")) or max(self._said, self._counted + self._aside)

    @property
    def text(self) -> bytes:
        return "".join(self._text).encode("utf-8", "surrogatepass")


def _object(data: bytes) -> Mapping[str, object]:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        said = shown(data[:SHOWN].decode("utf-8", "replace"))
        raise Ended(Failure.STREAM, f"an event that is no JSON object: '{said}'")
    return value


def _whole(value: object) -> int | None:
    """A count that can be believed."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 40 else None
