"""What the comparison says: tables for people, JSON for tools, a plot.

Guarantees: the bars of the comparison are computed here alone, from the same rows that are printed.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.alert_quality.figures import COUNTED_SPEND, Row
from bench.alert_quality.rules import OURS, RETUNED, SLOTHS
from bench.alert_quality.running import Case, Found
from bench.alert_quality.streams import TARGETS, TRAFFIC

HEAD = (
    f"{'rule':26} {'false/month':>11} {'precision':>9} {'caught 1-2%':>11} {'2-5%':>5} {'>5%':>5}"
    f" {'median min':>10} {'p95 min':>8} {'spent':>6} {'clear min':>9} {'alerts':>6} {'told':>5}"
)


@dataclass(frozen=True, slots=True)
class Bar:
    """`value` should be at most `most`, or at least `least`."""

    what: str
    value: float
    most: float = math.inf
    least: float = -math.inf

    @property
    def held(self) -> bool:
        return self.least <= self.value <= self.most


def bars(found: Found) -> list[Bar]:
    rows = {each.rule: each for each in found.rows(found.mixed)}
    ours, sloth, retuned = rows[OURS], rows[SLOTHS], rows[RETUNED]
    return [
        Bar("false alarms a month, of Sloth's", ours.false_per_month / sloth.false_per_month, most=0.1),
        Bar(
            "median detection from 2 % of the budget on, of Sloth's", ours.detect_median / sloth.detect_median, 0.55
        ),
        Bar("caught of those that spend 2 to 5 %", ours.recall[2], least=0.75),
        Bar("alerts per detected incident", ours.alerts_per_incident, most=1.05),
        Bar("median detection, of re-tuned burn rates'", ours.detect_median / retuned.detect_median, most=0.6),
        Bar("classes of traffic worse than Sloth's in both", float(len(worse_in_both(found))), most=0),
    ]


def worse_in_both(found: Found) -> list[str]:
    """Classes of the mixed population in which `buckets` has more false alarms than Sloth's, and is later."""
    worse = []
    for name, cases in by_class(found.mixed).items():
        rows = {each.rule: each for each in found.rows(cases)}
        ours, sloth = rows[OURS], rows[SLOTHS]
        if ours.false_per_month > sloth.false_per_month and ours.detect_median > sloth.detect_median:
            worse.append(name)
    return worse


def by_class(cases: Sequence[Case]) -> dict[str, list[Case]]:
    """By target and traffic."""
    names = [f"{float(target):.1%}, {traffic.name}" for target in TARGETS for traffic in TRAFFIC]
    found: dict[str, list[Case]] = {name: [] for name in names}
    for case in cases:
        found[f"{float(case.target):.1%}, {case.traffic}"].append(case)
    return found


def by_scenario(found: Found) -> dict[str, list[Case]]:
    return {name: [c for c in found.scenarios if c.scenario == name] for name in found.size.scenarios}


def show(found: Found) -> None:
    rows = found.rows(found.mixed)
    print(f"\nmixed population: {rows[0].months:.0f} service-months, {rows[0].incidents} incidents from 2 % on")
    print(HEAD)
    for each in rows:
        print(_line(each))
    tuned = found.tuned
    print(f"re-tuned: factors × {tuned.scale:g}, windows × {tuned.windows:g}, chance at most {tuned.alpha:g}")
    print("\nbars")
    for bar in bars(found):
        wanted = f"at most {bar.most:g}" if bar.most < math.inf else f"at least {bar.least:g}"
        print(f"  {'ok  ' if bar.held else 'MISS'} {bar.what}: {bar.value:.3f} ({wanted})")
    _compare("by target and traffic (mixed): false alarms a month, median minutes", found, by_class(found.mixed))
    _compare(
        "scenarios: false alarms a month, median minutes to the first alert", found, by_scenario(found), all_=True
    )


