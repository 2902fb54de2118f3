"""A report as JSON: the stable form, of which fields may be added and none renamed.

Guarantees: a missing number is null, never 0; shares are 0–1 and times Unix seconds.
"""

import json
from collections.abc import Mapping
from typing import Any

from keeptime.contract.credits import Due
from keeptime.tell.report.values import Credit, Incident, Kept, KeptTogether, Report

Json = Mapping[str, Any]


def render(report: Report) -> bytes:
    return (json.dumps(plain(report), indent=2, ensure_ascii=False) + "\n").encode("utf-8", "replace")


def plain(report: Report) -> Json:
    """The report as plain values."""
    return {
        "contract": report.contract,
        "provider": report.provider,
        "model": report.model,
        "version": report.version,
        "consumer": report.consumer or None,
        "period": report.period,
        "over": report.over,
        "as_of": report.as_of,
        "compliance": report.state,
        "objectives": [_objective(each) for each in report.objectives],
        "together": [_together(each) for each in report.together],
        "ledger_head": report.head,
    }


def _objective(one: Kept) -> Json:
    counts, found = one.counts, one.found
    return {
        "name": one.name,
        "promise": one.promise,
        "compliance": found.state,
        "reason": found.reason,
        "good": counts.good,
        "bad": counts.bad,
        "skipped": counts.skipped,
        "missing": counts.missing,
        "excluded": counts.excluded,
        "sli": one.sli,
        "interval": [found.low, found.high],
        "target": float(one.target),
        "basis": one.basis,
        "needed": found.needed,
        "timezone": one.timezone,
        "start": one.start,
        "end": one.end,
        "since": one.since,
        "over": one.over,
        "credit": None if one.credit is None else _credit(one.credit),
        "days": [
            {
                "day": each.name,
                "good": each.counts.good,
                "bad": each.counts.bad,
                "skipped": each.counts.skipped,
                "missing": each.counts.missing,
                "excluded": each.counts.excluded,
            }
            for each in one.days
        ],
        "exclusions": [
            {"kind": each.kind, "reason": each.reason, "author": each.author or None, "events": each.events}
            for each in one.left_out
        ],
        "alerts": [_incident(each) for each in one.incidents],
    }


def _incident(one: Incident) -> Json:
    return {
        "began": one.began,
        "ended": one.ended,
        "topics": list(one.topics),
        "messages": [
            {
                "id": each.id,
                "at": each.at,
                "topic": each.topic,
                "reason": each.reason,
                "deliveries": [
                    {"audience": way.audience, "receiver": way.receiver or None, "state": way.state, "at": way.at}
                    for way in each.sent
                ],
            }
            for each in one.told
        ],
    }


def _credit(one: Credit) -> Json:
    return {
        "due": float(one.least.credit),
        "due_at_most": float(one.most.credit),
        "tier": _tier(one.least),
        "tier_at_most": _tier(one.most),
        "of": one.of or None,
    }


def _tier(due: Due) -> Json | None:
    return None if due.tier is None else {"below": float(due.tier.below), "credit": float(due.tier.credit)}


def _together(one: KeptTogether) -> Json:
    due = None if one.credit is None else {"due": float(one.credit[0]), "due_at_most": float(one.credit[1])}
    return {"promise": one.name, "all": list(one.all), "state": one.state, "credit": due}
