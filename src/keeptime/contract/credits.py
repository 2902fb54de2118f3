"""Credits: the field `credits`, and what is due for an attainment.

Guarantees: exact; of several tiers the lowest that the attainment is below decides; no more than the cap is due.
Of an attainment known only within bounds, the least and the most that can be due. Knows no money and no clock.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from keeptime.contract.kinds import LONGEST_NUMBER, Percent, Text, text_of
from keeptime.contract.lists import ListOf
from keeptime.contract.nodes import Listing, Node, Place
from keeptime.contract.report import Report, quote
from keeptime.contract.shapes import Field, Placed, Schema, Table
from keeptime.contract.terms import Credits, CreditTier
from keeptime.model.compliance import Assessment, Basis, PeriodCounts
from keeptime.units import format_percent, parse_percent

MOST_TIERS = 20


@dataclass(frozen=True, slots=True)
class Due:
    """What is due, and by which tier; by none where nothing is due."""

    credit: Fraction
    tier: CreditTier | None


def credit_due(credits: Credits, attainment: Fraction) -> Due:
    """What is due for this share of good events (or intervals)."""
    reached = [tier for tier in credits.tiers if attainment < tier.below]
    if not reached:
        return Due(Fraction(0), None)
    tier = reached[-1]
    return Due(tier.credit if credits.cap is None else min(tier.credit, credits.cap), tier)


def credit_between(credits: Credits, low: Fraction, high: Fraction) -> tuple[Due, Due]:
    """The least and the most that is due for an attainment between these two."""
    return credit_due(credits, high), credit_due(credits, low)


def credit_for(credits: Credits, counts: PeriodCounts, basis: Basis, found: Assessment) -> tuple[Due, Due]:
    """The least and the most that is due for a period: exact where every request was counted."""
    if basis is Basis.COUNTED and counts.events:
        exact = Fraction(counts.good, counts.events)
        return credit_between(credits, exact, exact)
    return credit_between(credits, Fraction(found.low), Fraction(found.high))


@dataclass(frozen=True)
class Share:
    """A share of what is paid: above 0 %, at most 100 %."""

    expected: str = "a percentage above 0% and up to 100% such as 10%"

    def read(self, node: Node, report: Report, what: str) -> Fraction:
        scalar = text_of(node, report, what, self.expected)
        try:
            if len(scalar.text) > LONGEST_NUMBER:
                raise ValueError("too long")
            ratio = parse_percent(scalar.text)
        except ValueError:
            message = f"{what}: {quote(scalar.text)}; expected {self.expected}"
            raise report.spoil(scalar.place, "bad-percent", message) from None
        if not 0 < ratio <= 1:
            message = f"{what}: {quote(scalar.text)}; expected {self.expected}"
            raise report.spoil(scalar.place, "out-of-range", message)
        return ratio

    def schema(self) -> Schema:
        return {"type": "string", "pattern": r"^\d+(\.\d+)? ?%$", "examples": ["10%"]}


BELOW = Field("below", Percent(), "Due when the attainment of the period is below this.", required=True)
CREDIT = Field("credit", Share(), "How much is due.", required=True)
TIER_TABLE = Table(
    "credit tier",
    "One tier of credits.",
    (BELOW, CREDIT),
    lambda row: CreditTier(row.need(BELOW), row.need(CREDIT)),
)


def _in_order(tiers: Sequence[Placed[CreditTier]], report: Report, what: str) -> None:
    for one, following in pairwise(tiers):
        if following.value.below >= one.value.below:
            message = (
                f"{what}: below {format_percent(following.value.below)} after below "
                f"{format_percent(one.value.below)}; expected each tier below a smaller attainment"
            )
            report.error(following.place, "credits-order", message)
        elif following.value.credit <= one.value.credit:
            message = (
                f"{what}: a credit of {format_percent(following.value.credit)} after "
                f"{format_percent(one.value.credit)}; expected a larger credit for a smaller attainment"
            )
            report.error(following.place, "credits-order", message)


TIERS_SHAPE = ListOf(TIER_TABLE, "credit tiers", MOST_TIERS, across=_in_order)
TIERS = Field("tiers", TIERS_SHAPE, "The tiers, from the highest attainment down.", required=True)
CAP = Field("cap", Share(), "No more than this is due for a period.", default="the last tier's credit")
OF = Field("of", Text(), "What the credits are a share of; free text such as monthly fee.", default="not said")
CREDITS_TABLE = Table(
    "credits",
    "What is due when the objective is missed.",
    (TIERS, CAP, OF),
    lambda row: Credits(row.need(TIERS), row.get(CAP, None), row.get(OF, "")),
)


@dataclass(frozen=True)
class CreditsShape:
    """A list of tiers, or a mapping with tiers, cap and of."""

    expected: str = "a list of credit tiers such as {below: 99%, credit: 10%}, or a mapping with tiers"

    def read(self, node: Node, report: Report, what: str) -> Credits:
        if isinstance(node, Listing):
            return Credits(TIERS_SHAPE.read(node, report, what))
        return CREDITS_TABLE.read(node, report, what)

    def tables(self) -> tuple[Table[object], ...]:
        return (CREDITS_TABLE,)

    def schema(self) -> Schema:
        return {"anyOf": [TIERS_SHAPE.schema(), CREDITS_TABLE.schema()]}


CREDITS = Field("credits", CreditsShape(), "What is due by attainment when it is missed.", default="none")


def check_credits(credits: Credits, target: Fraction, place: Place, report: Report, what: str) -> None:
    """Raises Spoiled where credits would be due for an attainment that keeps the target."""
    first = credits.tiers[0].below
    if first > target:
        message = (
            f"{what}.credits: below {format_percent(first)} is above the target {format_percent(target)}, so a "
            "credit would be due for a promise that is met; expected at most the target"
        )
        raise report.spoil(place, "credits-above-target", message)
