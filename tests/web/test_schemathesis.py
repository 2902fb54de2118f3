"""Whatever may be asked of the port by its description, and what may not: no answer is a failure of keeptime's own
or another than is described, and nothing is told without a token.

`make test` asks a little, always the same; `make soak` asks the real process for minutes.
"""

import time
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from keeptime.model.token import Scope
from keeptime.store.tokens import TokenFile
from keeptime.web.access import ACCESS, Access
from keeptime.web.api.document import document
from keeptime.web.api.routes import DESCRIBED, Described
from keeptime.web.limits import Limit
from tests.e2e.keeping import keeping, terms
from tests.e2e.peers import model
from tests.web.conftest import served
from tests.web.test_openapi import everything
from tests.web.test_tokens import guarded

ASKED, ASKED_LONG = 4, 100
PLENTY = Limit(rate=1e9, burst=1e9)


Case = Any
"""One way to ask. schemathesis is imported when it is used: every worker imports every file of tests."""


class Port:
    """A served app with every token that there can be."""

    def __init__(self, url: str, tokens: dict[Scope, str]) -> None:
        self.url, self.tokens = url, tokens

    def ask(self, case: Case, scope: Scope | None) -> Any:
        shown = {} if scope is None else {"Authorization": f"Bearer {self.tokens[scope]}"}
        return case.call(
            base_url=self.url,
            headers={"Host": "localhost", "Origin": "http://localhost", **shown},
            allow_redirects=False,
        )


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Port]:
    file, door = guarded(tmp_path_factory.mktemp("port"))
    door.per_address = door.per_token = door.failures = PLENTY
    tokens = {scope: file.add(scope.value, [scope], 0, None) for scope in Scope}
    with served(everything(), door=door) as where:
        yield Port(where.url, tokens)


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Port]:
    """A real keeptime with a model that answers."""
    folder = tmp_path_factory.mktemp("real")
    with model() as endpoint, keeping(folder, terms(endpoint.url)) as kept:
        file = TokenFile(kept.data)
        tokens = {scope: file.add(scope.value, [scope], 0, None) for scope in Scope}
        kept.start()
        yield Port(kept.url, tokens)


@cache
def described() -> Any:
    """The whole description. Its answers are checked only once the checks are loaded."""
    import_module("schemathesis.checks").load_all_checks()
    return import_module("schemathesis").openapi.from_dict(document())


def mode(name: str) -> Any:
    """How cases are made: "positive", as described, or "negative"."""
    return import_module("schemathesis.generation").GenerationMode(name)


def check(name: str) -> Any:
    """One of the checks of an answer."""
    return import_module("schemathesis.checks").CHECKS.get_one(name)


def left_out(row: Access, guessing: bool) -> list[Any]:
    """Made-up tokens are soon told to wait by the real process (429). A text has to be printable besides, which a
    schema can hardly say, so what has the form is not always taken."""
    names = [*([] if guessing else ["ignored_auth"]), *(["positive_data_acceptance"] if says_anything(row) else [])]
    return [check(each) for each in names]


def of(row: Access) -> Any:
    """The operation of this row, as schemathesis reads it."""
    return described()[row.path][row.method]


def described_as(row: Access) -> Described:
    return next(each for each in DESCRIBED if (each.method, each.path) == (row.method, row.path))


def takes(row: Access) -> bool:
    """Is there anything that could be wrong?"""
    one = described_as(row)
    return one.posted is not None or any(each.place == "query" for each in one.parameters)


def says_anything(row: Access) -> bool:
    """Does what is asked hold a text of somebody's own, a time zone, or more than a schema can say of it?"""
    one = described_as(row)
    zoned = any(each.name == "tz" for each in one.parameters)
    return "printable" in str(one.posted) or zoned or row.scope is Scope.INGEST


def asked(row: Access, way: str, most: int) -> Iterator[Case]:
    """So many different ways to ask."""
    found: list[Case] = []

    @seed(5337)
    @settings(
        max_examples=most,
        phases=(Phase.generate,),
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=of(row).as_strategy(generation_mode=mode(way)))
    def collect(case: Case) -> None:
        found.append(case)

    collect()
    yield from found


FINITE = [row for row in ACCESS if row.path != "/api/v1/live"]
"""That one has no end."""
ROWS = pytest.mark.parametrize("row", FINITE, ids=lambda row: f"{row.method} {row.path}")


def hold(port: Port, row: Access, way: str, most: int, pause: float = 0.0) -> None:
    for case in asked(row, way, most):
        without = left_out(row, guessing=not pause)
        answer = port.ask(case, Scope.ADMIN)
        time.sleep(pause)
        case.validate_response(answer, excluded_checks=without)
        assert answer.status_code < 500, case.as_curl_command()


@ROWS
def test_what_is_allowed_is_answered_as_described(port: Port, row: Access) -> None:
    hold(port, row, "positive", ASKED)


@pytest.mark.parametrize("row", [row for row in FINITE if takes(row)], ids=lambda row: f"{row.method} {row.path}")
def test_what_is_not_allowed_is_refused_as_described(port: Port, row: Access) -> None:
    hold(port, row, "negative", ASKED)


@ROWS
def test_nothing_is_told_without_a_token_or_with_a_wrong_one(port: Port, row: Access) -> None:
    if row.scope is None:
        return
    wrong = [scope for scope in Scope if scope not in (row.scope, Scope.ADMIN)]
    for case in asked(row, "positive", 2):
        for scope in (None, *wrong):
            answer = port.ask(case, scope)
            assert answer.status_code == (401 if scope is None else 403), case.as_curl_command()
            case.validate_response(answer)


@pytest.mark.soak
@ROWS
def test_the_real_process_answers_as_described_however_it_is_asked(real: Port, row: Access) -> None:
    for way in ("positive", *(["negative"] if takes(row) else [])):
        hold(real, row, way, ASKED_LONG, pause=0.025)


def test_an_answer_of_another_form_would_be_noticed(port: Port) -> None:
    head, health = (
        next(asked(row, "positive", 1)) for row in ACCESS if row.path in ("/api/v1/ledger/head", "/healthz")
    )
    answer = port.ask(health, Scope.ADMIN)
    health.validate_response(answer)
    with pytest.raises(BaseExceptionGroup, match="schema"):
        head.validate_response(answer)
