"""Who is let in by the served app: with which token, for what, how often; and what is said to the others."""

import base64
import ipaddress
import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from keeptime.app.auditing import Audit
from keeptime.app.rights import Rights
from keeptime.clock import SystemClock
from keeptime.model.ledger import Json
from keeptime.model.token import Scope
from keeptime.store.tokens import TokenFile
from keeptime.testing.showable import FakeShowable, contract, view
from keeptime.web.access import ACCESS
from keeptime.web.door import Door
from keeptime.web.limits import Limit
from tests.web.conftest import Serve, Served
from tests.web.test_outbox import daemon, post

Rows = list[Mapping[str, Json]]


def one() -> FakeShowable:
    return FakeShowable([view(contract())])


def guarded(tmp_path: Path, rows: Rows | None = None) -> tuple[TokenFile, Door]:
    """A door where tokens are asked for."""

    async def write(_at: float, fields: Mapping[str, Json]) -> None:
        if rows is not None:
            rows.append(fields)

    file, clock = TokenFile(tmp_path), SystemClock()
    return file, Door(rights=Rights(file, clock, always=True), clock=clock, audit=Audit(clock, write))


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def basic(password: str, user: str = "me") -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def test_without_a_token_nothing_but_healthz_is_answered(serve: Serve, tmp_path: Path) -> None:
    rows: Rows = []
    where = serve(one(), door=guarded(tmp_path, rows)[1])
    assert (where.get("/healthz").status, where.get("/healthz").body) == (200, b'{"healthy":true}')
    paths = [row.path.replace("{name}", "keeptime.css") for row in ACCESS if row.scope and row.method == "GET"]
    for path in [*paths, "/nowhere"]:
        answer = where.get(path)
        assert answer.status == 401, path
        assert "sentiment" not in answer.text
        challenges = answer.headers.get_all("www-authenticate")
        assert challenges == ['Bearer realm="keeptime"', 'Basic realm="keeptime", charset="UTF-8"']
        assert "default-src 'none'" in answer.headers["content-security-policy"]
    where.get("/healthz")
    assert {(row["status"], row["reason"], row["client"]) for row in rows} == {(401, "no_token", "127.0.0.1")}
    assert len(rows) == len(paths) + 1


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Authorization": "Bearer "}, 401),
        ({"Authorization": "Bearer kt_000000000000_" + "A" * 43}, 401),
        ({"Authorization": "Token x"}, 401),
        ({"Authorization": ""}, 401),
        ({"Authorization": "Basic %%%"}, 401),
        ({"Authorization": "Basic " + base64.b64encode(b"\xff:\xff").decode()}, 401),
        (basic(""), 401),
        ({"X-Forwarded-For": "127.0.0.1", "Cookie": "token=x"}, 401),
    ],
)
def test_what_is_no_token_is_none(serve: Serve, tmp_path: Path, headers: dict[str, str], status: int) -> None:
    file, door = guarded(tmp_path)
    file.add("one", [Scope.READ], 0, None)
    assert serve(one(), door=door).get("/api/v1/contracts", **headers).status == status


def test_a_token_may_what_its_scope_says(serve: Serve, tmp_path: Path) -> None:
    rows: Rows = []
    file, door = guarded(tmp_path, rows)
    tokens = {scope: file.add(scope.value, [scope], 0, None) for scope in Scope}
    shown = daemon()
    where = serve(shown, door=door)
    looks = {scope: where.get("/metrics", **bearer(token)).status for scope, token in tokens.items()}
    assert looks == {Scope.READ: 200, Scope.INGEST: 403, Scope.SILENCE: 403, Scope.ADMIN: 200}
    for scope in (Scope.READ, Scope.INGEST, Scope.SILENCE):
        answer = post(where, {"all": True}, **bearer(tokens[scope]))
        assert answer.status == 403
        assert f"the token '{scope}' has no scope 'admin'" in answer.text
    assert all(each.dead is not None for each in shown.undelivered if each.row != 2)
    assert post(where, {"all": True}, **bearer(tokens[Scope.ADMIN])).status == 200
    assert all(each.dead is None for each in shown.undelivered)
    where.get("/healthz")
    refused = [row["token"] for row in rows if (row["path"], row["status"]) == ("/api/v1/outbox/replay", 403)]
    assert refused == ["read", "ingest", "silence"]
    assert [row["token"] for row in rows if row["reason"] == "let_in"] == ["admin"]
    for token in tokens.values():
        assert not any(token in str(row) for row in rows)


def test_a_person_looks_with_the_token_as_a_password_and_changes_nothing(serve: Serve, tmp_path: Path) -> None:
    file, door = guarded(tmp_path)
    token = file.add("me", [Scope.ADMIN], 0, None)
    where = serve(daemon(), door=door)
    assert where.get("/", **basic(token)).status == 200
    assert where.get("/static/keeptime.css", **basic(token, user="")).status == 200
    answer = post(where, {"all": True}, **basic(token))
    assert (answer.status, "Bearer" in answer.text) == (403, True)


