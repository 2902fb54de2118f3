"""The body of a message that is about no objective: a test, or something that keeptime says of itself.

Guarantees: it has every field of a message and fits message.schema.json, and cannot be taken for news of an
objective: its objective has a name that none can have, its condition is ok, and nothing is counted.
"""

from dataclasses import dataclass

from keeptime.contract.terms import Contract
from keeptime.model.alert import AlertState
from keeptime.model.key import Signal
from keeptime.tell.message import Json, instant

WINDOW = 86_400.0
"""A window must be told and be more than 0; nothing is in it."""


@dataclass(frozen=True, slots=True)
class Saying:
    """What is said. `objective`, `promise`: what stands in their place; `at`: Unix seconds."""

    type: str
    objective: str
    promise: str
    state: AlertState
    reason: str
    next: str
    at: float


def body(name: str, contract: Contract, said: Saying) -> dict[str, Json]:
    """All fields; `name` is the message's id."""
    at = instant(round(said.at))
    return {
        "type": said.type,
        "id": name,
        "contract": contract.name,
        "contract_version": contract.version,
        "provider": contract.provider,
        "model": contract.model,
        "objective": _objective(said),
        "state": said.state,
        "condition": "ok",
        "severity": None,
        "previous": {"condition": "ok", "severity": None},
        "at": at,
        "since": at,
        "started": at,
        "reason": said.reason,
        "next": said.next,
        "links": dict(contract.links),
        "counts": {"good": 0, "bad": 0, "skipped": 0, "excluded": 0, "sli": None},
        "burn_rate": None,
        "tiers": [],
        "budget": {"total": 0, "spent": 0, "left": 0},
        "exhausted_in_seconds": None,
        "forecast": None,
    }


def _objective(said: Saying) -> Json:
    return {
        "name": said.objective,
        "promise": said.promise,
        "signal": Signal.REQUESTS,
        "target": 0.5,
        "threshold_seconds": None,
        "window": "1d",
        "window_seconds": WINDOW,
    }
