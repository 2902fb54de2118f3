"""Every preset as Markdown, from the data files; docs/presets.md holds the result."""

from collections.abc import Iterator

from keeptime.contract.presets import library
from keeptime.contract.presets.preset import Metric, Preset
from keeptime.contract.presets.spoken import failures, fidelity, judged, refused, signals


def reference() -> str:
    """The table of all, and a section for each."""
    every = library.every()
    rows = "\n".join(_row(each) for each in every)
    head = "| Preset | Server | Signals | Known of latency | Failures |\n|---|---|---|---|---|"
    return f"{head}\n{rows}\n\n" + "\n".join("\n".join(_section(each)) for each in every)


def _row(one: Preset) -> str:
    return f"| [`{one.name}`](#{one.name}) | {one.title} | {signals(one)} | {fidelity(one)} | {failures(one)} |"


def _section(one: Preset) -> Iterator[str]:
    yield f"### {one.name}\n"
    yield f"{one.title}, {one.checked}. Its metrics are usually at `{one.url}`. {one.needs}".rstrip() + "\n"
    if one.metrics:
        yield "| Signal | Metric | Thresholds that it can judge |\n|---|---|---|"
        yield from (_metric(each) for each in one.metrics)
        yield ""
    if one.attributes:
        known = ", ".join(f"`{name}` (`{label}`)" for name, label in one.attributes.items())
        yield f"Attributes, with the labels that hold them: {known}.\n"
    yield from (f"- {_sentence(each)}" for each in one.traps)
    yield from (f"- Refused: {refused(asked)}. {_sentence(why)}" for asked, why in one.refusals.items())
    yield f"\nSource: {one.source}.\n"


def _metric(one: Metric) -> str:
    names = " or ".join(f"`{each}`" for each in one.names)
    said = [f"{one.kind} {names}, {one.unit}"]
    if one.selector:
        said.append(f"only `{one.selector.text}`")
    if one.failed:
        said.append(f"failed: `{one.failed.text}`")
    if one.failures:
        said.append("failed: " + ", ".join(f"`{each}`" for each in one.failures))
    return f"| {one.signal} | {_cell('; '.join(said))} | {judged(one)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _sentence(text: str) -> str:
    plain = text.partition(" ")[0].isalpha()
    return (text[0].upper() if plain else text[0]) + text[1:] + ("" if text.endswith(".") else ".")
