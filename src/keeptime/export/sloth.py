"""Contracts as specs of Sloth (`prometheus/v1`).

Guarantees: a spec counts the same requests as the contract, and a kind of request that never came counts 0 instead
of hiding the others. What Sloth has no word for stands in comments and in annotations of its alerts; a calendar
window, which Sloth would judge as something else, is refused. Pure: contracts in, texts out.
"""

from collections.abc import Sequence
from decimal import Decimal

from keeptime.contract.counting import Term
from keeptime.contract.layout import block
from keeptime.contract.promql import select
from keeptime.contract.ratio import Ratio, counts_of, joined, ratio
from keeptime.contract.sources import Counts, NativeHistogram
from keeptime.contract.starter import label
from keeptime.contract.terms import Calendar, Contract, Objective
from keeptime.contract.written_figures import duration, percent
from keeptime.errors import UsageError
from keeptime.export.departures import sloths_own
from keeptime.export.settings import Files, Settings

VERSION = "prometheus/v1"
KUBERNETES, KIND = "sloth.slok.dev/v1", "PrometheusServiceLevel"
CAMEL = {"error_query": "errorQuery", "total_query": "totalQuery"}
WINDOW = "{{.window}}"
ALERT = "LatencyObjectiveAtRisk"
USUAL_PERIODS = ("28d", "30d")
"""The periods that Sloth has alert windows for without a catalogue of one's own."""

Spec = dict[str, object]


def files(contracts: Sequence[Contract], settings: Settings | None = None) -> Files:
    """A file for each contract and window. Raises UsageError where Sloth has no such window."""
    write = _resource if settings is not None and settings.kubernetes else _plain
    out = {}
    for contract in contracts:
        windows = dict.fromkeys(_window(contract, one) for one in contract.objectives)
        for window in windows:
            name = contract.name if len(windows) == 1 else f"{contract.name}-{window}"
            found = [one for one in contract.objectives if _window(contract, one) == window]
            out[f"{name}.yaml"] = _head(contract, found, window) + write(name, _spec(contract, found, window))
    return out


def _window(contract: Contract, one: Objective) -> str:
    if isinstance(one.over, Calendar):
        raise UsageError(
            f"{contract.file}: {contract.name}/{one.name}: Sloth has no {one.over}; expected a rolling window"
        )
    return duration(one.over.seconds)


def _plain(_: str, spec: Spec) -> str:
    return block({"version": VERSION, **spec})


def _resource(name: str, spec: Spec) -> str:
    """A PrometheusServiceLevel of Kubernetes, whose keys are in camel case."""
    metadata = {"name": label(name)}
    return block({"apiVersion": KUBERNETES, "kind": KIND, "metadata": metadata, "spec": _camel(spec)})


def _camel(value: object) -> object:
    """The same with errorQuery for error_query; what people named stays."""
    if isinstance(value, list):
        return [_camel(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {CAMEL.get(key, key): _camel(each) for key, each in value.items()}


def _spec(contract: Contract, found: Sequence[Objective], window: str) -> Spec:
    return {"service": contract.name, "slos": [_slo(contract, one, window) for one in found]}


def _head(contract: Contract, found: Sequence[Objective], window: str) -> str:
    lines = [
        f"Sloth {VERSION}, exported by keeptime from the contract {contract.name}.",
        f"Its window is {window}, which Sloth is told when it is run: sloth generate --default-slo-period={window}",
    ]
    if window not in USUAL_PERIODS:
        lines.append("Sloth knows that period only with a catalogue of alert windows (--slo-period-windows-path).")
    for one in found:
        if other := sloths_own(one):
            lines.append(other)
    if contract.consumers or contract.operators:
        lines.append("Who is told is Alertmanager's to say: keeptime export alertmanager.")
    return "".join(f"# {line}\n" for line in lines)


def _slo(contract: Contract, one: Objective, window: str) -> Spec:
    events = _queries(contract, one)
    labels = {"contract": contract.name, "objective": one.name, "provider": contract.provider}
    annotations = {"keeptime_window": window}
    if one.under is not None:
        annotations["keeptime_threshold"] = duration(one.under)
    links = {name.replace("-", "_"): url for name, url in contract.links.items() if not name[0].isdigit()}
    return {
        "name": one.name,
        "objective": Decimal(percent(one.target).removesuffix("%")),
        "description": f"{contract.model}, promised by {contract.provider}.",
        "sli": {"events": events},
        "alerting": {"name": ALERT, "labels": labels, "annotations": annotations | links},
    }


def _queries(contract: Contract, one: Objective) -> Spec:
    found, counts = ratio(contract, one), counts_of(contract, one)
    step = "30s" if contract.source is None else duration(contract.source.every)
    total = [(term.sign, _ranged(term, counts, found, step)) for term in found.total]
    part = [(term.sign, _ranged(term, counts, found, step)) for term in found.part]
    if found.kind == "bad":
        error = joined(part, whole=False)
    else:
        error = _difference(total, part)
    return {"error_query": error, "total_query": joined(total, whole=True)}


def _difference(total: Sequence[tuple[int, str]], part: Sequence[tuple[int, str]]) -> str:
    """total − part, without what stands in both."""
    left = [each for each in total if each not in part]
    taken = [(-sign, text) for sign, text in part if (sign, text) not in total]
    return joined([*left, *taken], whole=total[0] in left)


def _ranged(term: Term, counts: Counts, found: Ratio, step: str) -> str:
    """The events of one term in a range."""
    if not found.counter:
        return f"sum(count_over_time(({term.expression})[{WINDOW}:{step}]))"
    if term.plain:
        return f"sum(rate({term.expression}[{WINDOW}]))"
    if isinstance(counts, NativeHistogram):
        return f"sum({_native(term.expression, counts)})"
    return f"sum(rate(({term.expression})[{WINDOW}:{step}]))"


def _native(expression: str, counts: NativeHistogram) -> str:
    """The same of the rates of the histogram: its selector is the last argument of each function."""
    selectors = [select(counts.metric, counts.selector, counts.failed), select(counts.metric, counts.selector)]
    for selector in dict.fromkeys(selectors):
        for before in ("(", ", "):
            expression = expression.replace(f"{before}{selector})", f"{before}rate({selector}[{WINDOW}]))")
    return expression
