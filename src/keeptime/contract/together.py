"""The field `together`: promises that hold when several objectives hold.

Guarantees: every member is an objective that was promised, named once; nothing new is judged. What such a promise
comes to is said by `keeptime.judge.together`.
"""

from collections.abc import Mapping, Sequence

from keeptime.contract.credits import Share
from keeptime.contract.kinds import Label
from keeptime.contract.lists import ListOf, WithPlaces
from keeptime.contract.nodes import Place
from keeptime.contract.report import Report, nearest, quote
from keeptime.contract.shapes import Field, Placed, Row, Table
from keeptime.contract.terms import Objective, Together

MOST_TOGETHER = 20
MOST_MEMBERS = 50
Drawn = tuple[Together, tuple[Placed[str], ...]]
"""A promise, and its members with their places."""

NAME = Field("name", Label("name", dotted=True), "What the promise is called.", required=True)
ALL = Field(
    "all",
    WithPlaces(ListOf(Label("name", dotted=True), "names of objectives", MOST_MEMBERS, least=2)),
    "Names of the objectives that must all hold.",
    required=True,
)
CREDIT = Field("credit", Share(), "What is due when it is missed, whatever by.", default="none")


def _together(row: Row) -> Drawn:
    members = row.need(ALL)
    return Together(row.need(NAME), tuple(each.value for each in members), row.get(CREDIT, None)), members


TOGETHER_TABLE = Table(
    "together", "A promise that holds when several objectives hold.", (NAME, ALL, CREDIT), _together
)
TOGETHER = Field(
    "together",
    WithPlaces(ListOf(TOGETHER_TABLE, "promises", MOST_TOGETHER)),
    "Promises that hold when all of several objectives hold.",
    default="none",
)


def together(row: Row, objectives: Sequence[Objective]) -> tuple[Together, ...]:
    """The promises of a contract of these objectives; reports what is wrong with them."""
    found = row.find(TOGETHER)
    drawn = () if found is None else found.value
    known = {each.name: each for each in objectives}
    names: dict[str, Place] = {}
    for each in drawn:
        promise, members = each.value
        _check_name(promise.name, each.place, known, names, row.report)
        _check_members(promise.name, members, known, row.report)
        names.setdefault(promise.name, each.place)
    return tuple(each.value[0] for each in drawn)


def _check_name(
    name: str, place: Place, known: Mapping[str, Objective], names: Mapping[str, Place], report: Report
) -> None:
    if name in known:
        message = f"together: '{name}' is the name of an objective; give this promise another name"
        report.error(place, "duplicate-name", message)
    elif name in names:
        message = f"two promises are named '{name}' (the first in line {names[name].line}); give one another name"
        report.error(place, "duplicate-name", message)


def _check_members(
    name: str, members: Sequence[Placed[str]], known: Mapping[str, Objective], report: Report
) -> None:
    seen: set[str] = set()
    promised = [each.name for each in known.values() if not each.internal]
    for member in members:
        if member.value in seen:
            report.error(member.place, "duplicate-name", f"{name}: {quote(member.value)} is here twice")
        elif member.value not in known:
            hint = nearest(member.value, promised)
            message = f"{name}: there is no objective {quote(member.value)}{hint}"
            report.error(member.place, "unknown-objective", message)
        elif known[member.value].internal:
            message = f"{name}: {quote(member.value)} is internal; expected objectives that were promised"
            report.error(member.place, "internal-member", message)
        seen.add(member.value)
