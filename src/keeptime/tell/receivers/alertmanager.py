"""`alertmanager:URL`: posts alerts to Alertmanager's v2 API (POST /api/v2/alerts), and again while they fire.

Guarantees: an objective is at most one firing alert of an audience there: each message fires its own condition and
ends what Alertmanager itself says is still firing of it. What is repeated is read from the messages last taken, so
it goes on after a kill. An alert that nobody repeats ends by itself LAPSES refreshes after the last post.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypedDict
from urllib.parse import urlencode

from keeptime.errors import DeliveryError
from keeptime.model.alert import ENDINGS, Address, Aside, Delivery
from keeptime.model.verdict import Condition
from keeptime.tell.message import instant
from keeptime.tell.receivers.http import TIMEOUT, Poster
from keeptime.tell.receivers.lookup import looked_up
from keeptime.tell.wording import lost

PATH = "/api/v2/alerts"
REFRESH_EVERY = 30.0
LAPSES = 4
"""A firing alert's end is set this many refreshes ahead, as Prometheus does it."""

NAMES = {
    Condition.AT_RISK: "KeeptimeObjectiveAtRisk",
    Condition.BROKEN: "KeeptimeObjectiveBroken",
    Condition.NO_DATA: "KeeptimeObjectiveNoData",
}
"""alertname by condition."""

TEST_NAME, ITSELF_NAME = "KeeptimeTest", "KeeptimeService"

ITSELF_LASTS = 900.0
"""Seconds after which what keeptime says of itself is over there: longer than the usual group_interval (5 min), for
what is over before Alertmanager tells of a group again is told to nobody.
"""

Labels = Mapping[str, str]


class Alert(TypedDict):
    """One alert as the API takes and gives it."""

    labels: Labels
    annotations: Mapping[str, str]
    startsAt: str
    endsAt: str


class Promised(TypedDict):
    """What is read of a body's `objective`."""

    name: str
    promise: str


class Before(TypedDict):
    """What is read of a body's `previous`."""

    condition: str
    severity: str | None


class Said(TypedDict):
    """What is read of a message's body."""

    id: str
    contract: str
    provider: str
    model: str
    objective: Promised
    condition: str
    severity: str | None
    previous: Before
    service: Mapping[str, str]
    at: str
    since: str
    started: str
    reason: str
    next: str
    links: Mapping[str, str]


class AlertmanagerReceiver:
    """One for all Alertmanagers. `timeout`, `refresh_every`: seconds."""

    def __init__(self, timeout: float = TIMEOUT, refresh_every: float = REFRESH_EVERY) -> None:
        self.refresh_every = refresh_every
        self._poster = Poster(timeout)

    async def send(self, delivery: Delivery, now: float) -> str:
        url = looked_up(delivery.address.target).rstrip("/") + PATH
        if delivery.topic is Aside.TEST:
            tried_out = tried(delivery, instant(now + LAPSES * self.refresh_every))
            return await self._post(url, [tried_out], now, delivery.address)
        if delivery.topic is Aside.SERVICE:
            return await self._post(url, [of_itself(delivery, now)], now, delivery.address)
        present = self._firing([delivery], now)
        known = await self._known(url, delivery, now)
        return await self._post(url, [*present, *ended(delivery, known, now)], now, delivery.address)

    async def refresh(self, latest: Sequence[Delivery], now: float) -> None:
        if alerts := self._firing(latest, now):
            address = latest[0].address
            await self._post(looked_up(address.target).rstrip("/") + PATH, alerts, now, address)

    async def close(self) -> None:
        await self._poster.close()

    def _firing(self, deliveries: Iterable[Delivery], now: float) -> list[Alert]:
        lapse = instant(now + LAPSES * self.refresh_every)
        return [firing(delivery, now, lapse) for delivery in deliveries if delivery.topic not in ENDINGS]

    async def _known(self, url: str, delivery: Delivery, now: float) -> Sequence[Alert]:
        """What fires there of this objective for this audience."""
        identity = _identity(delivery.address.audience, _read(delivery))
        filters = [("filter", f"{name}={json.dumps(text, ensure_ascii=False)}") for name, text in identity.items()]
        return known_of(await self._poster.get(f"{url}?{urlencode(filters)}", now, delivery.address.reach))

    async def _post(self, url: str, alerts: Sequence[Alert], now: float, address: Address) -> str:
        headers = {"content-type": "application/json"}
        return await self._poster.post(url, json.dumps(alerts).encode(), headers, now, address.reach)


