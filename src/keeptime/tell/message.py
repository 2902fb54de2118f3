"""The message about one transition: one canonical JSON body that every receiver is sent from.

Guarantees: the same transition gives the same id and the same bytes, always; the fields are those of
message.schema.json and docs/webhook.md; a figure that is not known is null, and numbers are not rounded. No
secret, and nothing of the endpoint, is in it. Knows nothing of receivers.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from uuid import UUID, uuid5

from keeptime.contract.terms import Contract, Objective
from keeptime.judge.reason import promise
from keeptime.model.ack import Ack
from keeptime.model.alert import Address, Delivery, Message, Topic
from keeptime.model.incident import incident_id
from keeptime.model.key import ObjectiveKey
from keeptime.model.numbers import Numbers
from keeptime.model.verdict import Forecast, TierReport, Verdict, WindowCount
from keeptime.tell.life import Transition

Json = Mapping[str, "Json"] | Sequence["Json"] | str | float | int | bool | None

NAMESPACE = UUID("6b0f3c1e-5d0a-5f6e-9d5b-2f0c8f1f7a10")
"""The namespace of message ids (UUIDv5, RFC 9562 §5.5); changing it changes every id."""

NEXT = {
    Topic.AT_RISK: "The next message says that it is broken, that data stopped, or that it holds again.",
    Topic.BROKEN: "The next message says that it is no longer broken, that data stopped, or that it holds again.",
    Topic.NO_DATA: "The next message says what the data say once there are data again.",
    Topic.RECOVERED: "This alert is over. The next message comes when it is at risk again.",
    Topic.WITHDRAWN: "This alert is over, and nothing follows: nobody watches this objective any more.",
}


def message_id(contract: Contract, objective: ObjectiveKey, at: float, topic: Topic) -> str:
    """The id of a transition: equal for equal (contract version, objective, end of the window, topic), else
    different. `at`: Unix seconds, a point of the epoch grid; neither the tick's length nor the process is in it.
    """
    return str(uuid5(NAMESPACE, "\n".join((contract.version, *objective, instant(at), topic))))


def compose(
    contract: Contract,
    objective: Objective,
    verdict: Verdict,
    transition: Transition,
    addresses: tuple[Address, ...],
    ack: Ack | None = None,
) -> Message:
    """The frozen message of one transition. `ack`: of the alert that it belongs to."""
    name = message_id(contract, verdict.key, verdict.at, transition.topic)
    body = canonical(_body(name, contract, objective, verdict, transition) | {"acknowledged": _ack(ack)})
    return Message(name, verdict.key, transition.topic, verdict.tick, body, addresses)


def numbered(delivery: Delivery) -> bytes:
    """The body as it is sent on its route: with the numbers that it has there, null where it has none.

    Equal for equal rows: the body and the numbers are frozen.
    """
    return canonical(_said(delivery.body) | {"audience": delivery.address.audience} | _numbers(delivery.numbers))


@lru_cache(maxsize=64)
def _said(body: bytes) -> dict[str, Json]:
    """Read once for all receivers that are told at about the same time. Not to be changed."""
    said: dict[str, Json] = json.loads(body)
    return said


def canonical(value: Json) -> bytes:
    """JSON with sorted keys, no spaces, in UTF-8; one line. Raises ValueError on NaN and infinity."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8", errors="replace")


def instant(unix_seconds: float) -> str:
    """RFC 3339 in UTC: "2026-11-24T03:31:10Z"; with microseconds where there are any."""
    return datetime.fromtimestamp(unix_seconds, UTC).isoformat().replace("+00:00", "Z")


def _body(
    name: str, contract: Contract, objective: Objective, verdict: Verdict, told: Transition
) -> dict[str, Json]:
    return {
        "type": f"keeptime.objective.{told.topic}",
        "id": name,
        "contract": contract.name,
        "contract_version": contract.version,
        "provider": contract.provider,
        "model": contract.model,
        "objective": _objective(objective, verdict),
        "state": told.state,
        "condition": told.condition,
        "severity": told.severity,
        "previous": {"condition": told.previous_condition, "severity": told.previous_severity},
        "at": instant(verdict.at),
        "since": instant(verdict.since),
        "started": instant(told.started),
        "incident": incident_id(verdict.key, told.started),
        "reason": verdict.reason,
        "next": NEXT[told.topic],
        "links": dict(contract.links),
        "stated": _stated(contract),
        **_figures(verdict),
    }


def _ack(ack: Ack | None) -> Json:
    return None if ack is None else {"author": ack.author, "note": ack.note or None, "at": instant(ack.at)}


def _objective(objective: Objective, verdict: Verdict) -> Json:
    return {
        "name": objective.name,
        "promise": promise(objective),
        "signal": objective.of,
        "target": float(verdict.target),
        "threshold_seconds": verdict.threshold_seconds,
        "window": str(objective.over),
        "window_seconds": verdict.window_seconds,
        "internal": objective.internal,
        "from": None if objective.begins is None else instant(objective.begins),
        "until": None if objective.ends is None else instant(objective.ends),
        **({"segment": _segment(objective)} if objective.segment else {}),
    }


def _segment(objective: Objective) -> Json:
    return {"of": objective.segment_of, "values": dict(objective.segment)}


def _stated(contract: Contract) -> Json:
    return {
        "duties": dict(contract.duties),
        "vantage": contract.vantage or None,
        "token_basis": contract.token_basis or None,
    }


def _figures(verdict: Verdict) -> dict[str, Json]:
    budget = verdict.budget
    return {
        "counts": {
            "good": verdict.good,
            "bad": verdict.bad,
            "skipped": verdict.skipped,
            "excluded": verdict.excluded,
            "sli": verdict.sli,
        },
        "burn_rate": verdict.burn_rate,
        "tiers": [_tier(tier) for tier in verdict.tiers],
        "budget": {"total": budget.total, "spent": budget.spent, "left": budget.left},
        "exhausted_in_seconds": verdict.exhausted_in,
        "forecast": None if verdict.forecast is None else _forecast(verdict.forecast),
    }


def _forecast(forecast: Forecast) -> Json:
    between = forecast.ends_between
    return {
        "miss_chance": forecast.miss_chance,
        "until": _rounded(forecast.until),
        "ends_at": None if forecast.ends_at is None else _rounded(forecast.ends_at),
        "ends_between": None if between is None else [None if each is None else _rounded(each) for each in between],
        "days": forecast.days,
    }


def _rounded(unix_seconds: float) -> str:
    """An estimated instant, to the second."""
    return instant(round(unix_seconds))


def _tier(tier: TierReport) -> Json:
    return {
        "name": tier.name,
        "severity": tier.severity,
        "state": tier.state,
        "burn_limit": tier.burn_limit,
        "windows": [_window(window) for window in tier.windows],
        "run": None if tier.run is None else _window(tier.run),
        "cleared": tier.cleared,
    }


def _window(window: WindowCount) -> Json:
    return {"seconds": window.seconds, "good": window.good, "bad": window.bad, "burn_rate": window.burn_rate}


def _numbers(numbers: Numbers | None) -> dict[str, Json]:
    if numbers is None:
        return {"epoch": None, "sequence": None, "previous_id": None, "missing": None}
    return {
        "epoch": numbers.epoch,
        "sequence": numbers.sequence,
        "previous_id": numbers.previous_id,
        "missing": {"count": numbers.missing, "ids": numbers.missing_ids},
    }
