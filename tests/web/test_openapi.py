"""The description of the API: whole, valid, and held by every answer."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from keeptime.app.reloading import Changed
from keeptime.app.taking import Taking
from keeptime.clock import SystemClock
from keeptime.contract.traffic.otlp import Otlp
from keeptime.contract.traffic.push import Push
from keeptime.errors import ContractError, Problem, StoreUnavailable
from keeptime.model.ack import Ack
from keeptime.model.compliance import Compliance
from keeptime.model.declared import Declared
from keeptime.model.exclusion import Exclusion, ExclusionKind, LeftOut
from keeptime.model.key import ObjectiveKey
from keeptime.model.ledger import LedgerRow
from keeptime.model.silence import Silence
from keeptime.observe.count import Counter
from keeptime.observe.intake.line import Line
from keeptime.observe.intake.push import Pushes
from keeptime.observe.otlp.receive import Otlps
from keeptime.tell.report.values import Report
from keeptime.testing.declaring import FakeDeclaring
from keeptime.testing.quieting import FakeQuieting
from keeptime.testing.reports import FakeReports
from keeptime.testing.showable import NOW, FakeShowable, contract
from keeptime.web.access import ACCESS
from keeptime.web.api.document import document
from keeptime.web.api.routes import DESCRIBED
from tests.docs.pages import ROOT, text_of
from tests.web.conftest import Serve, Served
from tests.web.scenes import every_condition
from tests.web.test_incidents import WORST, happened
from tests.web.test_kept import daemon as with_periods
from tests.web.test_outbox import daemon as with_letters
from tests.web.test_outbox import post
from tests.web.test_series import daemon as with_past

REPORT = Report(
    "sentiment-latency", "ml-platform", "sentiment", "0123456789abcdef", "", "2026-10", NOW, Compliance.UNDECIDED,
    (), (), f"1:{'a' * 64}",
)  # fmt: skip
LEFT_OUT = [LeftOut("p99", 20_000, Exclusion(ExclusionKind.MAINTENANCE, "weekly restart", "ops"), 180)]


def real_intake() -> Taking:
    """Counts what it is sent for a contract that takes all there is."""
    taking = [replace(contract(), traffic=(Push("push"), Otlp("otlp")))]
    clock = SystemClock()
    counter, line = Counter(taking, 10.0, start_ns=clock.wall_ns()), Line()
    return Taking(Pushes(taking, counter, line, clock, 10.0), Otlps(taking, counter, line, clock, 10.0))


def everything() -> FakeShowable:
    """All that can be shown at once."""
    shown, kept, letters = every_condition(), with_periods(), with_letters()
    others = [each for each in shown.contracts if each.contract.name != "sentiment-latency"]
    return replace(
        shown,
        contracts=[kept.contracts[0], *others],
        closed=kept.closed,
        undelivered=letters.undelivered,
        deliveries=[*shown.deliveries, *letters.deliveries],
        ledger_rows=[LedgerRow(1, NOW, "access", "", {"client": "127.0.0.1"}, "0" * 64, "a" * 64)],
        quieting=FakeQuieting(
            [Silence(1, "sentiment-latency", "", "ann", "known", NOW - 60, NOW + 60)],
            [Ack(ObjectiveKey("sentiment-latency", "p99"), NOW - 60, "ann", "", NOW)],
        ),
        intake=real_intake(),
        declaring=FakeDeclaring([Declared(1, "sentiment-latency", "", "ann", "known", NOW + 60, NOW + 99, NOW)]),
        reports=FakeReports({("sentiment-latency", "2026-10", ""): REPORT}),
        past=replace(with_past().past, excluded={"sentiment-latency": LEFT_OUT}),
        happened=happened(),
        reloaded=Changed((("new", "1"),), (("old", "2"),), (("both", "1", "2"),), 3),
    )


def test_every_row_of_the_access_table_is_described_and_no_other() -> None:
    assert [(row.method, row.path) for row in DESCRIBED] == [(row.method, row.path) for row in ACCESS]


def test_every_route_is_on_the_page() -> None:
    page = text_of(ROOT / "docs/http.md")
    paths = {row.path.replace("/{name}", "/…") for row in ACCESS}
    assert [path for path in sorted(paths) if re.search(rf"[`| ]{re.escape(path)}[`?|]", page) is None] == []


def test_the_page_says_which_scope_each_route_takes() -> None:
    table = text_of(ROOT / "docs/http.md").partition("## Who may ask")[2].partition("Any route")[0]
    said = {}
    for scope, routes in re.findall(r"^\| `?(none|read|ingest|silence|admin)`? \| (.*) \|$", table, re.MULTILINE):
        for route in re.findall(r"`([^`]+)`", routes):
            said[route if " " in route else f"GET {route}"] = None if scope == "none" else scope
    assert said == {f"{row.method} {row.path.replace('{name}', '…')}": row.scope for row in ACCESS}


def test_what_may_be_done_has_the_scope_that_it_takes() -> None:
    for row in ACCESS:
        operation = document()["paths"][row.path][row.method.lower()]
        assert operation.get("x-keeptime-scope") == row.scope
        assert bool(operation["security"]) is (row.scope is not None)
        assert ({"basic": []} in operation["security"]) is (row.scope is not None and (row.form or not row.changes))


def strict(schema: Any) -> Any:
    """The same, but a field that is not described is a mistake."""
    if isinstance(schema, list):
        return [strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: strict(each) for name, each in schema.items()}
    if "properties" in found and isinstance(found.get("required"), list):
        found.setdefault("additionalProperties", False)
    return found


def answer_of(method: str, path: str, status: int) -> Draft202012Validator:
    components = {"components": document()["components"]}
    content = document()["paths"][path][method]["responses"][str(status)]["content"]["application/json"]
    whole = strict({**components, **content["schema"]})
    Draft202012Validator.check_schema(whole)
    return Draft202012Validator(whole)


def refs(schema: Any) -> Iterator[str]:
    if isinstance(schema, Mapping):
        if "$ref" in schema:
            yield str(schema["$ref"]).rpartition("/")[2]
        for each in schema.values():
            yield from refs(each)
    elif isinstance(schema, list | tuple):
        for each in schema:
            yield from refs(each)


def test_every_shape_is_there_and_used() -> None:
    whole = document()
    assert set(refs(whole)) == set(whole["components"]["schemas"])
    for schema in whole["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("/api/v1/contracts", ""),
        ("/api/v1/periods", "?contract=sentiment-latency"),
        ("/api/v1/report", "?contract=sentiment-latency&period=2026-10"),
        ("/api/v1/exclusions", "?contract=sentiment-latency"),
        ("/api/v1/series", "?contract=sentiment-latency&objective=p99"),
        ("/api/v1/latency", "?contract=sentiment-latency"),
        ("/api/v1/ledger", ""),
        ("/api/v1/ledger", "?after=0"),
        ("/api/v1/ledger/head", ""),
        ("/api/v1/outbox", ""),
        ("/api/v1/incidents", ""),
        ("/api/v1/events", ""),
        ("/api/v1/silences", "?all=true"),
        ("/api/v1/acks", ""),
        ("/api/v1/traces", "?contract=image-tags"),
        ("/probe", "?contract=image-tags"),
        ("/healthz", ""),
        ("/api/v1/openapi.json", ""),
    ],
)
def test_an_answer_has_the_fields_that_are_described_and_no_others(serve: Serve, path: str, asked: str) -> None:
    answer = serve(everything()).get(path + asked)
    assert answer.status == 200
    answer_of("get", path, 200).validate(json.loads(answer.body))


def test_all_of_an_incident_has_the_fields_that_are_described(serve: Serve) -> None:
    answer = serve(everything()).get(f"/api/v1/incidents/{WORST.id}")
    answer_of("get", "/api/v1/incidents/{id}", 200).validate(json.loads(answer.body))


def test_a_mistake_in_an_answer_would_be_noticed(serve: Serve) -> None:
    shape = answer_of("get", "/api/v1/contracts", 200)
    said = json.loads(serve(everything()).get("/api/v1/contracts").body)
    assert shape.is_valid(said)
    objective = said["contracts"][0]["objectives"][0]
    for name, odd in (("condition", "fine"), ("sli", 1.2), ("good", -1), ("new", 1), ("budget", {})):
        was = dict(objective)
        objective[name] = odd
        assert not shape.is_valid(said), name
        objective.clear()
        objective.update(was)
    assert shape.is_valid(said)


def posted(where: Served, path: str, body: object, status: int) -> None:
    answer = post(where, body, path)
    assert answer.status == status
    described = re.sub(r"(?<=/push/)[a-z-]+", "{contract}", path)
    answer_of("post", described, status).validate(json.loads(answer.body))


def test_what_is_posted_is_answered_as_described(serve: Serve) -> None:
    shown = everything()
    where = serve(shown)
    posted(where, "/api/v1/outbox/replay", {"all": True}, 200)
    posted(where, "/api/v1/outbox/replay", {}, 400)
    posted(where, "/api/v1/outbox/discard", {"all": True, "author": "me", "reason": "old"}, 200)
    posted(where, "/api/v1/outbox/discard", {"all": True}, 400)
    silence = {"contract": "sentiment-latency", "author": "me", "reason": "known", "ends": NOW + 60}
    posted(where, "/api/v1/silences", silence, 200)
    posted(where, "/api/v1/silences", {**silence, "ends": 0}, 400)
    posted(where, "/api/v1/silences/end", {"id": 1, "author": "me"}, 200)
    posted(where, "/api/v1/silences/end", {"id": 99, "author": "me"}, 409)
    excluded = {"contract": "sentiment-latency", "author": "me", "reason": "known", "until": NOW + 600}
    posted(where, "/api/v1/exclusions", excluded, 200)
    posted(where, "/api/v1/exclusions", {**excluded, "until": "soon"}, 400)
    posted(where, "/api/v1/exclusions/end", {"id": 1, "author": "me"}, 200)
    posted(where, "/api/v1/exclusions/end", {"id": 99, "author": "me"}, 409)
    event = {"kind": "deploy", "author": "ci", "version": "v2", "contracts": ["sentiment-latency"]}
    posted(where, "/api/v1/events", event, 200)
    posted(where, "/api/v1/events", {**event, "kind": "version"}, 400)
    posted(where, "/api/v1/acks", {"contract": "sentiment-latency", "author": "me"}, 200)
    push = "/api/v1/push/sentiment-latency"
    posted(where, push, [{"latency_seconds": 0.1}, {"latency_seconds": -1}], 200)
    posted(where, push, {"latency_seconds": -1}, 400)
    posted(where, push, 5, 400)
    posted(where, push, [{}] * 10_001, 413)
    for path in ("/v1/metrics", "/v1/traces"):
        posted(where, path, {}, 200)
        posted(where, path, {"resourceMetrics": 5, "resourceSpans": 5}, 400)
        posted(where, path, [], 400)
    posted(where, "/api/v1/push/nobody", {"latency_seconds": 0.1}, 404)
    posted(where, "/api/v1/reload", {"author": "me"}, 200)
    posted(where, "/api/v1/reload", {"author": ""}, 400)
    shown.reloaded = ContractError([Problem("a.yaml", 1, 2, "error", "bad-name", "no")])
    posted(where, "/api/v1/reload", {"author": "me"}, 422)
    shown.reloaded = StoreUnavailable("the disk is full")
    posted(where, "/api/v1/reload", {"author": "me"}, 503)
