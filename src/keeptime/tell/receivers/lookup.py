"""Addresses and secrets by reference, resolved when a message is sent; the error names the reference alone."""

from keeptime.contract.secrets import resolve
from keeptime.errors import DeliveryError, SecretError

SOURCES = ("env:", "file:")


def looked_up(text: str, *, secret: bool = True) -> str:
    """The value of an `env:`/`file:` reference; any other text as it is. Raises DeliveryError where it has none."""
    if not text.startswith(SOURCES):
        return text
    try:
        return resolve(text, secret=secret).strip()
    except SecretError as error:
        raise DeliveryError(str(error)) from None
