"""`pagerduty:env:NAME`: triggers and resolves incidents by PagerDuty's Events API, version 2.

Guarantees: all messages of one alert carry one deduplication key, so repeats and changes of severity join the
incident that the first message opened, and `recovered` or `withdrawn` ends it; a test message is an event of its
own with severity `info`. The integration key is looked up when sending; it is in the body sent and in no error.
"""

import json
from collections.abc import Mapping
from typing import Any

from keeptime.contract.paging import EVENTS_URL
from keeptime.errors import DeliveryError
from keeptime.model.alert import ENDINGS, Delivery
from keeptime.tell.receivers.http import TIMEOUT, Poster, refusal
from keeptime.tell.receivers.lookup import looked_up
from keeptime.tell.wording import TEST, of_itself, worded

LONGEST_SUMMARY = 1024
LONGEST_KEY = 255
"""Characters that PagerDuty takes in a summary and in a deduplication key."""

SEVERITIES = {
    ("broken", "page"): "critical",
    ("broken", "ticket"): "error",
    ("at_risk", "page"): "error",
    ("at_risk", "ticket"): "warning",
    ("no_data", None): "error",
}
"""PagerDuty's severity by condition and severity."""

LEAST, ITSELF = "info", "warning"
"""Of a test, and of what keeptime says of itself."""


class PagerdutyReceiver:
    """One for all services. `timeout`: seconds for one attempt."""

    def __init__(self, timeout: float = TIMEOUT) -> None:
        self._poster = Poster(timeout)

    async def send(self, delivery: Delivery, now: float) -> str:
        address = delivery.address
        url = looked_up(address.option("url") or EVENTS_URL)
        event = {"routing_key": looked_up(address.target), **told(delivery)}
        body = json.dumps(event, ensure_ascii=False).encode()
        headers = {"content-type": "application/json"}
        return await self._poster.post(url, body, headers, now, address.reach, _refused)

    async def close(self) -> None:
        await self._poster.close()


def told(delivery: Delivery) -> Mapping[str, object]:
    """The event without its key."""
    words = worded(delivery.body)
    said: Mapping[str, Any] = json.loads(delivery.body)
    return {
        "event_action": "resolve" if delivery.topic in ENDINGS else "trigger",
        "dedup_key": words.incident[:LONGEST_KEY],
        "client": "keeptime",
        "links": [{"href": url, "text": name} for name, url in words.links],
        "payload": {
            "summary": words.title[:LONGEST_SUMMARY],
            "source": said["contract"],
            "severity": _severity(said),
            "timestamp": said["since"],
            "component": said["model"],
            "group": said["provider"],
            "class": _class(said),
            "custom_details": {**dict(words.lines), "Message": words.footer},
        },
    }


def _severity(said: Mapping[str, Any]) -> str:
    if of_itself(said["type"]):
        return ITSELF
    return LEAST if said["type"] == TEST else SEVERITIES.get((said["condition"], said["severity"]), LEAST)


def _class(said: Mapping[str, Any]) -> str:
    if of_itself(said["type"]):
        return str(said["service"]["code"])
    return "test" if said["type"] == TEST else str(said["condition"])


def _refused(status: int, _: bytes, after: float | None, __: float | None) -> DeliveryError:
    """400: the event is invalid, or the key is. PagerDuty's own text is not repeated: it may quote the key."""
    if status == 400:
        return DeliveryError(
            refusal(status) + " (the event is invalid; is the integration key right?)", retry=False
        )
    hopeless = 400 < status < 500 and status not in (408, 429)
    return DeliveryError(refusal(status), retry=not hopeless, after=after)
