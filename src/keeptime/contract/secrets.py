"""What `env:NAME` and `file:PATH` refer to.

Guarantees: a value is read when it is asked for, and kept nowhere but where it is taken out of texts; an error
names the reference, never the value.
"""

import os
from pathlib import Path

from keeptime.contract.probed import SecretRef
from keeptime.errors import SecretError
from keeptime.redaction import remember

LARGEST = 65_536
"""Bytes of a secret's file."""


def resolve(ref: SecretRef | str, *, secret: bool = True) -> str:
    """The value, without one trailing newline; `secret`: no text may show it. Raises SecretError if none."""
    source, name = _parts(ref)
    value = _from_env(name) if source == "env" else _from_file(name)
    value = value[:-1] if value.endswith("\n") else value
    if not value:
        raise SecretError(f"{source}:{name} is empty; expected a value")
    if secret:
        remember(value)
    return value


def _parts(ref: SecretRef | str) -> tuple[str, str]:
    if isinstance(ref, SecretRef):
        return ref.source, ref.name
    source, colon, name = ref.partition(":")
    if not colon or not name or source not in ("env", "file"):
        raise SecretError("this is no reference; expected env:NAME or file:PATH")
    return source, name


def _from_env(name: str) -> str:
    value = os.environ.get(name)
    if value is None:
        raise SecretError(f"env:{name} has no value: the environment variable {name} is not set")
    return value


def _from_file(name: str) -> str:
    try:
        with Path(name).open("rb") as file:
            data = file.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "no valid path"
        raise SecretError(f"file:{name} has no value: {why}") from None
    if len(data) > LARGEST:
        raise SecretError(f"file:{name} is larger than 64 KiB; expected a secret")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise SecretError(f"file:{name} is not UTF-8 text") from None
