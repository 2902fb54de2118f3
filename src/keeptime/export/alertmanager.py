"""Contracts as an Alertmanager configuration: who hears of which alert, and how often.

Guarantees: a consumer hears what its `about` names and never of a ticket; operators hear everything; one group per
objective, so that a change from at_risk to broken is one message and reads as no recovery; no secret stands in the
file. What cannot be said in it is named in a comment. Pure.
"""

from collections.abc import Iterator, Sequence

from keeptime.contract.terms import Consumer, Contract
from keeptime.export.alertmanager_receivers import receiver_configs
from keeptime.export.prometheus.rules import Plain, as_yaml
from keeptime.export.settings import Files, Settings
from keeptime.model.alert import Address, Topic

NOBODY = "nobody"
GROUP_WAIT, GROUP_INTERVAL = "0s", "5s"
REPEAT = {"page": "4h", "ticket": "1d"}
"""How often a page and a ticket are told again while they last."""

HEAD = """\
# Written by `keeptime export alertmanager`. Export again after a change of the contract; do not edit.
# Messages have Alertmanager's own form, unsigned. A file named here holds one URL, key or password;
# webhooks by file need Alertmanager 0.26 or newer.
"""


def files(contracts: Sequence[Contract], settings: Settings) -> Files:
    """alertmanager.yml."""
    del settings  # nothing of it matters here
    notes: list[str] = []
    receivers: list[Plain] = [{"name": NOBODY}]
    routes: list[Plain] = []
    for contract in contracts:
        for name, addresses, consumer in _audiences(contract):
            receivers.append(_receiver(f"{contract.name}/{name}", addresses, consumer, notes))
            routes += _routes(contract, name, consumer)
    configuration = {
        "route": {
            "receiver": NOBODY,
            "group_by": ["contract", "objective"],
            "group_wait": GROUP_WAIT,
            "group_interval": GROUP_INTERVAL,
            "repeat_interval": REPEAT["page"],
            "routes": routes,
        },
        "inhibit_rules": [
            {
                "source_matchers": ['severity="page"'],
                "target_matchers": ['severity="ticket"'],
                "equal": ["contract", "objective"],
            }
        ],
        "receivers": receivers,
    }
    comments = "".join(f"# {note}\n" for note in notes)
    return {"alertmanager.yml": HEAD + comments + as_yaml(configuration)}


def _audiences(contract: Contract) -> Iterator[tuple[str, Sequence[Address], Consumer | None]]:
    """Every consumer, and the operators (None), with their addresses."""
    for consumer in contract.consumers:
        yield consumer.name, consumer.tell, consumer
    if contract.operators:
        yield "operators", contract.operators, None


def _routes(contract: Contract, name: str, consumer: Consumer | None) -> Iterator[Plain]:
    of, receiver = f'contract="{contract.name}"', f"{contract.name}/{name}"
    if consumer is None:
        yield _route(receiver, REPEAT["ticket"], of, 'severity="ticket"')
        yield _route(receiver, REPEAT["page"], of, 'severity!="ticket"')
        return
    heard = sorted(str(topic) for topic in consumer.about if topic is not Topic.RECOVERED)
    if heard:
        yield _route(
            receiver,
            REPEAT["page"],
            of,
            f'condition=~"{"|".join(heard)}"',
            'severity!="ticket"',
            'internal!="true"',
        )


def _route(receiver: str, repeat: str, *matchers: str) -> Plain:
    """Others hear of the same alert too, so the search goes on."""
    return {"receiver": receiver, "matchers": list(matchers), "repeat_interval": repeat, "continue": True}


def _receiver(name: str, addresses: Sequence[Address], consumer: Consumer | None, notes: list[str]) -> Plain:
    resolved = consumer is None or Topic.RECOVERED in consumer.about
    said = receiver_configs(addresses, resolved=resolved)
    notes += [f"{name}: {note}" for note in said.notes]
    return {"name": name, **said.configs}
