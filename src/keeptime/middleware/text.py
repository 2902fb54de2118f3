"""The two text formats: Prometheus' own (version 0.0.4), and OpenMetrics 1.0, which has exemplars.

Guarantees: values of labels are escaped, numbers are written so that reading them gives the same number. Pure.
"""

import math
from collections.abc import Iterable, Iterator

from keeptime.middleware.exemplar import Exemplar
from keeptime.middleware.exposition import Distribution, Family


def prometheus(families: Iterable[Family]) -> str:
    """Version 0.0.4."""
    return "".join(line + "\n" for family in families for line in _family(family, open_metrics=False))


def open_metrics(families: Iterable[Family]) -> str:
    """OpenMetrics 1.0, with exemplars."""
    lines = [line + "\n" for family in families for line in _family(family, open_metrics=True)]
    return "".join([*lines, "# EOF\n"])


def _family(family: Family, *, open_metrics: bool) -> Iterator[str]:
    suffix = "_total" if family.kind == "counter" else ""
    head = family.name + ("" if open_metrics else suffix)
    yield f"# HELP {head} {family.help}"
    yield f"# TYPE {head} {family.kind}"
    for sample in family.samples:
        yield f"{family.name}{suffix}{labels(sample.labels)} {number(sample.value)}"
    for each in family.distributions:
        yield from _distribution(family.name, each, open_metrics)


def _distribution(name: str, each: Distribution, open_metrics: bool) -> Iterator[str]:
    for bound in each.bounds:
        le = "+Inf" if math.isinf(bound.le) else number(bound.le)
        line = f"{name}_bucket{labels({**each.labels, 'le': le})} {bound.count}"
        yield line + (_exemplar(bound.exemplar) if open_metrics and bound.exemplar is not None else "")
    yield f"{name}_sum{labels(each.labels)} {number(each.sum)}"
    yield f"{name}_count{labels(each.labels)} {each.count}"


def _exemplar(exemplar: Exemplar) -> str:
    told = labels({"trace_id": exemplar.trace_id, "span_id": exemplar.span_id})
    return f" # {told} {number(exemplar.seconds)} {number(exemplar.at)}"


def labels(pairs: dict[str, str]) -> str:
    """As both formats write them; "" where there are none."""
    if not pairs:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in pairs.items()) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def number(value: float) -> str:
    """The shortest that reads back as the same."""
    return repr(float(value)) if value != int(value) or abs(value) >= 1e15 else f"{float(value):.1f}"
