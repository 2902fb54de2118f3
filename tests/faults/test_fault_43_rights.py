"""Fault 43: a change without the right to it → 401 or 403, nothing changes, and the ledger has a row of it."""

import http.client
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from keeptime.clock import SystemClock
from keeptime.model.token import Scope
from keeptime.store.tokens import TokenFile
from keeptime.web.access import ACCESS, Access
from tests.cli.commands import run
from tests.e2e.keeping import Keeptime, keeping, terms, until

CHANGES = [row for row in ACCESS if row.changes]
FEW = 5
"""Tokens that are nobody's: after ten, whoever asks from there has to wait."""


def path_of(row: Access) -> str:
    return row.path.replace("{id}", "1").replace("{name}", "x")


class Guarded:
    """A real keeptime where tokens are asked for, with one of each scope."""

    def __init__(self, kept: Keeptime) -> None:
        self.kept = kept
        file, now = TokenFile(kept.data), SystemClock().wall_ns() / 1e9
        self.tokens = {scope: file.add(scope.value, [scope], now, None) for scope in Scope}
        self.tokens_file = file

    def ask(self, row: Access, token: str | None, body: str = "{}") -> int:
        connection = http.client.HTTPConnection("127.0.0.1", int(self.kept.url.rpartition(":")[2]), timeout=20)
        shown = {} if token is None else {"Authorization": f"Bearer {token}"}
        try:
            connection.request(row.method, path_of(row), body, {"Content-Type": "application/json", **shown})
            return connection.getresponse().status
        finally:
            connection.close()

    def audited(self) -> list[dict[str, object]]:
        return [json.loads(str(fields)) for (fields,) in self.kept.rows(ACCESSES)]


ACCESSES = "SELECT fields FROM ledger WHERE kind = 'access' ORDER BY seq"


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    with keeping(tmp_path_factory.mktemp("fault-43"), terms("http://127.0.0.1:9/")) as kept:
        guarded = Guarded(kept)
        kept.start()
        yield guarded


def test_fault_43_without_the_right_nothing_is_done_and_the_ledger_says_who_tried(one: Guarded) -> None:
    expected, known = [], set()
    for row in CHANGES:
        assert one.ask(row, None) == 401
        expected.append((row.method, 401, "no_token", ""))
        if row in CHANGES[:FEW]:
            assert one.ask(row, one.tokens[Scope.READ][:-4] + "AAAA") == 401
            expected.append((row.method, 401, "bad_token", ""))
        for scope in Scope:
            # With each scope once is enough: the ledger takes 60 rows at once.
            if scope not in (row.scope, Scope.ADMIN) and (scope is Scope.READ or row.scope not in known):
                assert one.ask(row, one.tokens[scope]) == 403
                expected.append((row.method, 403, "scope", scope.value))
        known.add(row.scope)
    until(lambda: len(one.audited()) >= len(expected), 20, f"{len(expected)} rows of the ledger")
    found = one.audited()
    assert [(each["method"], each["status"], each["reason"], each["token"]) for each in found] == expected
    assert {each["client"] for each in found} == {"127.0.0.1"}
    assert {each["path"] for each in found} == {path_of(row) for row in CHANGES}


def test_fault_43_who_has_the_right_is_let_in_and_the_ledger_says_who_it_was(one: Guarded) -> None:
    before = len(one.audited())
    replay = next(row for row in CHANGES if row.path == "/api/v1/outbox/replay")
    assert one.ask(replay, one.tokens[Scope.ADMIN], '{"all": true}') == 200
    until(lambda: len(one.audited()) > before, 20, "a row of the ledger")
    found = one.audited()[-1]
    assert (found["token"], found["reason"], found["path"]) == ("admin", "let_in", "/api/v1/outbox/replay")


def test_fault_43_a_silence_names_who_made_it_and_by_which_token(one: Guarded) -> None:
    silence = next(row for row in CHANGES if row.path == "/api/v1/silences")
    ends = SystemClock().wall_ns() / 1e9 + 60
    wanted = json.dumps({"contract": "kept", "author": "ann", "reason": "known", "ends": ends})
    assert one.ask(silence, one.tokens[Scope.READ], wanted) == 403
    assert one.kept.rows("SELECT * FROM silence") == []
    assert one.ask(silence, one.tokens[Scope.SILENCE], wanted) == 200
    assert one.kept.rows("SELECT author FROM silence") == [("ann (token silence)",)]


def test_fault_43_who_is_revoked_has_no_right_any_more(one: Guarded) -> None:
    row = CHANGES[0]
    token = one.tokens_file.add("shortly", [Scope.READ], 0, None)
    assert one.ask(row, token) == 403
    assert run("token", "revoke", "shortly", "--data", str(one.kept.data)) == 0
    assert one.ask(row, token) == 401


def test_fault_43_the_ledger_holds_no_token_and_is_whole(one: Guarded, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("ledger", "verify", "--data", str(one.kept.data)) == 0
    capsys.readouterr()
    whole = "".join(path.read_text("latin-1") for path in Path(one.kept.data).iterdir()) + one.kept.log
    for token in one.tokens.values():
        assert token.split("_", 2)[2] not in whole
