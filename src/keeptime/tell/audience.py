"""Who hears of a transition.

Guarantees: operators hear everything; a consumer hears what its `about` names, never of a ticket nor of an internal
objective, and of a recovery only after having been told of what it ends. Pure.
"""

import json
from collections.abc import Mapping

from keeptime.contract.people import everyone
from keeptime.contract.terms import Consumer, Contract, Objective
from keeptime.contract.urgency import Urgency
from keeptime.model.alert import Address, Aside, Delivery, Topic
from keeptime.tell.life import Transition, heard_by_consumers


def urgency_of(contract: Contract, audience: str) -> Urgency:
    """How urgently a consumer, or the operators, are to be told."""
    return next((one.urgency for one in contract.consumers if one.name == audience), contract.urgency)


def addresses(contract: Contract, objective: Objective, transition: Transition) -> tuple[Address, ...]:
    """Every address that is told, each once: consumers in the contract's order, then the operators."""
    consumers = () if objective.internal else contract.consumers
    hearing = [consumer for consumer in consumers if hears(consumer, transition)]
    told = [address for consumer in hearing for address in consumer.tell]
    return tuple(dict.fromkeys([*told, *contract.operators]))


def hears(consumer: Consumer, transition: Transition) -> bool:
    """Is this consumer told?"""
    if transition.topic not in consumer.about:
        return False
    if transition.topic is Topic.RECOVERED:
        return bool(transition.heard & consumer.about)
    return heard_by_consumers(transition.topic, transition.severity)


def still_told(contracts: Mapping[str, Contract], delivery: Delivery) -> bool:
    """Is the objective of this message still in one of these contracts (by name), and told to this address?

    What keeptime says of itself is said once, and so is a report.
    """
    if delivery.topic in (Aside.SERVICE, Aside.REPORT):
        return False
    contract = contracts.get(delivery.contract)
    if contract is None:
        return False
    told = [address.id for address in everyone(contract)]
    objective = objective_of(delivery)
    return delivery.address.id in told and any(each.name == objective for each in contract.objectives)


def objective_of(delivery: Delivery) -> str:
    """The name of the objective that this message is about."""
    return str(json.loads(delivery.body)["objective"]["name"])
