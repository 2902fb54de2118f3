"""The file of tokens: what is kept, who may read it, and what becomes of two changes at once."""

import json
import os
import re
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from keeptime.errors import TokenError
from keeptime.model.token import Scope, id_of
from keeptime.store.tokens import TokenFile, is_of

NOW = 1_800_000_000.0


def test_a_token_is_kept_as_its_hash_alone(tmp_path: Path) -> None:
    file = TokenFile(tmp_path / "data")
    written = file.add("prometheus", [Scope.READ], NOW, None)
    assert re.fullmatch(r"kt_[0-9a-f]{12}_[A-Za-z0-9_-]{43}", written)
    (token,) = file.read()
    assert (token.id, token.name, token.scopes) == (id_of(written), "prometheus", {Scope.READ})
    assert token.hashed.startswith("$argon2id$")
    text = file.path.read_text()
    assert written not in text
    assert written[16:] not in text
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.directory.stat().st_mode) == 0o700


def test_only_the_whole_token_is_the_token(tmp_path: Path) -> None:
    file = TokenFile(tmp_path)
    written, other = (file.add(name, [Scope.READ], NOW, None) for name in ("a", "b"))
    first, second = file.read()
    assert is_of(first, written)
    assert not is_of(second, written)
    assert not is_of(first, written[:-1])
    assert not is_of(first, "")
    assert not is_of(replace(first, hashed="rubbish"), written)
    assert written != other


def test_tokens_differ_and_names_do_not_repeat(tmp_path: Path) -> None:
    file = TokenFile(tmp_path)
    file.add("one", [Scope.READ], NOW, NOW + 60)
    with pytest.raises(TokenError, match="there is a token 'one' already"):
        file.add("one", [Scope.ADMIN], NOW, None)
    (token,) = file.read()
    assert (token.is_over(NOW + 59), token.is_over(NOW + 60)) == (False, True)


def test_who_is_revoked_is_gone_and_the_file_stays(tmp_path: Path) -> None:
    file = TokenFile(tmp_path)
    file.add("one", [Scope.READ], NOW, None)
    assert file.revoke("one")
    assert not file.revoke("one")
    assert file.read() == ()
    assert file.stamp() is not None


def test_every_change_is_seen(tmp_path: Path) -> None:
    file = TokenFile(tmp_path)
    stamps = [file.stamp()]
    for name in ("a", "b"):
        file.add(name, [Scope.READ], NOW, None)
        stamps.append(file.stamp())
    file.revoke("b")
    stamps.append(file.stamp())
    assert len(set(stamps)) == 4


def test_changes_at_once_do_not_lose_each_other(tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        names = [f"n{each}" for each in range(12)]
        list(pool.map(lambda name: TokenFile(tmp_path).add(name, [Scope.READ], NOW, None), names))
    assert {each.name for each in TokenFile(tmp_path).read()} == set(names)
    assert sorted(os.listdir(tmp_path)) == ["tokens.json"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_a_file_that_others_may_use_is_refused(tmp_path: Path, mode: int) -> None:
    file = TokenFile(tmp_path)
    file.add("one", [Scope.READ], NOW, None)
    file.path.chmod(mode)
    for use in (file.read, file.stamp, lambda: file.add("two", [Scope.READ], NOW, None)):
        with pytest.raises(TokenError, match="chmod 600"):
            use()


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[]", "null", '{"tokens": 1}', '{"tokens": [1]}', '{"tokens": [{"id": "x"}]}', "\xff",
     '{"tokens": [{"id": "a", "name": "b", "scopes": ["root"], "hash": "", "created": 1, "expires": null}]}'],
)  # fmt: skip
def test_rubbish_is_one_clear_error_and_is_left_alone(tmp_path: Path, text: str) -> None:
    file = TokenFile(tmp_path)
    file.path.write_text(text, "latin-1")
    file.path.chmod(0o600)
    with pytest.raises(TokenError, match="no list of tokens"):
        file.read()
    with pytest.raises(TokenError):
        file.add("one", [Scope.READ], NOW, None)
    assert file.path.read_text("latin-1") == text


def test_the_form_of_the_file(tmp_path: Path) -> None:
    file = TokenFile(tmp_path)
    file.add("one", [Scope.SILENCE, Scope.READ], NOW, NOW + 1)
    kept = json.loads(file.path.read_text())
    (token,) = kept["tokens"]
    assert kept["version"] == 1
    assert set(token) == {"id", "name", "scopes", "hash", "created", "expires", "consumer"}
    assert (token["scopes"], token["created"], token["expires"]) == (["read", "silence"], NOW, NOW + 1)
