"""What every page has in common: its head, where one can go from here, and how a template becomes HTML.

Guarantees: every value is escaped; a template that asks for what is not there fails in its test, not in silence.
"""

from dataclasses import dataclass
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from keeptime import __version__

ENVIRONMENT = Environment(
    loader=PackageLoader("keeptime.web"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)

PLACES = (("/", "Overview"), ("/incidents", "Incidents"), ("/deliveries", "Deliveries"), ("/ledger", "Ledger"))
"""What can be gone to from everywhere."""


@dataclass(frozen=True, slots=True)
class Frame:
    """`here`: the place among PLACES that this page belongs to. `at`: of when it is, for people. `live`: does it
    ask for itself again when there is something new? `carried`: the query that links to other places keep (the
    zone)."""

    title: str
    here: str
    at: str
    live: bool = True
    carried: str = ""
    places: tuple[tuple[str, str], ...] = PLACES
    version: str = __version__


def rendered(template: str, frame: Frame, **values: Any) -> str:
    """The page as HTML."""
    return ENVIRONMENT.get_template(template).render(frame=frame, **values)
