"""Whose token it is: at once after a change, not for longer than it holds, and without asking argon2 each time."""

import asyncio
import logging
from dataclasses import dataclass
from pathlib import Path

import pytest

from keeptime.app import rights as module
from keeptime.app.rights import REMEMBERED_SECONDS, Rights
from keeptime.errors import TokenError
from keeptime.model.token import Scope, Token
from keeptime.store.tokens import TokenFile, is_of


@dataclass
class Set:
    """A clock that is set."""

    now: float = 1_800_000_000.0

    def wall_ns(self) -> int:
        return round(self.now * 1e9)

    monotonic_ns = wall_ns


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of tokens that were worked out; argon2 itself is not replaced."""
    seen: list[str] = []

    def counting(token: Token, written: str) -> bool:
        seen.append(token.name)
        return is_of(token, written)

    monkeypatch.setattr(module, "is_of", counting)
    return seen


def made(tmp_path: Path, always: bool = False) -> tuple[TokenFile, Set, Rights]:
    file, clock = TokenFile(tmp_path), Set()
    return file, clock, Rights(file, clock, always)


def test_nobody_is_asked_until_there_is_a_file_and_then_for_good(tmp_path: Path) -> None:
    file, clock, rights = made(tmp_path)
    assert not rights.asked()
    file.add("one", [Scope.READ], clock.now, None)
    assert rights.asked()
    file.path.unlink()
    assert rights.asked()
    assert not Rights(file, clock).asked()
    assert Rights(file, clock, always=True).asked()


def test_an_owner_is_worked_out_once_and_then_remembered_for_a_while(tmp_path: Path, hashed: list[str]) -> None:
    file, clock, rights = made(tmp_path)
    written = file.add("one", [Scope.READ], clock.now, None)

    async def ask() -> str | None:
        owner = await rights.owner(written)
        return owner and owner.name

    assert not rights.remembers(written)
    assert [asyncio.run(ask()) for _ in range(3)] == ["one"] * 3
    assert hashed == ["one"]
    assert rights.remembers(written)
    assert written not in repr(rights)
    clock.now += REMEMBERED_SECONDS
    assert asyncio.run(ask()) == "one"
    assert hashed == ["one"] * 2


def test_another_token_of_the_same_id_is_not_taken_from_memory(tmp_path: Path) -> None:
    file, clock, rights = made(tmp_path)
    written = file.add("one", [Scope.READ], clock.now, None)
    forged = written[:-1] + ("A" if written[-1] != "A" else "B")

    async def ask() -> list[bool]:
        return [(await rights.owner(each)) is not None for each in (written, forged, written)]

    assert asyncio.run(ask()) == [True, False, True]


def test_an_unknown_id_costs_no_hash(tmp_path: Path, hashed: list[str]) -> None:
    file, clock, rights = made(tmp_path)
    file.add("one", [Scope.READ], clock.now, None)
    for odd in ("", "kt_", "x" * 500, "kt_" + "0" * 12 + "_" + "A" * 43, "\x00"):
        assert asyncio.run(rights.owner(odd)) is None
    assert hashed == []


def test_a_revocation_holds_at_once_and_so_does_an_end(tmp_path: Path) -> None:
    file, clock, rights = made(tmp_path)
    written = file.add("one", [Scope.READ], clock.now, None)
    short = file.add("short", [Scope.READ], clock.now, clock.now + 60)
    assert asyncio.run(rights.owner(written)) is not None
    assert asyncio.run(rights.owner(short)) is not None
    clock.now += 60
    assert asyncio.run(rights.owner(short)) is None
    assert asyncio.run(rights.owner(written)) is not None
    file.revoke("one")
    assert asyncio.run(rights.owner(written)) is None
    assert not rights.remembers(written)


def test_a_revocation_while_it_is_worked_out_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, clock, rights = made(tmp_path)
    written = file.add("one", [Scope.READ], clock.now, None)

    def meanwhile(token: Token, given: str) -> bool:
        file.revoke("one")
        return is_of(token, given)

    monkeypatch.setattr(module, "is_of", meanwhile)
    assert asyncio.run(rights.owner(written)) is None


def test_a_file_that_cannot_be_read_lets_nobody_in_and_says_so_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file, clock, rights = made(tmp_path)
    written = file.add("one", [Scope.READ], clock.now, None)
    assert asyncio.run(rights.owner(written)) is not None
    file.path.chmod(0o644)
    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            with pytest.raises(TokenError):
                asyncio.run(rights.owner(written))
            with pytest.raises(TokenError):
                rights.asked()
    assert len(caplog.records) == 1
    file.path.chmod(0o600)
    assert asyncio.run(rights.owner(written)) is not None


def test_the_loop_is_free_while_a_token_is_worked_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, clock, rights = made(tmp_path)
    written = file.add("one", [Scope.READ], clock.now, None)

    async def both() -> bool:
        free = asyncio.Event()
        loop = asyncio.get_running_loop()

        def waits_for_the_loop(token: Token, given: str) -> bool:
            loop.call_soon_threadsafe(free.set)
            return asyncio.run_coroutine_threadsafe(free.wait(), loop).result(10) and is_of(token, given)

        monkeypatch.setattr(module, "is_of", waits_for_the_loop)
        return await rights.owner(written) is not None

    assert asyncio.run(both())
