"""What completions are asked: prompts in turn, their nonce, what streaming adds to the body, and the budget."""

import json
import os
from pathlib import Path
from typing import cast

import pytest

from keeptime.contract.probed import Endpoint, Kind, Probe
from keeptime.contract.probing.streams import StreamTerms
from keeptime.errors import ProbeError
from keeptime.observe.aiming import target_of
from keeptime.observe.streams.budget import HOUR_NS, Budget
from keeptime.observe.target import Target

CHAT = "http://127.0.0.1:1/v1/chat/completions"
TEXT = "http://127.0.0.1:1/v1/completions"


def target(url: str = CHAT, own: object = None, **terms: object) -> Target:
    body = None if own is None else json.dumps(own).encode()
    return target_of(Endpoint(url, body=body), Probe(1.0, 1.0, kind=Kind.OPENAI, terms=StreamTerms(**terms)))  # type: ignore[arg-type]


def sent(one: Target) -> dict[str, object]:
    head, _, body = one.ask().request.partition(b"\r\n\r\n")
    assert head.startswith(b"POST /v1/")
    assert f"Content-Length: {len(body)}".encode() in head
    assert b"Accept: text/event-stream" in head
    assert b"Content-Type: application/json" in head
    return cast(dict[str, object], json.loads(body))


def test_prompts_come_in_turn() -> None:
    one = target(prompts=("a", "b"), nonce=False)
    asked = [cast(list[dict[str, str]], sent(one)["messages"])[0] for _ in range(3)]
    assert asked == [{"role": "user", "content": each} for each in ("a", "b", "a")]
    two = target(TEXT, prompts=("a",), nonce=False)
    assert sent(two)["prompt"] == "a"


def test_the_body() -> None:
    assert sent(target(model="m", prompts=("a",), nonce=False)) == {
        "model": "m",
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": 64,
        "messages": [{"role": "user", "content": "a"}],
    }
    own = {
        "model": "own",
        "temperature": 0,
        "max_completion_tokens": 5,
        "stream_options": {"x": 1},
        "messages": [{}],
    }
    found = sent(target(own=own, model="m", nonce=False))
    assert found == {**own, "stream": True, "stream_options": {"x": 1, "include_usage": True}}
    found = sent(target(own=own, max_tokens=7, usage=False, nonce=False))
    assert (found["max_tokens"], "max_completion_tokens" in found) == (7, False)
    assert found["stream_options"] == {"x": 1}


def test_a_nonce_begins_every_request_and_none_is_like_another() -> None:
    one = target(own={"messages": [{"role": "system", "content": "be brief"}, {"role": "user", "content": "hi"}]})
    found = [cast(list[dict[str, str]], sent(one)["messages"]) for _ in range(20)]
    assert {messages[0]["content"][17:] for messages in found} == {"be brief"}
    assert {messages[1]["content"] for messages in found} == {"hi"}
    assert len({messages[0]["content"] for messages in found}) == 20
    parts = target(own={"messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}]}]})
    content = cast(list[dict[str, list[dict[str, str]]]], sent(parts)["messages"])[0]["content"]
    assert (len(content), len(content[0]["text"]), content[1]["text"]) == (2, 17, "hi")
    assert str(sent(target(TEXT, prompts=("say",)))["prompt"]).endswith(" say")


def test_files_of_prompts(tmp_path: Path) -> None:
    lines, texts = tmp_path / "a.jsonl", tmp_path / "a.txt"
    lines.write_text(
        '"one\u2028x"\n\n{"prompt": "two"}\n{"messages": [{"role": "user", "content": "three"}]}\n', "utf-8"
    )
    texts.write_text("one\n  two \n", "utf-8")
    one, two = target(prompts=str(lines), nonce=False), target(TEXT, prompts=str(texts), nonce=False)
    asked = [cast(list[dict[str, str]], sent(one)["messages"])[0]["content"] for _ in range(3)]
    assert asked == ["one\u2028x", "two", "three"]
    assert [sent(two)["prompt"] for _ in range(2)] == ["one", "two"]
    with pytest.raises(ProbeError, match="expected texts"):
        target(TEXT, prompts=str(lines))


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.txt", b"\n \n", "holds 0 prompts"),
        ("a.txt", b"x\n" * 10_001, "holds 10,001 prompts"),
        ("a.txt", b"\xff", "not UTF-8"),
        ("a.jsonl", b'"x"\n{"no": 1}\n', "a.jsonl:2 is none"),
        ("a.jsonl", b"nope\n", "a.jsonl:1 is none"),
    ],
)
def test_files_that_are_no_prompts(tmp_path: Path, name: str, data: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(ProbeError, match=said):
        target(prompts=str(tmp_path / name))
    with pytest.raises(ProbeError, match="cannot be read"):
        target(prompts=str(tmp_path / "none.txt"))


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(ProbeError, match="no regular file"):
            target(prompts=str(path))


def test_what_cannot_be_asked() -> None:
    with pytest.raises(ProbeError, match="/v1/embeddings"):
        target("http://127.0.0.1:1/v1/embeddings")
    with pytest.raises(ProbeError, match="JSON object"):
        target(own=[1])


def test_a_budget_counts_what_is_on_its_way_and_forgets_after_an_hour() -> None:
    budget = Budget(100, most=30)
    assert budget.refusal(0, 0) == ""
    first = budget.spend(0)
    assert budget.refusal(1, 2) == ""
    assert "100 tokens an hour" in budget.refusal(1, 3)  # the fourth might be one too many
    first.note(71)
    assert budget.refusal(1, 0) != ""
    first.note(70)
    assert budget.refusal(HOUR_NS - 1, 0) == ""
    first.note(100)
    assert budget.refusal(HOUR_NS - 1, 0) != ""
    assert budget.refusal(HOUR_NS, 0) == ""
    assert Budget(0, most=30).refusal(0, 10_000) == ""
