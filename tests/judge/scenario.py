"""Scenario scripts: plain text that says what was promised, what happened, and what the judge must say.

Guarantees: a script is run through the same `advance` as everything else, and a mistake in one is reported with
file and line. One statement a line; `#` begins a remark; a `case` ends where the next begins.

    case NAME
      promise 99% of requests under 500ms over 28d     or: succeed over calendar month
      policy burn-rate                                 or: burn-rate page 1h/5m at 14.4; without a line, this
                                                       or: sustained 5m for 10m; or: buckets
      probe every 10s                                  or: no probes   (the expected rate is then what was seen)
      tick 10s            no_data after 3m             start 2026-01-31 23:00     (UTC; these have defaults)

      load 1h             good requests at the pace of the probes; then any of:
                          at 1000/min   bad 5%   bad 3 of 30   skipped 1 of 2   killed every 8s
      outage 10m          every request is bad; takes `at` and `killed every` too
      nothing 5m          no request is observed, though keeptime runs
      gap 5m              keeptime itself does not run
      restart             keeptime is ended and started again; counts and memory come back from the store
      repeat 6 times outage 1m then load 9m

      expect ok | at_risk [page|ticket] | broken | no_data               at the end of what has happened so far
      expect at_risk page within 9m           at the latest so long after the latest line of load began
      expect at_risk page not before 8m       at the earliest
      expect never broken                     not in any tick since the latest line of load began
      expect 1 times at_risk page             so often did it become so since the case began
      expect reason contains TEXT
      expect good|bad|skipped 42              counts over the objective's window
      expect sli 95.05%                       rounded to what is written
      expect burn 13.6      expect budget left 2,419      expect budget total 2,419     expect ends in 6h
      expect tier page 1h/5m undecided        quiet, undecided, pending or firing

Bad requests are spread evenly: of every 30 the last 3 thirtieths, so that a script says exactly what happens.
"""

import re
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from keeptime.contract.terms import Calendar, Objective, Policy, PolicyKind, Rolling, Tier
from keeptime.judge.plan import Plan
from keeptime.judge.standing import CONDITION, SEVERITY, Standing
from keeptime.judge.state import State
from keeptime.model.history import History
from keeptime.model.verdict import Severity, Verdict
from keeptime.units import parse_duration, parse_percent

from .build import Stream, plan_of, run

Ints = NDArray[np.int64]
BOUND = {"promise", "policy", "probe", "no", "tick", "no_data", "start"}


class ScriptError(AssertionError):
    """A line that cannot be read, or an expectation that does not hold."""


@dataclass(frozen=True)
class Line:
    file: str
    number: int
    text: str

    def fail(self, why: str) -> ScriptError:
        return ScriptError(f"{self.file}:{self.number}: {self.text}\n    {why}")


@dataclass(frozen=True)
class Case:
    name: str
    lines: tuple[Line, ...]


def read(path: Path) -> list[Case]:
    """The cases of a script."""
    cases: list[tuple[str, list[Line]]] = []
    for number, raw in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        text = " ".join(raw.split("#")[0].split())
        line = Line(path.name, number, text)
        if text.startswith("case "):
            cases.append((text[5:], []))
        elif text and not cases:
            raise line.fail("a script begins with `case NAME`")
        elif text:
            cases[-1][1].append(line)
    return [Case(name, tuple(lines)) for name, lines in cases]


@dataclass
class Terms:
    """What is bound before anything happens."""

    target: Fraction = Fraction(99, 100)
    under: float | None = 0.5
    over: Rolling | Calendar = field(default_factory=lambda: Rolling(28 * 86_400.0))
    policy: Policy = field(default_factory=lambda: Policy(PolicyKind.BURN_RATE))
    every: float | None = 10.0
    tick: float = 10.0
    silence: float = 180.0
    start: float = datetime(2026, 1, 1, tzinfo=UTC).timestamp()

    def plan(self) -> Plan:
        objective = Objective("promise", self.target, self.under, self.over, self.policy)
        return plan_of(objective, tick=self.tick, every=self.every, silence=self.silence)


