"""`keeptime token`, and how the other commands show one."""

import json
from pathlib import Path

import pytest

from keeptime.cli.asking import send, token_value
from keeptime.errors import KeeptimeError, SecretError, TokenError, UsageError
from keeptime.model.token import Scope
from keeptime.store.tokens import TokenFile
from keeptime.web.tls import Certificate
from tests.cli.commands import run
from tests.nobody import nobody_listening
from tests.web.conftest import served
from tests.web.test_outbox import daemon
from tests.web.test_tls import issued, tls
from tests.web.test_tokens import guarded

Out = pytest.CaptureFixture[str]


def test_made_listed_and_revoked(tmp_path: Path, capsys: Out) -> None:
    data = ("--data", str(tmp_path))
    assert run("token", "list", *data) == 0
    assert "there are no tokens" in capsys.readouterr().out
    assert run("token", "add", "prometheus", "--scope", "read", *data) == 0
    said = capsys.readouterr()
    assert said.out.startswith("kt_")
    assert said.out.count("\n") == 1
    assert "shown this once" in said.err
    assert run("token", "add", "on-call", "--scope", "silence", "--scope", "read", "--expires", "90d", *data) == 0
    capsys.readouterr()
    assert run("token", "list", "--json", *data) == 0
    text = capsys.readouterr().out
    first, second = json.loads(text)["tokens"]
    assert (first["name"], first["scopes"], first["expires"], first["expired"]) == (
        "prometheus",
        ["read"],
        None,
        False,
    )
    assert second["expires"] - second["created"] == pytest.approx(90 * 86400)
    assert said.out.strip() not in text
    assert "argon2" not in text
    assert run("token", "list", *data) == 0
    table = capsys.readouterr().out
    assert "prometheus" in table
    assert "for ever" in table
    assert run("token", "revoke", "prometheus", *data) == 0
    with pytest.raises(TokenError, match="there is no token 'prometheus'"):
        run("token", "revoke", "prometheus", *data)
    assert [each.name for each in TokenFile(tmp_path).read()] == ["on-call"]


@pytest.mark.parametrize(
    "given",
    [["--scope", "root"], [], ["--scope", "read", "--expires", "soon"], ["--scope", "read", "--expires", "0s"]],
)
def test_a_wrong_call_makes_nothing(tmp_path: Path, given: list[str]) -> None:
    with pytest.raises((UsageError, SystemExit)):
        run("token", "add", "one", *given, "--data", str(tmp_path))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["", "A", "a b", "-a", "a" * 64, "a\n"])
def test_a_name_is_a_label(tmp_path: Path, name: str) -> None:
    with pytest.raises((UsageError, SystemExit)):
        run("token", "add", name, "--scope", "read", "--data", str(tmp_path))


def test_commands_show_a_token_by_reference(tmp_path: Path, capsys: Out, monkeypatch: pytest.MonkeyPatch) -> None:
    file, door = guarded(tmp_path)
    token = file.add("all", [Scope.ADMIN], 0, None)
    kept = tmp_path / "token"
    kept.write_text(token + "\n")
    shown = daemon()
    with served(shown, door=door) as where:
        url = ("--url", where.url)
        with pytest.raises(KeeptimeError, match=r"a token is needed.*KEEPTIME_TOKEN"):
            run("status", *url)
        monkeypatch.setenv("MINE", token)
        assert run("status", *url, "--token", "env:MINE") == 0
        assert run("outbox", "list", *url, "--token", f"file:{kept}") == 1
        monkeypatch.setenv("KEEPTIME_TOKEN", token)
        assert run("outbox", "replay", "--all", *url) == 0
        assert run("compliance", "sentiment-latency", *url) == 0
        monkeypatch.setenv("KEEPTIME_TOKEN", "kt_" + "0" * 12 + "_" + "A" * 43)
        with pytest.raises(KeeptimeError, match="this token is not known here"):
            run("status", *url)
    assert token not in "".join(capsys.readouterr())


def test_a_token_itself_is_no_argument(capsys: Out) -> None:
    with pytest.raises(UsageError) as error:
        run("status", "--token", "kt_0123456789ab_secretsecret")
    assert "secretsecret" not in str(error.value)
    assert "env:NAME or file:PATH" in str(error.value)


def test_what_is_referred_to_is_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SecretError, match="NOT_THERE_4711"):
        token_value("env:NOT_THERE_4711")
    monkeypatch.setenv("ODD", "two words\r\nX-Injected: 1")
    with pytest.raises(UsageError) as error:
        token_value("env:ODD")
    assert "Injected" not in str(error.value)
    monkeypatch.delenv("KEEPTIME_TOKEN", raising=False)
    assert token_value("") == ""


def test_a_token_never_goes_in_clear_to_another_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEEPTIME_TOKEN", "kt_x")
    with pytest.raises(UsageError, match="https"):
        send("http://sla.example.com:5337", "contracts")


def test_a_token_goes_to_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    with nobody_listening() as port, nobody_listening() as proxy:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy}")
        monkeypatch.setenv("KEEPTIME_TOKEN", "kt_x")
        with pytest.raises(KeeptimeError, match=f"no keeptime answers at http://127.0.0.1:{port}"):
            send(f"http://127.0.0.1:{port}", "contracts")


def test_a_certificate_that_is_not_trusted_is_said_and_can_be_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain, key, trust = issued(tmp_path, "own")
    with tls(Certificate(chain, key)) as port:
        monkeypatch.delenv("SSL_CERT_FILE", raising=False)
        with pytest.raises(
            KeeptimeError, match=r"certificate of https://localhost:\d+ is not trusted .*SSL_CERT_FILE"
        ):
            send(f"https://localhost:{port}", "contracts")
        monkeypatch.setenv("SSL_CERT_FILE", str(trust))
        assert send(f"https://localhost:{port}", "contracts")["contracts"]
