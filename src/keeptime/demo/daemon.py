"""What the demo asks of the running keeptime: its API over HTTP, and nothing else."""

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Loopback is asked directly, whatever proxy the environment names."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One objective as the API has it; `sli` and `burn_rate` are None without events, `condition` at first."""

    condition: str | None
    sli: float | None
    good: int
    bad: int
    budget_left: float | None
    budget_total: float | None
    reason: str


@dataclass(frozen=True, slots=True)
class Daemon:
    """A running `keeptime run` at `url`, asked about one contract."""

    url: str
    contract: str

    def standing(self) -> Standing | None:
        """Of the contract's first objective; None while nothing answers."""
        body = get(f"{self.url}/api/v1/contracts")
        if body is None:
            return None
        contract = next(each for each in body["contracts"] if each["contract"] == self.contract)
        first = contract["objectives"][0]
        budget = first["budget"] or {"left": None, "total": None}
        return Standing(
            condition=first["condition"],
            sli=first["sli"],
            good=first["good"] or 0,
            bad=first["bad"] or 0,
            budget_left=budget["left"],
            budget_total=budget["total"],
            reason=first["reason"],
        )

    def probe(self) -> str:
        """One probe now, in words; "" where it could not be sent."""
        body = get(f"{self.url}/probe?contract={self.contract}")
        if body is None or "success" not in body:
            return ""
        took = f"{body['latency_seconds'] * 1000:.1f} ms"
        return f"status {body['status']} in {took}" if body["success"] else f"{body['failure']} after {took}"


def get(url: str) -> dict[str, Any] | None:
    """The JSON that this URL answers with; None where nothing answers, or not in JSON."""
    try:
        with _DIRECT.open(url, timeout=5) as response:
            return dict(json.load(response))
    except (OSError, ValueError):
        return None


def post(url: str, body: dict[str, Any]) -> bool:
    """POST JSON; whether it was taken."""
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    try:
        with _DIRECT.open(request, timeout=5):
            return True
    except (OSError, ValueError):
        return False
