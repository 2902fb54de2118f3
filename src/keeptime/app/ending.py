"""Alerts of objectives that are judged no more: how each ends, and who is told.

Guarantees: where only the dates of its terms are over, an alert ends and nothing is told, for nothing recovered;
where no contract has the objective any more, or a segment rests, `withdrawn` is told of an alert that fires. What
it returns belongs into one transaction.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from keeptime.contract.segments import objective_named
from keeptime.contract.terms import Contract
from keeptime.model.alert import AlertRow, AlertState, Heard, Message
from keeptime.model.key import ObjectiveKey
from keeptime.tell.life import Step, ended, gone
from keeptime.tell.withdraw import Gone, withdrawn

HeardOf = Callable[[Sequence[AlertRow]], Mapping[ObjectiveKey, Heard]]
"""What was told of the alerts of these rows; those of which nothing was told are absent."""


@dataclass(frozen=True, slots=True)
class Ending:
    """Rows that changed, and what is told of them."""

    rows: tuple[AlertRow, ...] = ()
    messages: tuple[Message, ...] = ()

    def __add__(self, other: "Ending") -> "Ending":
        return Ending(self.rows + other.rows, self.messages + other.messages)


def ending(
    alerts: Mapping[ObjectiveKey, AlertRow],
    contracts: Sequence[Contract],
    judged: Collection[ObjectiveKey],
    heard_of: HeardOf,
    at: float,
) -> Ending:
    """Of these alerts, the ends of those that these contracts do not have `judged`. `at`: Unix seconds."""
    known = {each.key(one) for each in contracts for one in each.objectives}
    dated = known.difference(judged)
    open_ = [row for key, row in alerts.items() if key not in judged and row.state is not AlertState.INACTIVE]
    over = [ended(row, at) for row in open_ if _whole(row.key) in dated]
    removed = [row for row in open_ if _whole(row.key) not in dated]
    steps = {row.key: gone(row, at) for row in removed}
    told = [row for row in removed if steps[row.key][1] is Step.WITHDRAW]
    heard = heard_of(told) if told else {}
    names = {each.name for each in contracts}
    messages = [
        withdrawn(row, heard[row.key], at, gone=_gone(row.key, names, judged)) for row in told if row.key in heard
    ]
    return Ending((*over, *(row for row, _ in steps.values())), tuple(messages))


def _whole(key: ObjectiveKey) -> ObjectiveKey:
    """The objective of which this is a segment, or itself."""
    return ObjectiveKey(key.contract, objective_named(key.objective))


def _gone(key: ObjectiveKey, names: Collection[str], judged: Collection[ObjectiveKey]) -> Gone:
    if key.contract not in names:
        return Gone.CONTRACT
    return Gone.REQUESTS if _whole(key) in judged else Gone.OBJECTIVE