class Play:
    """One case as it goes."""

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self.plan = terms.plan()
        self.first = round(terms.start / terms.tick)
        self.state = State.fresh(self.plan, self.first)
        self.parts: list[Stream] = []
        self.since_load: list[Ints] = []
        self.begun: list[Ints] = []
        self.verdict: Verdict | None = None

    def ticks(self, seconds: float) -> int:
        return max(1, round(seconds / self.terms.tick))

    def feed(self, part: Stream, killed_every: float | None = None) -> None:
        """Let this happen; with `killed_every`, keeptime is killed so often and misses no tick."""
        stride = part.ticks if killed_every is None else self.ticks(killed_every)
        for start in range(0, part.ticks, stride):
            piece = part.cut(start, min(part.ticks, start + stride))
            block = run(self.plan, self.state, piece)
            self.parts.append(piece)
            self.since_load.append(block.standing[0])
            self.begun.append(block.standing[0])
            self.verdict = block.verdict(0)
            if killed_every is not None:
                self.restart()

    def restart(self) -> None:
        whole = [
            np.concatenate([getattr(part, name)[0] for part in self.parts]) for name in ("good", "bad", "skipped")
        ]
        used = np.flatnonzero(sum(whole))
        columns = [used + self.first, np.ones_like(used), *(counts[used] for counts in whole), np.zeros_like(used)]
        history = History(self.first, *(array("q", column.astype(np.int64).tobytes()) for column in columns))
        histories = {self.plan.keys[0]: history}
        self.plan = self.terms.plan()
        self.state = State.restore(self.plan, histories, self.state.memory(), self.state.next_tick)

    @property
    def seen(self) -> list[Standing]:
        return [Standing(int(code)) for code in np.concatenate(self.since_load)]


def spread(events: int, share: Fraction) -> Ints:
    """The running number of marked events among the first 0, 1, … `events`: evenly spread, exact."""
    count = np.arange(events + 1, dtype=np.int64)
    return count * share.numerator // share.denominator


def happening(play: Play, seconds: float, rate: Fraction, bad: Fraction, skipped: Fraction) -> Stream:
    """Events at `rate` per second, evenly in time; these shares of them bad and skipped."""
    ticks = play.ticks(seconds)
    edges = (np.arange(ticks + 1) * (rate * Fraction(play.terms.tick)).numerator) // (
        rate * Fraction(play.terms.tick)
    ).denominator
    slots = int(edges[-1])
    left_out = spread(slots, skipped)
    asked = np.arange(slots + 1) - left_out
    marked = spread(slots, bad)[asked]
    of_ticks = [np.diff(each[edges])[None] for each in (asked - marked, marked, left_out)]
    return Stream(of_ticks[0], of_ticks[1], of_ticks[2], np.ones(ticks, dtype=np.bool_))


def share_of(text: str) -> Fraction:
    counted = re.fullmatch(r"([\d,]+) of ([\d,]+)", text)
    if counted:
        return Fraction(int(counted[1].replace(",", "")), int(counted[2].replace(",", "")))
    return parse_percent(text)


_LOAD = re.compile(
    r"(?P<kind>load|outage) (?P<time>\S+)(?: at (?P<count>[\d,]+)/(?P<per>s|min|h))?"
    r"(?: bad (?P<bad>[\d.]+%|[\d,]+ of [\d,]+))?(?: skipped (?P<skipped>[\d,]+ of [\d,]+))?"
    r"(?: killed every (?P<kill>\S+))?"
)
_PER = {"s": 1, "min": 60, "h": 3600}


def happen(play: Play, line: Line, text: str) -> None:
    """One thing that happens."""
    repeated = re.fullmatch(r"repeat (\d+) times (.+)", text)
    if repeated:
        for _ in range(int(repeated[1])):
            for part in repeated[2].split(" then "):
                happen(play, line, part)
        return
    if text == "restart":
        play.restart()
        return
    still = re.fullmatch(r"(nothing|gap) (\S+)", text)
    if still:
        zeros = np.zeros((1, play.ticks(parse_duration(still[2]))), dtype=np.int64)
        play.feed(Stream(zeros, zeros, zeros, np.full(zeros.shape[1], still[1] == "nothing")))
        return
    match = _LOAD.fullmatch(text)
    if match is None:
        raise line.fail("cannot be read; expected load, outage, nothing, gap, restart, repeat or expect")
    if match["count"]:
        rate = Fraction(int(match["count"].replace(",", "")), _PER[match["per"]])
    elif play.terms.every is not None:
        rate = 1 / Fraction(play.terms.every)
    else:
        raise line.fail("without probes a load needs a rate, such as `at 1000/min`")
    bad = Fraction(1) if match["kind"] == "outage" else share_of(match["bad"] or "0%")
    skipped = share_of(match["skipped"] or "0%")
    kill = parse_duration(match["kill"]) if match["kill"] else None
    play.feed(happening(play, parse_duration(match["time"]), rate, bad, skipped), kill)


