"""A store with October 2026 in it, and the beginning of November: what reports are made of in these tests."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from keeptime.app.closing import Closing
from keeptime.contract.fingerprint import written
from keeptime.contract.load import load_files
from keeptime.contract.terms import Contract
from keeptime.model.alert import Address, Message, Topic
from keeptime.model.change import Change
from keeptime.model.exclusion import Exclusion, ExclusionKind
from keeptime.model.key import ObjectiveKey
from keeptime.model.period import DayEnd
from keeptime.model.tally import Tally, TickRecord
from keeptime.model.version import ContractVersion
from tests.store.given import opened

TICK = 10.0
DAY = 8640
OCTOBER = round(datetime(2026, 10, 1, tzinfo=UTC).timestamp() / TICK)
NOVEMBER = OCTOBER + 31 * DAY
SECRET = "https://hooks.example/T0P53CR3T"
P99, P50 = ObjectiveKey("sentiment-latency", "p99-500ms"), ObjectiveKey("sentiment-latency", "p50-200ms")
INTERNAL = ObjectiveKey("sentiment-latency", "p99-500ms-warn")

TERMS = f"""\
contract: sentiment-latency
provider: ml-platform
model: MODEL
endpoint: {{url: "http://127.0.0.1:5000/predict"}}
observe: [{{probe: {{every: 10s, timeout: 5s}}}}]
objectives:
  - target: 99%
    under: 500ms
    over: calendar month
    warn: {{under: 400ms}}
    credits: {{tiers: [{{below: 99%, credit: 10%}}, {{below: 95%, credit: 25%}}], of: monthly fee}}
  - 50% of requests under 200ms over 28d
together: [{{name: both, all: [p99-500ms, p50-200ms], credit: 5%}}]
consumers:
  - {{name: checkout, tell: ["webhook:{SECRET}"]}}
  - {{name: fraud-team, tell: ["webhook:env:FRAUD_HOOK"]}}
operators: {{tell: ["log:stdout"]}}
"""


HOSTILE = "<script>alert(1)</script> sentiment | ünïcödé 模型"


def contract(directory: Path, model: str) -> Contract:
    file = directory / "contract.yaml"
    file.write_text(TERMS.replace("MODEL", json.dumps(model, ensure_ascii=False)))
    (found,) = load_files([str(file)]).contracts
    return found


def kept(directory: Path, days: int = 33, slow: int = 900, model: str = HOSTILE) -> Contract:
    """One tick a day, with what was counted in all of it, so that nothing is missing; the 12th was slow."""
    terms = contract(directory, model)
    closing = Closing([terms], TICK, {}, OCTOBER)
    with opened(directory / "data", tick=OCTOBER, tick_seconds=TICK) as store:
        version = ContractVersion(terms.name, terms.version, terms.file, written(terms))
        store.commit(Change(OCTOBER * TICK, versions=(version,)))
        for nth in range(days):
            tick = OCTOBER + nth * DAY
            ended, periods = closing.due(tick)
            without_missing = tuple(
                DayEnd(each.first, each.until, dict.fromkeys(each.slots, 0.0)) for each in ended
            )
            change = Change((tick + 1) * TICK, record(tick, nth, slow), days=without_missing, periods=periods)
            store.commit(replace(change, messages=messages(terms, nth, tick)))
        for row, at in ((2, 11.5), (3, 12.0), (4, 50.0), (5, 86_412.0)):
            if days > 12:
                store.delivered(row, (OCTOBER + 11 * DAY) * TICK + at, "204")
    return terms


def record(tick: int, nth: int, slow: int) -> TickRecord:
    bad = slow if nth == 11 else 20
    tallies = {
        P99: Tally(8640 - bad, bad, excluded=30 if nth == 3 else 0),
        P50: Tally(8000, 640),
        INTERNAL: Tally(8000, 640),
    }
    why = Exclusion(ExclusionKind.MAINTENANCE, "release | <b>2.1</b>", "fraud-team")
    return TickRecord(tick, tallies, {}, exclusions={P99: {why: 30}} if nth == 3 else {})


def messages(terms: Contract, nth: int, tick: int) -> tuple[Message, ...]:
    """On the 12th told to everybody, on the 20th to fraud-team alone; on the 5th about an internal objective."""
    checkout, fraud, operators = terms.consumers[0].tell, terms.consumers[1].tell, terms.operators
    if nth == 4:
        return (told("i1", INTERNAL, Topic.AT_RISK, tick, "nearly too slow behind the scenes", operators),)
    if nth == 11:
        return (told("m1", P99, Topic.BROKEN, tick, "900 of 8,640 <i>slow</i>", checkout + fraud + operators),)
    if nth == 12:
        return (told("m2", P99, Topic.RECOVERED, tick, "fast again", checkout + fraud),)
    return (told("m3", P50, Topic.NO_DATA, tick, "nothing came", fraud),) if nth == 19 else ()


def told(name: str, key: ObjectiveKey, topic: Topic, tick: int, reason: str, to: tuple[Address, ...]) -> Message:
    body = json.dumps({"id": name, "reason": reason}).encode()
    return Message(name, key, topic, tick, body, to)
