"""A file that is written whole or not at all."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from keeptime.errors import KeeptimeError


class Refused(KeeptimeError):
    """There will be no file; the message says why and what helps."""


def write_whole(output: str, text: str, *, force: bool) -> None:
    """This text, as `write_bytes` does it."""
    write_bytes(output, text.encode(), force=force)


def write_bytes(output: str, content: bytes, *, force: bool) -> None:
    """All of the file or none of it; without `force` never over another one, not even one just made.

    Raises Refused.
    """
    path = Path(output)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise Refused(f"{output} cannot be written: {error.strerror}") from None
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)
        if force:
            Path(temporary).replace(path)
        else:
            os.link(temporary, path)
    except FileExistsError:
        raise Refused(f"{output} has come to be there meanwhile; it is left as it is") from None
    except OSError as error:
        raise Refused(f"{output} cannot be written: {error.strerror}") from None
    finally:
        with suppress(FileNotFoundError):
            Path(temporary).unlink()
