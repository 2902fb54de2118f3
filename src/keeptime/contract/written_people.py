"""Consumers and operators as a contract's file would say them: a part of `keeptime.contract.written`.

Guarantees: as there. Knows nothing of what was promised.
"""

from keeptime.contract.given import Terms
from keeptime.contract.regular import Regular
from keeptime.contract.terms import Consumer, Contract
from keeptime.contract.urgency import Ping, Urgency
from keeptime.contract.written_figures import duration
from keeptime.model.alert import Address


def consumer(one: Consumer) -> Terms:
    said: Terms = {"name": one.name, "tell": [*map(address, one.tell)], "about": sorted(map(str, one.about))}
    said |= _urgency(one.urgency)
    said |= _report(one.report)
    return said if one.heartbeat is None else said | {"heartbeat": duration(one.heartbeat)}


def operators(contract: Contract) -> Terms | None:
    """None where there are none."""
    if not contract.operators:
        return None
    said: Terms = {
        "tell": [*map(address, contract.operators)],
        **_urgency(contract.urgency),
        **_report(contract.report),
    }
    return said if contract.ping is None else said | {"ping": _ping(contract.ping)}


def notify_within(contract: Contract) -> str | None:
    """Of the whole contract, where no operators say it."""
    within = contract.urgency.notify_within
    return None if contract.operators or within is None else duration(within)


def _urgency(one: Urgency) -> Terms:
    said: Terms = {} if one.notify_within is None else {"notify_within": duration(one.notify_within)}
    if one.escalate:
        said["escalate"] = [*map(address, one.escalate)]
    return said if one.ack_within is None else said | {"ack_within": duration(one.ack_within)}


def _report(one: Regular | None) -> Terms:
    return {} if one is None else {"report": {"each": one.each.value, "form": one.form.value}}


def _ping(one: Ping) -> Terms:
    return {"url": one.url, "every": duration(one.every)}


def address(one: Address) -> object:
    if one.kind == "webhook" and one.secret:
        return {"webhook": {"url": one.target, "secret": list(one.secrets) if len(one.secrets) > 1 else one.secret}}
    if one.kind == "email":
        return {
            "email": {"to": one.target, **dict(one.options), **({"password": one.secret} if one.secret else {})}
        }
    if one.kind == "pagerduty" and one.options:
        return {"pagerduty": {"key": one.target, **dict(one.options)}}
    return f"{one.kind}:{one.target}"
