"""The fields of `policy`: which decision rule judges, with its terms."""

from dataclasses import dataclass

from keeptime.contract.kinds import Choice, Duration, Number
from keeptime.contract.lists import ListOf
from keeptime.contract.nodes import Mapped, Node, Scalar
from keeptime.contract.report import Report
from keeptime.contract.shapes import Field, Row, Schema, Table, wrong_type
from keeptime.contract.terms import Policy, PolicyKind, Tier
from keeptime.model.verdict import Severity

DEFAULT_POLICY = Policy(PolicyKind.BUCKETS)

SEVERITY = Field("severity", Choice(Severity), "page wakes someone now, ticket can wait.", required=True)
LONG = Field("long", Duration(1, 366 * 86_400, "1h"), "The long window: is it really so?", required=True)
SHORT = Field("short", Duration(1, 366 * 86_400, "5m"), "The short window: is it still so?", required=True)
FACTOR = Field("factor", Number(1_000_000), "Fires when both windows burn faster than this.", required=True)


def _tier(row: Row) -> Tier:
    tier = Tier(row.need(SEVERITY), row.need(LONG), row.need(SHORT), row.need(FACTOR))
    if tier.short >= tier.long:
        message = f"{row.what}: the short window is not shorter than the long one"
        raise row.report.spoil(row.place_of(SHORT), "windows-crossed", message)
    return tier


TIER_TABLE = Table("tier", "One multi-window burn-rate tier.", (SEVERITY, LONG, SHORT, FACTOR), _tier)
TIERS = Field(
    "tiers",
    ListOf(TIER_TABLE, "tiers", most=8),
    "The tiers, instead of the published ones.",
    default="14.4 over 1h and 5m, 6 over 6h and 30m (page); "
    "3 over 1d and 2h, 1 over 3d and 6h (ticket); scaled to the objective's window",
)
WINDOW = Field("window", Duration(10, 86_400, "5m"), "The share of good requests is taken over this.", default="5m")
HOLD = Field("hold", Duration(10, 86_400, "10m"), "It must stay below the target this long.", default="10m")

BURN_RATE_TABLE = Table(
    "burn-rate",
    "Multi-window burn rates.",
    (TIERS,),
    lambda row: Policy(PolicyKind.BURN_RATE, tiers=row.get(TIERS, ())),
)
SUSTAINED_TABLE = Table(
    "sustained",
    "The share of good requests stays below the target.",
    (WINDOW, HOLD),
    lambda row: Policy(PolicyKind.SUSTAINED, window=row.get(WINDOW, 300.0), hold=row.get(HOLD, 600.0)),
)
BURN_RATE = Field("burn-rate", BURN_RATE_TABLE, "Multi-window burn rates, with terms of your own.")
SUSTAINED = Field("sustained", SUSTAINED_TABLE, "The share of good requests stays below the target for some time.")


def _long_policy(row: Row) -> Policy:
    burn, sustained = row.find(BURN_RATE), row.find(SUSTAINED)
    if (burn is None) == (sustained is None):
        message = f"{row.what}: expected exactly one of burn-rate and sustained"
        raise row.report.spoil(row.place, "wrong-type", message)
    found = burn or sustained
    assert found is not None
    return found.value


POLICY_TABLE = Table("policy", "A decision rule with its terms.", (BURN_RATE, SUSTAINED), _long_policy)


@dataclass(frozen=True)
class PolicyShape:
    """A rule's name, or a mapping of it to its terms."""

    expected: str = "buckets, burn-rate or sustained, or a mapping with the rule's terms"
    names: Choice[PolicyKind] = Choice(PolicyKind, "unknown-policy")  # noqa: RUF009

    def read(self, node: Node, report: Report, what: str) -> Policy:
        if isinstance(node, Mapped):
            if not node.entries:
                wrong_type(node, report, what, self.expected)
            return POLICY_TABLE.read(node, report, what)
        if not isinstance(node, Scalar):
            wrong_type(node, report, what, self.expected)
        return Policy(self.names.read(node, report, what))

    def tables(self) -> tuple[Table[object], ...]:
        return (POLICY_TABLE,)

    def schema(self) -> Schema:
        return {"anyOf": [self.names.schema(), {**POLICY_TABLE.schema(), "minProperties": 1, "maxProperties": 1}]}
