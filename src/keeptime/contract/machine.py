"""What a contract needs of the machine it is kept on: secrets that have a value, certificates that are there."""

from pathlib import Path

from keeptime.contract.load import Document
from keeptime.contract.report import Reference
from keeptime.contract.secrets import resolve
from keeptime.errors import Problem, SecretError


def lacking(document: Document) -> tuple[Problem, ...]:
    """A warning per reference that has no value on this machine; values are read and forgotten."""
    found = ((reference, _why(reference)) for reference in document.references)
    return tuple(_warning(document.file, reference, why) for reference, why in found if why)


def _why(reference: Reference) -> str:
    """What is wrong with a reference here, "" if nothing is."""
    if reference.secret:
        try:
            resolve(reference.ref)
        except SecretError as error:
            return str(error)
        return ""
    try:
        with Path(reference.ref.name).open("rb"):
            return ""
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "no valid path"
        return f"{reference.ref.name} cannot be read: {why}"


def _warning(file: str, reference: Reference, why: str) -> Problem:
    message = f"{reference.what}: {why} (on this machine)"
    return Problem(file, reference.place.line, reference.place.column, "warning", "no-value", message)
