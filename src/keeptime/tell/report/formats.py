"""The forms of a report: one file each, and one line here.

Guarantees: the same report gives the same bytes. A form's module is imported when it is asked for alone.
"""

from collections.abc import Callable
from importlib import import_module
from pathlib import PurePath
from typing import cast

from keeptime.errors import UsageError
from keeptime.tell.report.values import Report

FORMATS = {
    "html": "keeptime.tell.report.as_html",
    "pdf": "keeptime.tell.report.as_pdf",
    "md": "keeptime.tell.report.as_markdown",
    "json": "keeptime.tell.report.as_json",
    "csv": "keeptime.tell.report.as_csv",
}
"""The module whose `render` makes it, by the ending of a file's name."""


def format_of(file: str) -> str:
    """By its ending. Raises UsageError."""
    ending = PurePath(file).suffix.removeprefix(".").lower()
    if ending not in FORMATS:
        raise UsageError(f"-o {file}: expected a name that ends in {', '.join('.' + each for each in FORMATS)}")
    return ending


def render(report: Report, form: str) -> bytes:
    """Raises UsageError where what it needs is not installed."""
    made = cast(Callable[[Report], bytes], import_module(FORMATS[form]).render)
    return made(report)
