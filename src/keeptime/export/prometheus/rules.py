"""Rules of Prometheus as values, and how a group of them is written as YAML.

Guarantees: what is written is a file that `promtool check rules` takes; the order of rules is kept, for each builds
on those before it. Knows nothing of contracts.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import yaml

Plain = dict[str, object]


@dataclass(frozen=True, slots=True)
class Recording:
    """One recording rule."""

    record: str
    expr: str
    labels: Mapping[str, str] = field(default_factory=dict)

    def plain(self) -> Plain:
        labels = {"labels": dict(self.labels)} if self.labels else {}
        return {"record": self.record, "expr": self.expr, **labels}


@dataclass(frozen=True, slots=True)
class Alerting:
    """One alerting rule. None has a `for`: how long a thing must last is part of what is recorded, so that it
    outlives a restart of Prometheus."""

    alert: str
    expr: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]

    def plain(self) -> Plain:
        return {
            "alert": self.alert,
            "expr": self.expr,
            "labels": dict(self.labels),
            "annotations": dict(self.annotations),
        }


Rule = Recording | Alerting


def merged(rules: Iterable[Recording]) -> Iterator[Recording]:
    """Rules that record the same series become one, at the place of the first; each has objectives of its own."""
    found: dict[tuple[str, tuple[tuple[str, str], ...]], list[str]] = {}
    for rule in rules:
        found.setdefault((rule.record, tuple(rule.labels.items())), []).append(rule.expr)
    for (record, labels), parts in found.items():
        yield Recording(record, "\nor\n".join(parts), dict(labels))


@dataclass(frozen=True, slots=True)
class Group:
    """Rules that are evaluated one after the other, every so many seconds."""

    name: str
    interval: int
    rules: tuple[Rule, ...]

    def plain(self) -> Plain:
        return {"name": self.name, "interval": f"{self.interval}s", "rules": [each.plain() for each in self.rules]}


class _Dumper(yaml.SafeDumper):
    """Several lines are written as several lines."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def as_yaml(value: object) -> str:
    """YAML as people write it: in the given order, long texts in blocks."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, width=1_000_000, allow_unicode=True)


def rule_file(groups: Sequence[Group]) -> str:
    return as_yaml({"groups": [each.plain() for each in groups]})
