"""The tokens that may ask this keeptime: a file of hashes beside the store.

Guarantees: a token is told once, when it is made; what is kept is its argon2id hash. A change is one rename, so
whoever reads meanwhile sees the old file or the new one; two changes at once do not lose each other. A file that
others may read or write is refused. Works while a daemon runs on the store, and where the store cannot be had.
"""

import base64
import fcntl
import json
import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from keeptime.errors import TokenError
from keeptime.model.token import Scope, Token, spell

FILE = "tokens.json"
MOST = 1000
"""Tokens of one file."""

LARGEST = 1024 * 1024
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
"""OWASP's least for argon2id. A token has 256 bits, so nobody guesses it: the cost is what a leaked file still
asks, and what every first use of a token takes (some 20 ms)."""

Stamp = tuple[int, int, int, int]
"""What changes whenever the file does."""


@dataclass(frozen=True, slots=True)
class TokenFile:
    """`directory`: the store's."""

    directory: Path

    @property
    def path(self) -> Path:
        return self.directory / FILE

    def stamp(self) -> Stamp | None:
        """Of the file as it is now; None where there is none. Raises TokenError."""
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise TokenError(f"{self.path}: it cannot be read ({error.strerror})") from error
        if found.st_mode & 0o077 or found.st_uid not in (0, os.geteuid()):
            raise TokenError(f"{self.path}: others may use it; expected a file of this user's alone (chmod 600)")
        return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns

    def read(self) -> tuple[Token, ...]:
        """Every token, in the order in which they were made; none where there is no file. Raises TokenError."""
        if self.stamp() is None:
            return ()
        try:
            with self.path.open("rb") as file:
                kept = json.loads(file.read(LARGEST))
            return tuple(_token(each) for each in kept["tokens"])
        except OSError as error:
            raise TokenError(f"{self.path}: it cannot be read ({error.strerror})") from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise TokenError(
                f"{self.path}: this is no list of tokens as keeptime writes it; "
                "move it away and make the tokens anew"
            ) from error

    def add(self, name: str, scopes: Sequence[Scope], now: float, expires: float | None, consumer: str = "") -> str:
        """A new token, as it is handed out; `consumer`: of a link to this one's status page. Raises TokenError for
        a name that is there, and where it cannot be kept."""
        identity, secret = secrets.token_hex(6), _secret()
        written = spell(identity, secret)
        token = Token(identity, name, frozenset(scopes), _HASHER.hash(written), now, expires, consumer)
        with self._changing() as tokens:
            if any(each.name == name for each in tokens):
                raise TokenError(f"there is a token '{name}' already; revoke it first, or give another name")
            if len(tokens) >= MOST:
                raise TokenError(f"there are {MOST} tokens already; revoke some first")
            self._write((*tokens, token))
        return written

    def revoke(self, name: str) -> bool:
        """Was there such a token? It is gone now; the file stays, so that nobody is let in unasked."""
        with self._changing() as tokens:
            left = tuple(each for each in tokens if each.name != name)
            if len(left) < len(tokens):
                self._write(left)
            return len(left) < len(tokens)

    @contextmanager
    def _changing(self) -> Iterator[tuple[Token, ...]]:
        try:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(self.directory, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise TokenError(f"{self.directory}: it cannot be used ({error.strerror}); give --data") from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield self.read()
        finally:
            os.close(lock)

    def _write(self, tokens: Sequence[Token]) -> None:
        text = json.dumps({"version": 1, "tokens": [_json(each) for each in tokens]}, indent=1)
        temporary = self.path.with_suffix(".new")
        try:
            with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "w") as file:
                os.fchmod(file.fileno(), 0o600)
                file.write(text + "\n")
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self.path)
            _keep_name(self.directory)
        except OSError as error:
            raise TokenError(f"{self.path}: it cannot be written ({error.strerror})") from error


def is_of(token: Token, written: str) -> bool:
    """Is this the token that was handed out? Takes some 20 ms of a processor, and compares in constant time."""
    try:
        return _HASHER.verify(token.hashed, written)
    except (VerificationError, InvalidHashError):
        return False


def _secret() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("=")


def _keep_name(directory: Path) -> None:
    """A rename is on the disk once its directory is."""
    opened = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _json(token: Token) -> dict[str, Any]:
    return {
        "id": token.id,
        "name": token.name,
        "scopes": sorted(token.scopes),
        "hash": token.hashed,
        "created": token.created,
        "expires": token.expires,
        "consumer": token.consumer,
    }


def _token(kept: dict[str, Any]) -> Token:
    expires = kept["expires"]
    return Token(
        id=str(kept["id"]),
        name=str(kept["name"]),
        scopes=frozenset(map(Scope, kept["scopes"])),
        hashed=str(kept["hash"]),
        created=float(kept["created"]),
        expires=None if expires is None else float(expires),
        consumer=str(kept.get("consumer", "")),
    )
