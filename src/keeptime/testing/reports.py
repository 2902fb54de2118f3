"""Reports that were put in: stands in wherever `Reports` are wanted.

Guarantees: a report comes in the form that is asked for, as it was put in; `wrong` is raised instead, where it
is set.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from keeptime.app.happened import Unknown
from keeptime.app.reports import MadeReport
from keeptime.errors import KeeptimeError
from keeptime.tell.report.formats import render
from keeptime.tell.report.values import Report


@dataclass(slots=True)
class FakeReports:
    """`reports` by contract, period and consumer; `asked`: of each call, these and the form."""

    reports: Mapping[tuple[str, str, str], Report] = field(default_factory=dict)
    asked: list[tuple[str, str, str, str]] = field(default_factory=list)
    wrong: KeeptimeError | None = None

    async def report(self, contract: str, period: str, consumer: str, form: str) -> MadeReport:
        self.asked.append((contract, period, consumer, form))
        if self.wrong is not None:
            raise self.wrong
        found = self.reports.get((contract, period, consumer))
        if found is None:
            raise Unknown(f"nothing is kept of {contract} in {period} for '{consumer}'")
        return MadeReport(render(found, form), found.state)
