"""A directory of exported files that is written whole or not at all.

Guarantees: what is there is never half of an export; nothing that was there before is overwritten unless asked for,
and nothing else in it is touched.
"""

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from keeptime.errors import KeeptimeError


class ExportRefused(KeeptimeError):
    """Nothing was written; the message says why and what helps."""


def write_directory(directory: Path, files: Mapping[str, str], *, force: bool) -> None:
    """All of the files or none. With `force` into a directory that exists too. Raises ExportRefused."""
    if directory.exists() and not force:
        raise ExportRefused(f"{directory} exists; choose another directory, or say --force to write into it")
    if directory.exists() and not directory.is_dir():
        raise ExportRefused(f"{directory} is a file; expected a directory")
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(dir=directory.parent, prefix=f".{directory.name}."))
    except OSError as error:
        raise ExportRefused(f"{directory} cannot be written: {error.strerror}") from None
    try:
        _stage(staging, files)
        _publish(staging, directory, files, force=force)
    except OSError as error:
        raise ExportRefused(f"{directory} cannot be written: {error.strerror}") from None
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _stage(staging: Path, files: Mapping[str, str]) -> None:
    staging.chmod(0o755)
    for name, text in files.items():
        path = staging / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _publish(staging: Path, directory: Path, files: Mapping[str, str], *, force: bool) -> None:
    """One rename where there is nothing yet (it fails where something has come to be meanwhile); else one per file,
    each whole."""
    if not force or not directory.exists():
        staging.rename(directory)
        return
    for name in files:
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        os.replace(staging / name, path)
