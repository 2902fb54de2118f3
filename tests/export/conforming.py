"""One stream of requests, judged twice: by the embedded judge, and by the exported rules in Prometheus' own engine.

Scripts are in the language of `tests/judge/scenario.py`, with two lines more:

    zone Etc/GMT-14              the time zone of a calendar window; promtool's clock begins at 1970-01-01 UTC
    unscraped load 3m bad 5%     the requests happen, but every scrape fails until the last evaluation of the part

A `restart` sets the counters back to 0. In a `gap` keeptime does not run, so its series are gone, and there is no
judge to compare with until it is back. `promtool test rules` evaluates the rules at every tick; where a standing or
an alert differs from the judge's, the number of such ticks is not 0 and the test fails.
"""

import json
import re
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from keeptime.contract.terms import Calendar
from keeptime.export.prometheus.compile import Options, compile_group
from keeptime.export.prometheus.names import BUDGET_LEFT, BURN, SLI, STANDING, TARGET
from keeptime.export.prometheus.rules import rule_file
from keeptime.export.prometheus.stage import compact
from keeptime.judge.standing import CONDITION, SEVERITY, Standing
from tests.judge import scenario
from tests.judge.build import Stream

Ints = NDArray[np.int64]
FIGURES = {SLI, BURN, BUDGET_LEFT, TARGET}
"""Nothing is decided from these; without them promtool is a third faster."""
AT_ONCE = 1500
"""Ticks that one expression looks back on; promtool's engine takes no more than some thousand samples."""


class Seen(scenario.Play):
    """A play that also notes what Prometheus gets to see."""

    def __init__(self, terms: scenario.Terms) -> None:
        super().__init__(terms)
        self.resets: set[int] = set()
        self.unseen: set[int] = set()

    @property
    def tick(self) -> int:
        return sum(part.ticks for part in self.parts)

    def restart(self) -> None:
        self.resets.add(self.tick)
        super().restart()

    def feed(self, part: Stream, killed_every: float | None = None) -> None:
        first = self.tick
        super().feed(part, killed_every)
        if not part.lived.any():
            self.unseen |= set(range(first, first + part.ticks))
            self.resets.add(first + part.ticks)

    def unscraped(self, part: Stream) -> None:
        """All of its requests are seen at its last tick, and then by the judge too."""
        first = self.tick
        late = [np.zeros_like(counts) for counts in (part.good, part.bad, part.skipped)]
        for counts, whole in zip(late, (part.good, part.bad, part.skipped), strict=True):
            counts[:, -1] = whole.sum(axis=1)
        self.feed(Stream(late[0], late[1], late[2], part.lived))
        self.unseen |= set(range(first, first + part.ticks - 1))


def played(case: scenario.Case) -> Seen:
    """The case as it goes; what a script expects of the judge alone is left to the judge's own tests."""
    bound, rest = scenario.split(replace(case, lines=tuple(each for each in case.lines if not _zone(each))))
    terms = scenario.Terms()
    for line in bound:
        scenario.bind(terms, line)
    for zone in filter(None, map(_zone, case.lines)):
        assert isinstance(terms.over, Calendar), "a zone is for a calendar window"
        terms.over = replace(terms.over, timezone=zone)
    play = Seen(terms)
    for line in rest:
        if line.text.startswith("unscraped "):
            aside = Seen(terms)
            scenario.happen(aside, line, line.text.removeprefix("unscraped "))
            play.unscraped(aside.parts[0])
        elif not line.text.startswith("expect "):
            scenario.happen(play, line, line.text)
    return play


def _zone(line: scenario.Line) -> str:
    """The time zone that a line names, "" if it says something else."""
    return line.text.removeprefix("zone ") if line.text.startswith("zone ") else ""


