"""What a completion is asked: prompts in turn, and the body of the request around each.

Guarantees: reading the prompts does all that can fail before a probe is due; with a nonce no two requests have the
same beginning; the endpoint's own JSON stays in the body but for what streaming needs.
"""

import json
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path

from keeptime.contract.probing.streams import USUAL_MAX_TOKENS, StreamTerms
from keeptime.errors import ProbeError

MOST_BYTES = 16 * 1_048_576
MOST_PROMPTS = 10_000
USUAL = "Count from one to twenty in words."
NONCE_BYTES = 8
Body = dict[str, object]
Asked = str | list[object]
"""One text, or the messages of a chat."""


def bodies(terms: StreamTerms, own: bytes | None, chat: bool) -> list[Body]:
    """The body of each prompt's request, without its nonce. Raises ProbeError."""
    base = _own(own)
    base |= {"model": base.get("model") or terms.model, "stream": True}
    if terms.usage:
        given = base.get("stream_options")
        base["stream_options"] = {**(given if isinstance(given, dict) else {}), "include_usage": True}
    if terms.max_tokens is not None or not base.keys() & {"max_tokens", "max_completion_tokens"}:
        base.pop("max_completion_tokens", None)
        base["max_tokens"] = terms.max_tokens or USUAL_MAX_TOKENS
    return [{**base, **_as_asked(each, chat)} for each in _prompts(terms.prompts) or _own_prompt(base, chat)]


def most_tokens(body: Mapping[str, object]) -> int:
    """How many tokens its answer may have."""
    for key in ("max_tokens", "max_completion_tokens"):
        if isinstance(most := body.get(key), int):
            return most
    return USUAL_MAX_TOKENS


def with_nonce(body: Body) -> Body:
    """The same with a beginning that was never sent: in the first message, or the prompt."""
    nonce = f"{secrets.token_hex(NONCE_BYTES)} "
    if isinstance(prompt := body.get("prompt"), str):
        return {**body, "prompt": nonce + prompt}
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages or not isinstance(messages[0], dict):
        return body
    first = dict(messages[0])
    content = first.get("content")
    if isinstance(content, list):
        first["content"] = [{"type": "text", "text": nonce}, *content]
    else:
        first["content"] = nonce + (content if isinstance(content, str) else "")
    return {**body, "messages": [first, *messages[1:]]}


def written(body: Mapping[str, object]) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def _own(own: bytes | None) -> Body:
    if own is None:
        return {}
    try:
        value = json.loads(own)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise ProbeError("endpoint: a probe of kind openai adds to the body; expected a JSON object as 'json'")
    return value


def _own_prompt(base: Mapping[str, object], chat: bool) -> Sequence[Asked]:
    given = base.get("messages" if chat else "prompt")
    return [given] if isinstance(given, str) or (isinstance(given, list) and given) else [USUAL]


def _as_asked(prompt: Asked, chat: bool) -> Body:
    if not chat:
        if isinstance(prompt, str):
            return {"prompt": prompt}
        raise ProbeError("prompts: messages are for /chat/completions; expected texts for this endpoint")
    return {"messages": [{"role": "user", "content": prompt}] if isinstance(prompt, str) else prompt}


def _prompts(given: str | tuple[str, ...]) -> list[Asked]:
    if isinstance(given, tuple):
        return list(given)
    try:
        if Path(given).exists() and not Path(given).is_file():
            raise ProbeError(f"prompts: {given} is no regular file")
        with Path(given).open("rb") as file:
            data = file.read(MOST_BYTES + 1)
        text = data.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ProbeError(f"prompts: {given} cannot be read: {why}") from None
    lines = [(number, line.strip()) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    if len(data) > MOST_BYTES or not 0 < len(lines) <= MOST_PROMPTS:
        limits = f"1 to {MOST_PROMPTS:,} of them in at most {MOST_BYTES // 1_048_576} MiB"
        raise ProbeError(f"prompts: {given} holds {len(lines):,} prompts; expected {limits}")
    if not given.endswith(".jsonl"):
        return [line for _, line in lines]
    return [_of_json(line, f"{given}:{number}") for number, line in lines]


def _of_json(line: str, where: str) -> Asked:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        value = None
    if isinstance(value, dict):
        value = value.get("messages") or value.get("prompt")
    if isinstance(value, str) and value:
        return value
    if isinstance(value, list) and value and all(isinstance(each, dict) for each in value):
        return value
    raise ProbeError(f'prompts: {where} is none; expected a text, {{"prompt": …}} or {{"messages": […]}}')
