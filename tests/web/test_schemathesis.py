"""Whatever may be asked of the port by its description, and what may not: no answer is a failure of keeptime's own
or another than is described, and nothing is told without a token.

`make test` asks a little, always the same; `make soak` asks the real process for minutes.
"""

import time
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import Case
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.generation import GenerationMode

from keeptime.model.token import Scope
from keeptime.store.tokens import TokenFile
from keeptime.web.access import ACCESS, Access
from keeptime.web.api.document import document
from keeptime.web.api.routes import DESCRIBED
from keeptime.web.limits import Limit
from tests.e2e.keeping import keeping, terms
from tests.e2e.peers import model
from tests.web.conftest import served
from tests.web.test_openapi import everything
from tests.web.test_tokens import guarded

load_all_checks()

GUESSING = CHECKS.get_one("ignored_auth")
"""Asks with made-up tokens as well, and so often that the real process says 429."""

ACCEPTED = CHECKS.get_one("positive_data_acceptance")
"""Whatever has the form is taken. A text has to be printable besides, which a schema can hardly say."""

ASKED, ASKED_LONG = 8, 100
PLENTY = Limit(rate=1e9, burst=1e9)


class Port:
    """A served app with every token that there can be."""

    def __init__(self, url: str, tokens: dict[Scope, str]) -> None:
        self.url, self.tokens = url, tokens

    def ask(self, case: Case, scope: Scope | None) -> Any:
        shown = {} if scope is None else {"Authorization": f"Bearer {self.tokens[scope]}"}
        return case.call(base_url=self.url, headers={"Host": "localhost", **shown}, allow_redirects=False)


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
    return schemathesis.openapi.from_dict(document())


def of(row: Access) -> Any:
    """The operation of this row, as schemathesis reads it."""
    return described()[row.path][row.method]


def takes(row: Access) -> bool:
    """Is there anything that could be wrong?"""
    return bool(of(row).query or of(row).body)


def says_anything(row: Access) -> bool:
    """Does what is posted hold a text of somebody's own?"""
    body = next((each.posted for each in DESCRIBED if (each.method, each.path) == (row.method, row.path)), None)
    return body is not None and "printable" in str(body)


def asked(row: Access, mode: GenerationMode, most: int) -> Iterator[Case]:
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
    @given(case=of(row).as_strategy(generation_mode=mode))
    def collect(case: Case) -> None:
        found.append(case)

    collect()
    yield from found


ROWS = pytest.mark.parametrize("row", ACCESS, ids=lambda row: f"{row.method} {row.path}")


def hold(port: Port, row: Access, mode: GenerationMode, most: int, pause: float = 0.0) -> None:
    for case in asked(row, mode, most):
        answer = port.ask(case, Scope.ADMIN)
        time.sleep(pause)
        without = [*([GUESSING] if pause else []), *([ACCEPTED] if says_anything(row) else [])]
        case.validate_response(answer, excluded_checks=without)
        assert answer.status_code < 500, case.as_curl_command()


@ROWS
def test_what_is_allowed_is_answered_as_described(port: Port, row: Access) -> None:
    hold(port, row, GenerationMode.POSITIVE, ASKED)


@pytest.mark.parametrize("row", [row for row in ACCESS if takes(row)], ids=lambda row: f"{row.method} {row.path}")
def test_what_is_not_allowed_is_refused_as_described(port: Port, row: Access) -> None:
    hold(port, row, GenerationMode.NEGATIVE, ASKED)


@ROWS
def test_nothing_is_told_without_a_token_or_with_a_wrong_one(port: Port, row: Access) -> None:
    if row.scope is None:
        return
    wrong = [scope for scope in Scope if scope not in (row.scope, Scope.ADMIN)]
    for case in asked(row, GenerationMode.POSITIVE, 2):
        for scope in (None, *wrong):
            answer = port.ask(case, scope)
            assert answer.status_code == (401 if scope is None else 403), case.as_curl_command()
            case.validate_response(answer)


@pytest.mark.soak
@ROWS
def test_the_real_process_answers_as_described_however_it_is_asked(real: Port, row: Access) -> None:
    for mode in (GenerationMode.POSITIVE, *([GenerationMode.NEGATIVE] if takes(row) else [])):
        hold(real, row, mode, ASKED_LONG, pause=0.025)