def counter(amounts: Ints, play: Seen) -> list[int | None]:
    """What is scraped at each evaluation, beginning at 0."""
    values: list[int | None] = [0]
    total = 0
    for tick, amount in enumerate(amounts.tolist()):
        total = amount if tick in play.resets else total + amount
        values.append(None if tick in play.unseen else total)
    return values


def raw_series(play: Seen) -> list[dict[str, str]]:
    """keeptime's own counters."""
    key = play.plan.keys[0]
    name = f'keeptime_objective_requests_total{{contract="{key.contract}",objective="{key.objective}",result='
    good, bad = (np.concatenate([getattr(part, name)[0] for part in play.parts]) for name in ("good", "bad"))
    counted = {f'{name}"good"}}': counter(good, play), f'{name}"bad"}}': counter(bad, play)}
    return [{"series": series, "values": compact(values)} for series, values in counted.items()]


def test_file(play: Seen) -> dict[str, object]:
    """The test for promtool."""
    seconds, key = round(play.terms.tick), play.plan.keys[0]
    lived = np.concatenate([part.lived for part in play.parts])
    standing = np.concatenate(play.since_load)
    judged = [None, *(int(code) if alive else None for code, alive in zip(standing, lived, strict=True))]
    series = [*raw_series(play), {"series": f'judged{{slo="{key}"}}', "values": compact(judged)}]
    return {
        "rule_files": ["rules.yml"],
        "evaluation_interval": f"{seconds}s",
        "tests": [
            {
                "interval": f"{seconds}s",
                "input_series": series,
                "promql_expr_test": list(_comparisons(len(standing), seconds, str(key))),
            }
        ],
    }


def _comparisons(ticks: int, seconds: int, key: str) -> "list[dict[str, object]]":
    found = []
    for last in range(ticks, 0, -AT_ONCE):
        back = f"[{min(last, AT_ONCE) * seconds}s:{seconds}s]"
        for differs in (f"{STANDING} != bool on (slo) judged_now", *map(_alert_differs, Standing)):
            expr = f"sum_over_time((sum by (slo) ({differs.replace('judged_now', _now(seconds))})){back})"
            samples = [{"labels": f'{{slo="{key}"}}', "value": 0}]
            found.append({"expr": expr, "eval_time": f"{last * seconds}s", "exp_samples": samples})
    return found


def _now(seconds: int) -> str:
    """What the judge says at this very tick; nothing where there is no judge."""
    return f"(judged and (timestamp(judged) > time() - {seconds}))"


def _alert_differs(standing: Standing) -> str:
    """1 where the alert of this standing fires and the judge does not say so, or the other way round."""
    condition, severity = CONDITION[standing], SEVERITY[standing]
    matchers = f'condition="{condition}",alertstate="firing"' + (f',severity="{severity}"' if severity else "")
    fires = f"(sum by (slo) (ALERTS{{{matchers}}}) or on (slo) 0 * sum by (slo) (judged_now))"
    return f"{fires} != bool on (slo) sum by (slo) (judged_now == bool {_told(standing)})"


def _told(standing: Standing) -> int:
    """The standing whose alert it is; ok has none, so nothing may fire for it."""
    return int(standing) if standing is not Standing.OK else -1


def conform(case: scenario.Case, folder: Path) -> None:
    """Raises AssertionError with promtool's words where the two differ."""
    compare(case.name, played(case), folder)


def compare(name: str, play: Seen, folder: Path) -> None:
    """The same of what was played."""
    row = play.plan.rows[0]
    group = compile_group("conformance", [row.contract], Options(round(play.terms.tick), 2026))
    deciding = tuple(rule for rule in group.rules if getattr(rule, "record", "") not in FIGURES)
    (folder / "rules.yml").write_text(rule_file([replace(group, rules=deciding)]))
    (folder / "test.yml").write_text(json.dumps(test_file(play)))
    done = subprocess.run(["promtool", "test", "rules", "test.yml"], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, f"{name}: {re.sub(chr(10) + '+', chr(10), done.stdout + done.stderr)}"