def bind(terms: Terms, line: Line) -> None:
    """One line of what was promised, and how it is watched."""
    for pattern, take in _BINDINGS:
        match = re.fullmatch(pattern, line.text)
        if match:
            try:
                take(terms, match)
            except ValueError as error:
                raise line.fail(str(error)) from error
            return
    raise line.fail("cannot be read; expected promise, policy, probe, no probes, tick, no_data or start")


def _promise(terms: Terms, match: re.Match[str]) -> None:
    terms.target = parse_percent(match["target"])
    terms.under = parse_duration(match["under"]) if match["under"] else None
    over = match["over"].removeprefix("calendar ")
    terms.over = Calendar(over) if over != match["over"] else Rolling(parse_duration(over))


def _tiers(terms: Terms, match: re.Match[str]) -> None:
    tiers = []
    for part in match[1].split(" and "):
        found = re.fullmatch(r"(page|ticket) (\S+)/(\S+) at (\S+)", part)
        if found is None:
            raise ValueError(f"'{part}' is no tier; expected one such as: page 1h/5m at 14.4")
        long, short = parse_duration(found[2]), parse_duration(found[3])
        tiers.append(Tier(Severity(found[1]), long, short, float(found[4])))
    terms.policy = Policy(PolicyKind.BURN_RATE, tuple(tiers))


def _sustained(terms: Terms, match: re.Match[str]) -> None:
    terms.policy = Policy(PolicyKind.SUSTAINED, (), parse_duration(match[1]), parse_duration(match[2]))


def _start(terms: Terms, match: re.Match[str]) -> None:
    terms.start = datetime.fromisoformat(match[1]).replace(tzinfo=UTC).timestamp()


_BINDINGS: tuple[tuple[str, Callable[[Terms, re.Match[str]], None]], ...] = (
    (r"promise (?P<target>\S+) of requests (?:under (?P<under>\S+)|succeed) over (?P<over>.+)", _promise),
    (r"policy burn-rate", lambda terms, _: setattr(terms, "policy", Policy(PolicyKind.BURN_RATE))),
    (r"policy burn-rate (.+)", _tiers),
    (r"policy buckets", lambda terms, _: setattr(terms, "policy", Policy(PolicyKind.BUCKETS))),
    (r"policy sustained (\S+) for (\S+)", _sustained),
    (r"probe every (\S+)", lambda terms, match: setattr(terms, "every", parse_duration(match[1]))),
    (r"no probes", lambda terms, _: setattr(terms, "every", None)),
    (r"tick (\S+)", lambda terms, match: setattr(terms, "tick", parse_duration(match[1]))),
    (r"no_data after (\S+)", lambda terms, match: setattr(terms, "silence", parse_duration(match[1]))),
    (r"start (.+)", _start),
)


def expect(play: Play, line: Line) -> None:
    """One expectation. Raises ScriptError, which says what was found instead."""
    text = line.text.removeprefix("expect ")
    verdict = play.verdict
    if verdict is None:
        raise line.fail("nothing has happened yet")
    for pattern, check in _EXPECTATIONS:
        match = re.fullmatch(pattern, text)
        if match:
            found = check(play, verdict, match)
            if found is not None:
                raise line.fail(f"but it is: {found}\n    {verdict.condition}: {verdict.reason}")
            return
    raise line.fail("this expectation cannot be read")


def _is(standing: Standing, words: str) -> bool:
    condition, _, severity = words.partition(" ")
    return CONDITION[standing] == condition and (not severity or SEVERITY[standing] == severity)


def _first(play: Play, words: str) -> float | None:
    at = next((index for index, each in enumerate(play.seen) if _is(each, words)), None)
    return None if at is None else (at + 1) * play.terms.tick