def _line(each: Row) -> str:
    recall = each.recall
    return (
        f"{each.rule:26} {each.false_per_month:11.3f} {each.precision:9.2f} {recall[1]:11.2f} {recall[2]:5.2f}"
        f" {recall[3]:5.2f} {each.detect_median:10.0f} {each.detect_p95:8.0f} {each.spent_median:6.1%}"
        f" {each.clear_median:9.0f} {each.alerts_per_incident:6.2f} {each.told_per_incident:5.2f}"
    )


def _compare(title: str, found: Found, parts: dict[str, list[Case]], *, all_: bool = False) -> None:
    """A line per part, the rules side by side. `all_`: incidents of any size count."""
    print(f"\n{title}")
    print(f"{'':24}" + "".join(f"{_short(name):>20}" for name in found.rules))
    for name, cases in parts.items():
        cells = []
        for each in found.rows(cases):
            median = _median(cases, each.rule) if all_ else each.detect_median
            cells.append(f"{each.false_per_month:10.2f} {'-' if math.isnan(median) else f'{median:.0f}':>8}")
        print(f"{name:24}" + "".join(f"{cell:>20}" for cell in cells))


def _short(name: str) -> str:
    return name.removeprefix("burn-rate, ").removesuffix(" for 10m")


def _median(cases: Sequence[Case], rule: str) -> float:
    delays = sorted(caught.delay for case in cases if case.rule == rule for caught in case.outcome.caught)
    return delays[len(delays) // 2] if delays else math.nan


def save(found: Found, path: Path) -> None:
    """JSON; what is infinite or unknown is null."""

    def rows(cases: Sequence[Case]) -> list[object]:
        return [_plain(asdict(each)) for each in found.rows(cases)]

    tuned = found.tuned
    report = {
        "seed": found.seed,
        "months": found.size.months,
        "bars": [_plain({**asdict(bar), "held": bar.held}) for bar in bars(found)],
        "retuned": {"scale": tuned.scale, "windows": tuned.windows, "alpha": tuned.alpha},
        "mixed": rows(found.mixed),
        "classes": {name: rows(cases) for name, cases in by_class(found.mixed).items()},
        "scenarios": {name: rows(cases) for name, cases in by_scenario(found).items()},
        "scenario_medians": {
            name: {rule: _plain(_median(cases, rule)) for rule in found.rules}
            for name, cases in by_scenario(found).items()
        },
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(f"\nwrote {path}")


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def draw(found: Found, path: Path) -> None:
    """Two pictures: false alarms against delay, and how many incidents are caught within a time."""
    import matplotlib  # noqa: PLC0415 - wanted for this alone

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "keeptime"
    from matplotlib import pyplot  # noqa: PLC0415

    figure, (left, right) = pyplot.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
    for place, each in enumerate(found.rows(found.mixed)):
        delays = _delays(found.mixed, each.rule)
        colour, style = f"C{place}", "-" if each.rule == OURS else "--"
        left.plot(each.detect_median, max(each.false_per_month, 1e-3), "o", color=colour, label=each.rule)
        share = [(index + 1) / len(delays) for index in range(len(delays))]
        right.step(delays, share, where="post", color=colour, linestyle=style, label=each.rule)
    left.set(xscale="log", yscale="log", xlabel="median minutes to the first alert", ylabel="false alarms a month")
    left.set_title("Lower left is better")
    right.set(xscale="log", xlim=(1, 20_000), ylim=(0, 1), xlabel="minutes since it began", ylabel="share caught")
    right.set_title("Incidents that spend 2 % of the budget or more")
    right.legend(fontsize=8)
    for axes in (left, right):
        axes.grid(alpha=0.3)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})
    pyplot.close(figure)
    print(f"wrote {path}")


def _delays(cases: Sequence[Case], rule: str) -> list[float]:
    own = [caught for case in cases if case.rule == rule for caught in case.outcome.caught]
    return sorted(caught.delay for caught in own if caught.incident.spend >= COUNTED_SPEND)
