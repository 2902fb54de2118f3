"""The presets that keeptime brings: one file `NAME.yaml` each, read when it is first asked for.

Guarantees: a preset that is given out is legal, and is named as its file is; a new one is a new file and
nothing else.
"""

from collections.abc import Collection, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path

from keeptime.contract.nodes import Place
from keeptime.contract.presets.fields import PRESET_TABLE
from keeptime.contract.presets.preset import Preset
from keeptime.contract.report import Report, Spoiled
from keeptime.contract.text import documents
from keeptime.errors import ContractError

_FOLDER = files("keeptime") / "presets"
SUFFIX = ".yaml"


@cache
def names() -> tuple[str, ...]:
    """Of all presets, in order."""
    return tuple(sorted(each.name.removesuffix(SUFFIX) for each in _FOLDER.iterdir() if each.name.endswith(SUFFIX)))


@cache
def preset(name: str) -> Preset | None:
    """The one of this name; None if there is none. Raises ContractError where its file is wrong."""
    if name not in names():
        return None
    return parse((_FOLDER / f"{name}{SUFFIX}").read_bytes(), f"{name}{SUFFIX}")


def every() -> Sequence[Preset]:
    """All of them, by name."""
    return [found for name in names() if (found := preset(name)) is not None]


def recognised(metrics: Collection[str]) -> Sequence[Preset]:
    """Those whose servers have such metrics, the likeliest first. `metrics`: names of families, as served."""
    there = frozenset(metrics)
    found = [(sum(name in there for name in each.recognise), each) for each in every()]
    return [each for hits, each in sorted(found, key=lambda pair: -pair[0]) if hits]


def parse(data: bytes, file: str) -> Preset:
    """The preset of a file's bytes. Raises ContractError with everything that is wrong with it."""
    report = Report(file, Path(file).absolute().parent)
    try:
        found = [PRESET_TABLE.read(node, report, "") for node in documents(data, report)]
        if not report.problems and len(found) != 1:
            report.error(Place(1, 1), "one-preset", f"the file holds {len(found)} presets; expected one")
        elif found and f"{found[0].name}{SUFFIX}" != Path(file).name:
            report.error(
                Place(1, 1), "bad-name", f"'{found[0].name}' stands in {file}; expected {found[0].name}{SUFFIX}"
            )
    except Spoiled:
        pass
    if any(each.severity == "error" for each in report.problems):
        raise ContractError(report.sorted_problems())
    return found[0]