def known_of(answer: bytes) -> Sequence[Alert]:
    """The alerts that Alertmanager listed. Raises DeliveryError for what is no such list."""
    try:
        return [_known_one(alert) for alert in json.loads(answer)]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise DeliveryError("it listed its alerts in a way that is not Alertmanager's v2 API") from None


def _known_one(alert: Mapping[str, Any]) -> Alert:
    labels = {name: value for name, value in alert["labels"].items() if isinstance(value, str)}
    start = str(alert["startsAt"])
    if datetime.fromisoformat(start).tzinfo is None:
        raise ValueError("an instant has a zone: it is compared with others")
    return {"labels": labels, "annotations": {}, "startsAt": start, "endsAt": ""}


def firing(delivery: Delivery, now: float, lapse: str) -> Alert:
    """The alert of a message that began or changed something. `now`: Unix seconds; `lapse`: RFC 3339."""
    said = _read(delivery)
    return {
        "labels": _labels(delivery.address.audience, said, said),
        "annotations": _annotations(said),
        "startsAt": min(said["since"], instant(now), key=datetime.fromisoformat),
        "endsAt": lapse,
    }


def tried(delivery: Delivery, lapse: str) -> Alert:
    """The alert of a test message: no condition of keeptime's, no severity, over by itself. `lapse`: RFC 3339."""
    said = _read(delivery)
    labels = {**_identity(delivery.address.audience, said), "alertname": TEST_NAME}
    return {
        "labels": labels | {"provider": said["provider"], "model": said["model"]},
        "annotations": _annotations(said),
        "startsAt": said["at"],
        "endsAt": lapse,
    }


def of_itself(delivery: Delivery, now: float) -> Alert:
    """The alert of what keeptime says of itself; over by itself, and never repeated. `now`: Unix seconds."""
    said = _read(delivery)
    labels = {**_identity(delivery.address.audience, said), "alertname": ITSELF_NAME, **said["service"]}
    return {
        "labels": labels | {"provider": said["provider"], "model": said["model"]},
        "annotations": _annotations(said),
        "startsAt": min(said["at"], instant(now), key=datetime.fromisoformat),
        "endsAt": instant(now + ITSELF_LASTS),
    }


def ended(delivery: Delivery, known: Iterable[Alert], now: float) -> Iterable[Alert]:
    """The end of whatever else of this objective fires there.

    An Alertmanager that was started anew knows of none, but may have told of one: then the end of the condition
    before is said, which tells nobody if there was nothing to end.
    """
    said = _read(delivery)
    over = delivery.topic in ENDINGS
    present = None if over else _labels(delivery.address.audience, said, said)
    others = [(alert["labels"], alert["startsAt"]) for alert in known if alert["labels"] != present]
    if over and not others:
        others = [(_labels(delivery.address.audience, said, said["previous"]), said["started"])]
    for labels, start in others:
        yield {
            "labels": labels,
            "annotations": _annotations(said),
            "startsAt": start,
            "endsAt": _end(said, start, now),
        }


def _end(said: Said, start: str, now: float) -> str:
    """The decision's instant; now, where that is not after the start or not yet past (a clock was set)."""
    begun, decided = datetime.fromisoformat(start), datetime.fromisoformat(said["at"])
    return said["at"] if begun < decided <= datetime.fromisoformat(instant(now)) else instant(now)


def _read(delivery: Delivery) -> Said:
    said: Said = json.loads(delivery.body)
    return said


def _labels(audience: str, said: Said, standing: Said | Before) -> Labels:
    """What identifies the alert of an objective in this condition and severity."""
    labels = {
        **_identity(audience, said),
        "alertname": NAMES[Condition(standing["condition"])],
        "provider": said["provider"],
        "model": said["model"],
        "condition": standing["condition"],
    }
    return labels if standing["severity"] is None else labels | {"severity": standing["severity"]}


def _identity(audience: str, said: Said) -> Labels:
    """What every alert of one objective for one audience has in common."""
    return {"audience": audience, "contract": said["contract"], "objective": said["objective"]["name"]}


def _annotations(said: Said) -> Mapping[str, str]:
    """Sentences for people, and the contract's links, each as NAME_url."""
    urls = {f"{re.sub(r'[^a-zA-Z0-9_]', '_', name)}_url": url for name, url in said["links"].items()}
    missing = lost(said)
    return (
        urls
        | {
            "summary": said["reason"],
            "promise": said["objective"]["promise"],
            "next": said["next"],
            "message_id": said["id"],
        }
        | ({"missing": missing} if missing else {})
    )