def test_the_rules_for_changes_hold_with_a_token_too(serve: Serve, tmp_path: Path) -> None:
    file, door = guarded(tmp_path)
    token = bearer(file.add("me", [Scope.ADMIN], 0, None))
    where = serve(daemon(), door=door)
    for odd, status in (
        ({"Origin": "https://evil.example"}, 403),
        ({"Sec_Fetch_Site": "cross-site"}, 403),
        ({"content_type": "text/plain"}, 415),
    ):
        assert post(where, {"all": True}, **token, **odd).status == status
    assert post(where, {"all": True}, **token, Host="evil.example").status == 421


def test_a_revoked_token_is_nobodys_at_once(serve: Serve, tmp_path: Path) -> None:
    file, door = guarded(tmp_path)
    token = bearer(file.add("me", [Scope.READ], 0, None))
    where = serve(one(), door=door)
    assert where.get("/metrics", **token).status == 200
    assert file.revoke("me")
    assert where.get("/metrics", **token).status == 401


def test_a_first_token_is_asked_for_while_serving(serve: Serve, tmp_path: Path) -> None:
    file, clock = TokenFile(tmp_path), SystemClock()
    where = serve(one(), door=Door(rights=Rights(file, clock)))
    assert where.get("/metrics").status == 200
    token = bearer(file.add("me", [Scope.READ], 0, None))
    assert (where.get("/metrics").status, where.get("/metrics", **token).status) == (401, 200)
    file.revoke("me")
    assert where.get("/metrics").status == 401


def test_who_may_ask_cannot_be_known(serve: Serve, tmp_path: Path) -> None:
    file, door = guarded(tmp_path)
    token = bearer(file.add("me", [Scope.READ], 0, None))
    file.path.chmod(0o644)
    where = serve(one(), door=door)
    assert (where.get("/metrics", **token).status, where.get("/healthz").status) == (503, 200)


def test_who_guesses_waits_and_who_knows_goes_on(serve: Serve, tmp_path: Path) -> None:
    file, door = guarded(tmp_path)
    door.failures = Limit(rate=0.001, burst=3)
    token = bearer(file.add("me", [Scope.READ], 0, None))
    other = bearer(file.add("other", [Scope.READ], 0, None))
    where = serve(one(), door=door)
    assert where.get("/metrics", **token).status == 200
    guesses = [where.get("/metrics", **bearer(f"kt_{n:012x}_{'A' * 43}")) for n in range(5)]
    assert [each.status for each in guesses] == [401, 401, 401, 429, 429]
    assert int(guesses[-1].headers["retry-after"]) > 60
    assert where.get("/metrics", **other).status == 429
    assert where.get("/metrics", **token).status == 200


def refusals(where: Served) -> str:
    return "\n".join(line for line in where.get("/metrics").text.splitlines() if "keeptime_http_refused" in line)


def test_who_asks_too_often_waits(serve: Serve) -> None:
    door = Door(per_address=Limit(rate=0.02, burst=5))
    where = serve(one(), door=door)
    answers = [where.get("/healthz") for _ in range(7)]
    assert [each.status for each in answers] == [200] * 5 + [429] * 2
    assert 45 <= int(answers[-1].headers["retry-after"]) <= 52
    assert json.loads(answers[-1].body)["error"].startswith("this address asks too often")
    door.per_address = Limit(rate=1, burst=50)
    assert 'keeptime_http_refused_total{reason="address_rate"} 2.0' in refusals(where)


def test_a_token_has_a_rate_of_its_own(serve: Serve, tmp_path: Path) -> None:
    file, door = guarded(tmp_path)
    door.per_token = Limit(rate=0.02, burst=2)
    tokens = [bearer(file.add(name, [Scope.READ], 0, None)) for name in ("a", "b")]
    where = serve(one(), door=door)
    assert [where.get("/metrics", **tokens[0]).status for _ in range(3)] == [200, 200, 429]
    assert where.get("/metrics", **tokens[1]).status == 200


def test_behind_a_trusted_proxy_each_client_is_one(serve: Serve, tmp_path: Path) -> None:
    rows: Rows = []
    _, door = guarded(tmp_path, rows)
    door.proxies = (ipaddress.ip_network("127.0.0.1"),)
    door.hosts = frozenset({"sla.example.com"})
    door.per_address = Limit(rate=0.01, burst=2)
    where = serve(one(), door=door)

    def from_(client: str) -> int:
        return where.get("/", Host="sla.example.com", X_Forwarded_For=client).status

    assert [from_("192.0.2.1") for _ in range(3)] == [401, 401, 429]
    assert from_("9.9.9.9, 192.0.2.2") == 401
    where.get("/healthz")
    assert [row["client"] for row in rows] == ["192.0.2.1", "192.0.2.1", "192.0.2.2"]


def test_an_origin_behind_a_proxy_is_what_its_client_speaks(serve: Serve, tmp_path: Path) -> None:
    file, door = guarded(tmp_path)
    door.proxies, door.hosts = (ipaddress.ip_network("127.0.0.1"),), frozenset({"sla.example.com"})
    token = bearer(file.add("me", [Scope.ADMIN], 0, None))
    where = serve(daemon(), door=door)
    named = {"Host": "sla.example.com", "Origin": "https://sla.example.com", **token}
    assert post(where, {"all": True}, **named, X_Forwarded_Proto="https").status == 200
    assert post(where, {"all": True}, **named).status == 403
