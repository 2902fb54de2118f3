"""The message that an alert is watched no more, because its contract or its objective is there no
more, or no requests of a segment.

Guarantees: whoever heard of the alert hears this, and nobody else; the promise and its figures are those of the
last message, for nobody judges any more; the same alert gives the same id, also when it is withdrawn again after a
kill. Pure: knows neither contracts nor the store.
"""

import json
from enum import StrEnum
from typing import Any
from uuid import uuid5

from keeptime.model.alert import AlertRow, AlertState, Heard, Message, Topic
from keeptime.tell.message import NAMESPACE, NEXT, canonical, instant
from keeptime.tell.wording import WERE


class Gone(StrEnum):
    """What is there no more."""

    CONTRACT = "the contract was withdrawn while its objective was"
    OBJECTIVE = "the objective was withdrawn from its contract while it was"
    REQUESTS = (
        "no requests of this segment come any more, so it is judged no longer; when the last one came, it was"
    )


def withdrawn(row: AlertRow, heard: Heard, at: float, *, gone: Gone) -> Message:
    """What is told of the alert of this row, which fires. `at`: Unix seconds."""
    last: dict[str, Any] = json.loads(heard.body)
    topic = Topic.WITHDRAWN
    name = str(uuid5(NAMESPACE, "\n".join((last["contract_version"], *row.key, str(heard.tick), topic))))
    body = last | {
        "type": f"keeptime.objective.{topic}",
        "id": name,
        "state": AlertState.RESOLVED,
        "previous": {"condition": last["condition"], "severity": last["severity"]},
        "at": instant(at),
        "reason": _reason(last, gone),
        "next": NEXT[topic],
    }
    return Message(name, row.key, topic, heard.tick, canonical(body), heard.addresses)


def _reason(last: dict[str, Any], gone: Gone) -> str:
    return f"{gone} {WERE[last['condition']]}; before that: {last['reason']}"
