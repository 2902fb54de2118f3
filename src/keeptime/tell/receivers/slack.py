"""`slack:env:NAME`: posts to an incoming webhook of Slack (or of what takes the same, such as Mattermost).

Guarantees: nothing in a contract is read as a mention or a link (`&`, `<`, `>` are escaped and the rest is
verbatim); the webhook's URL, which is the secret, is looked up when sending and is in no error. Slack drops no
repeats: a message whose answer was lost is shown twice.
"""

import json
from collections.abc import Mapping
from urllib.parse import quote

from keeptime.errors import DeliveryError
from keeptime.model.alert import Delivery
from keeptime.tell.receivers.http import TIMEOUT, Poster, refusal
from keeptime.tell.receivers.lookup import looked_up
from keeptime.tell.wording import Wording, worded

LONGEST_TITLE = 150
LONGEST_SECTION = 3000
"""Characters that Slack takes in a header block, and in the text of a section."""

REASONS = {
    "invalid_payload": "what was sent is not understood",
    "no_text": "what was sent has no text",
    "no_active_hooks": "the webhook was disabled",
    "no_service": "the webhook is disabled, removed or invalid",
    "no_service_id": "the webhook's address is incomplete",
    "no_team": "the workspace in the webhook's address does not exist",
    "team_disabled": "the workspace is no longer active",
    "invalid_token": "the webhook's address is wrong or was revoked",
    "channel_not_found": "the channel does not exist",
    "channel_is_archived": "the channel is archived",
    "action_prohibited": "an administrator forbids it",
    "posting_to_general_channel_denied": "an administrator forbids posting to the general channel",
    "user_not_found": "the user does not exist",
    "rollup_error": "Slack itself failed",
}
"""Slack's documented words for a refusal. Others are not repeated: an answer may hold anything."""


class SlackReceiver:
    """One for all webhooks of Slack. `timeout`: seconds for one attempt."""

    def __init__(self, timeout: float = TIMEOUT) -> None:
        self._poster = Poster(timeout)

    async def send(self, delivery: Delivery, now: float) -> str:
        body = json.dumps(payload(worded(delivery.body)), ensure_ascii=False).encode()
        headers = {"content-type": "application/json; charset=utf-8"}
        address = delivery.address
        return await self._poster.post(looked_up(address.target), body, headers, now, address.reach, _refused)

    async def close(self) -> None:
        await self._poster.close()


def payload(words: Wording) -> Mapping[str, object]:
    """What the webhook takes: `text` for notifications, `blocks` for the channel."""
    told = "\n".join(f"*{heading}*  {escaped(text)}" for heading, text in words.lines)
    blocks: list[Mapping[str, object]] = [
        {"type": "header", "text": {"type": "plain_text", "text": words.title[:LONGEST_TITLE], "emoji": False}},
        {"type": "section", "text": _verbatim(_cut(told))},
    ]
    if words.links:
        links = " · ".join(f"<{_url(url)}|{escaped(name)}>" for name, url in words.links)
        blocks.append({"type": "section", "text": _verbatim(links)} if len(links) <= LONGEST_SECTION else _LEFT_OUT)
    blocks.append({"type": "context", "elements": [_verbatim(escaped(words.footer))]})
    return {"text": escaped(words.title), "blocks": blocks}


_LEFT_OUT: Mapping[str, object] = {
    "type": "context",
    "elements": [{"type": "plain_text", "text": "The contract's links are too long for Slack.", "emoji": False}],
}


def escaped(text: str) -> str:
    """Slack's three signs of control as text."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _verbatim(text: str) -> Mapping[str, object]:
    """`verbatim`: Slack makes no links or mentions of names and addresses by itself."""
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def _cut(text: str) -> str:
    """Short enough for a section; no escaped sign is cut in two."""
    if len(text) <= LONGEST_SECTION:
        return text
    return text[: LONGEST_SECTION - 1].rpartition(" ")[0] + "…"


def _url(url: str) -> str:
    return escaped(quote(url, safe="%/:=&?~#+!$,;'@()*[]"))


def _refused(status: int, answer: bytes, after: float | None, _: float | None) -> DeliveryError:
    """Only a wrong or dead webhook is hopeless; 429 and Slack's own failures pass."""
    word = answer[:100].decode("ascii", "replace").strip()
    why = f" ({REASONS[word]})" if word in REASONS else ""
    hopeless = 400 <= status < 500 and status not in (408, 429)
    return DeliveryError(refusal(status) + why, retry=not hopeless, after=after, gone=status == 410)
