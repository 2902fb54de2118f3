"""Fault 38: a forged or replayed webhook → the consumer's verifier rejects it, in a real `keeptime receive`."""

import asyncio
import base64
from collections.abc import Mapping

import pytest

from keeptime.testing.recorder import Request, recording
from tests.consumer.given import OTHER, PAGE, SECRET, deliveries, send, signed
from tests.consumer.test_receive import post, receiving
from tests.tell.sending import seconds

HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature", "content-type")


def overheard() -> Request:
    """A genuine message, as somebody on the way sees it."""

    async def story() -> Request:
        async with recording() as hook:
            await asyncio.to_thread(send, deliveries(hook.url, "env:OURS", PAGE))
            return hook.requests[0]

    return asyncio.run(story())


def forgeries(one: Request, genuine: Mapping[str, str]) -> dict[str, tuple[bytes, dict[str, str], int]]:
    """Body, headers and the status that each must be answered with."""
    name, now = genuine["webhook-id"], seconds()
    made = genuine["webhook-signature"]
    altered = one.body.replace(b'"at_risk"', b'"recovered"')
    assert altered != one.body
    flipped = base64.b64encode(bytes([base64.b64decode(made[3:])[0] ^ 1]) + base64.b64decode(made[3:])[1:]).decode()
    return {
        "another body": (altered, dict(genuine), 401),
        "another id": (one.body, {**genuine, "webhook-id": "00000000-0000-5000-8000-000000000000"}, 401),
        "another time": (
            one.body,
            {**genuine, "webhook-timestamp": str(int(genuine["webhook-timestamp"]) - 1)},
            401,
        ),
        "no signature": (one.body, {k: v for k, v in genuine.items() if k != "webhook-signature"}, 401),
        "an empty signature": (one.body, {**genuine, "webhook-signature": "v1,"}, 401),
        "a flipped bit": (one.body, {**genuine, "webhook-signature": f"v1,{flipped}"}, 401),
        "a version that is none": (one.body, {**genuine, "webhook-signature": made.replace("v1,", "v0,")}, 401),
        "half of it": (one.body, {**genuine, "webhook-signature": made[: len(made) // 2]}, 401),
        "the key of another": (one.body, signed(one.body, name, now, OTHER), 401),
        "an hour old": (one.body, signed(one.body, name, now - 3600), 400),
        "an hour ahead": (one.body, signed(one.body, name, now + 3600), 400),
        "no id": (one.body, {k: v for k, v in genuine.items() if k != "webhook-id"}, 401),
    }


def test_fault_38_forged_and_replayed_messages_are_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OURS", SECRET)
    one = overheard()
    genuine = {name: one.headers[name] for name in HEADERS}
    with receiving("--secret", "env:OURS") as hook:
        assert post(hook.url, one.body, dict(genuine))[0] == 200
        assert "at_risk" in hook.printed()
        for what, (body, headers, expected) in forgeries(one, genuine).items():
            answered, _ = post(hook.url, body, {"content-type": "application/json", **headers})
            assert answered in (400, 401), f"{what}: {answered}"
            assert answered == expected or what == "no id", f"{what}: {answered}"
            assert hook.said().startswith("refused: "), what
        again, _ = post(
            hook.url, one.body, dict(genuine)
        )  # a replay within the time: taken, and not handed over again
        assert again == 200
        assert hook.said() == "a repeat, known already"
        fresh = signed(one.body, genuine["webhook-id"], seconds())
        assert post(hook.url, one.body, {"content-type": "application/json", **fresh})[0] == 200
        assert hook.said() == "a repeat, known already"
        assert hook.end() == 0
        assert hook.process.stdout is not None
        assert "at_risk" not in hook.process.stdout.read()
