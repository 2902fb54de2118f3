"""The update of an alert that says why: to the operators, once for each incident.

Guarantees: pure; everything that the message before said of the objective is in it, so that a receiver which keeps
one state for an alert keeps it; the same incident gives the same id. Knows no receiver.
"""

import json
from collections.abc import Mapping

from keeptime.contract.terms import Contract
from keeptime.model.alert import Aside, Heard, Message
from keeptime.model.explanation import Explanation, explained_id
from keeptime.model.key import ObjectiveKey
from keeptime.tell.message import Json, canonical, instant
from keeptime.tell.wording import EXPLAINED

WHY = "why"
"""The name of the link to all that is known."""


def explained(contract: Contract, key: ObjectiveKey, heard: Heard, found: Explanation, link: str) -> Message:
    """`heard`: the newest message of the alert; `link`: to the incident's page, "" where nobody could follow it."""
    said: dict[str, Json] = json.loads(heard.body)
    name = explained_id(found.incident)
    links = said["links"]
    if link and isinstance(links, Mapping):
        links = {**links, WHY: link}
    said |= {
        "type": EXPLAINED,
        "id": name,
        "at": instant(round(found.at)),
        "links": links,
        "explanation": {
            "lines": list(found.lines),
            "causes": [
                {"kind": str(each.kind), "sentence": each.sentence, "names": list(each.names)}
                for each in found.causes
            ],
        },
    }
    return Message(name, key, Aside.EXPLAINED, heard.tick, canonical(said), contract.operators)