def _now(play: Play, verdict: Verdict, match: re.Match[str]) -> str | None:
    severity = f" {verdict.severity}" if verdict.severity and " " in match[1] else ""
    found = f"{verdict.condition}{severity}"
    return None if found == match[1] else found


def _within(play: Play, verdict: Verdict, match: re.Match[str]) -> str | None:
    first = _first(play, match[1])
    fine = first is not None and first <= parse_duration(match[2])
    return None if fine else "never so" if first is None else f"so after {first:g} s"


def _not_before(play: Play, verdict: Verdict, match: re.Match[str]) -> str | None:
    first = _first(play, match[1])
    return None if first is None or first >= parse_duration(match[2]) else f"so after {first:g} s"


def _never(play: Play, verdict: Verdict, match: re.Match[str]) -> str | None:
    first = _first(play, match[1])
    return None if first is None else f"so after {first:g} s"


def _times(play: Play, verdict: Verdict, match: re.Match[str]) -> str | None:
    found = [_is(Standing(int(code)), match[2]) for code in np.concatenate(play.begun)]
    times = sum(now and not before for before, now in pairwise([False, *found]))
    return None if times == int(match[1]) else f"so {times} times"


def _number(value: float | None, written: str) -> str | None:
    """None where `value`, rounded to the digits that were written, is what was written."""
    wanted = Decimal(written.replace(",", ""))
    fine = value is not None and round(Decimal(repr(float(value))), -int(wanted.as_tuple().exponent)) == wanted
    return None if fine else f"{value}"


def _tier(play: Play, verdict: Verdict, match: re.Match[str]) -> str | None:
    states = {tier.name: tier.state for tier in verdict.tiers}
    return None if states.get(match[1]) == match[2] else f"{states}"


def _ends(play: Play, verdict: Verdict, match: re.Match[str]) -> str | None:
    wanted, found = parse_duration(match[1]), verdict.exhausted_in
    return None if found is not None and abs(found - wanted) <= 0.05 * wanted else f"{found} s"


_CONDITION = r"(ok|at_risk|at_risk page|at_risk ticket|broken|no_data)"
_EXPECTATIONS: tuple[tuple[str, Callable[[Play, Verdict, re.Match[str]], str | None]], ...] = (
    (_CONDITION, _now),
    (_CONDITION + r" within (\S+)", _within),
    (_CONDITION + r" not before (\S+)", _not_before),
    (r"never " + _CONDITION, _never),
    (r"(\d+) times " + _CONDITION, _times),
    (r"reason contains (.+)", lambda _, v, match: None if match[1] in v.reason else v.reason),
    (r"(good|bad|skipped) ([\d,]+)", lambda _, v, match: _number(getattr(v, match[1]), match[2])),
    (r"sli ([\d.]+)%", lambda _, v, match: _number(None if v.sli is None else v.sli * 100, match[1])),
    (r"burn ([\d.,]+)", lambda _, v, match: _number(v.burn_rate, match[1])),
    (r"budget (left|total|spent) (-?[\d.,]+)", lambda _, v, match: _number(getattr(v.budget, match[1]), match[2])),
    (r"not ending", lambda _, v, match: None if v.exhausted_in is None else f"{v.exhausted_in} s"),
    (r"ends in (\S+)", _ends),
    (r"tier (.+) (quiet|undecided|pending|firing)", _tier),
)


def play(case: Case) -> None:
    """Run a case. Raises ScriptError at the first line that does not hold."""
    bound, rest = split(case)
    terms = Terms()
    for line in bound:
        bind(terms, line)
    going = Play(terms)
    expected_last = False
    for line in rest:
        if line.text.startswith("expect "):
            expect(going, line)
            expected_last = True
            continue
        if line.text != "restart":
            going.since_load.clear()
        happen(going, line, line.text)
        expected_last = False
    if not expected_last:
        raise case.lines[-1].fail("a case ends with an expectation")


def split(case: Case) -> tuple[list[Line], list[Line]]:
    """What is bound, and what happens. Binding comes first."""
    lines: Iterator[Line] = iter(case.lines)
    bound, rest = [], []
    for line in lines:
        early = line.text.split()[0] in BOUND
        if early and rest:
            raise line.fail("terms come before what happens")
        (bound if early else rest).append(line)
    return bound, rest
