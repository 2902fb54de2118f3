"""The pages for people, as they are described.

Guarantees: as in `keeptime.web.api.routes`.
"""

from dataclasses import replace

from keeptime.web.api.described import CONTRACT, STORE, WRONG, Described, Parameter
from keeptime.web.api.shapes import TEXT

ZONE = Parameter("tz", {**TEXT, "maxLength": 60}, "A time zone, such as Europe/Berlin; UTC unless given.")

PAGES = (
    Described(
        "GET", "/contracts/{contract}", "One contract for people: how it stands, what it can detect, what it says.",
        media=("text/html",), parameters=(replace(CONTRACT, place="path"), ZONE),
        refusals=(WRONG, (404, "No contract has this name."), STORE),
    ),
)  # fmt: skip
"""In the order of the access table."""
