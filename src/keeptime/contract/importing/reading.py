"""Files of another tool, read into the text of a contract file, or into every mistake in them.

Guarantees: no bytes make it raise anything but what is documented; the text it gives loads without an error;
whatever could not be said is among the problems. It reads the files named and nothing else.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from keeptime.contract.importing import found as composing
from keeptime.contract.importing import openslo, pyrra, sloth
from keeptime.contract.importing.fields import Fields
from keeptime.contract.importing.found import Context, Document, Found, Settings, named
from keeptime.contract.load import load_text
from keeptime.contract.nodes import Broken, Listing, Mapped, Node, Place, Scalar
from keeptime.contract.report import Report, Spoiled, quote
from keeptime.contract.text import LARGEST, documents
from keeptime.errors import Problem

SUFFIXES = (".yaml", ".yml", ".json")
MOST_CONTRACTS = 500
ALIAS = "anchors and aliases (& and *) are not read; write the values out"

LISTS = ("List", "PrometheusServiceLevelList", "ServiceLevelObjectiveList")
"""Kinds whose `items` are documents."""


@dataclass(frozen=True, slots=True)
class Format:
    """`versions`: how the apiVersion of its documents begins; `read`: all documents of all files at once."""

    versions: tuple[str, ...]
    read: Callable[[Sequence[Document]], None]


def _each(read: Callable[[Fields, Context], None]) -> Callable[[Sequence[Document]], None]:
    """Reads document by document: one that is wrong leaves the others alone."""

    def read_all(found: Sequence[Document]) -> None:
        for document in found:
            with suppress(Spoiled):
                read(document.fields, document.context)

    return read_all


FORMATS: Mapping[str, Format] = {
    "openslo": Format(("openslo/", "openslo.com/"), openslo.read_all),
    "sloth": Format(("sloth.slok.dev/",), _each(sloth.read)),
    "pyrra": Format(("pyrra.dev/",), _each(pyrra.read)),
}
"""One line per format."""


@dataclass(frozen=True, slots=True)
class Imported:
    """`text`: a contract file, "" if nothing could be said; `names`: of its contracts, in order."""

    text: str
    names: tuple[str, ...]
    problems: tuple[Problem, ...]

    @property
    def whole(self) -> bool:
        """Could everything be said? Warnings do not matter."""
        return not any(problem.severity == "error" for problem in self.problems)


def import_files(kind: str, paths: Sequence[str], settings: Settings, output: str) -> Imported:
    """Read files, and all YAML and JSON files of directories; `output`: where the text will stand."""
    problems: list[Problem] = []
    files = [_read(file, settings) for path in paths for file in _files_of(Path(path), problems)]
    form = FORMATS[kind]
    form.read([each for context, nodes in files for each in _documents(nodes, form, context)])
    found: list[Found] = []
    for context, _ in files:
        sound = [each for each in context.found if _sound(each, context.report, output)]
        if not context.found and not context.report.problems:
            context.report.error(Place(1, 1), "no-slo", f"no SLO of {kind} in it; nothing to import")
        problems += context.report.sorted_problems()
        found += sound
    if not found and not any(problem.severity == "error" for problem in problems):
        problems.append(_at_start(Path(paths[0]), "no-slo", f"no SLO of {kind} in it; nothing to import"))
    if len(found) > MOST_CONTRACTS:
        problems.append(_too_many(found[MOST_CONTRACTS]))
        found = found[:MOST_CONTRACTS]
    return Imported(composing.text(found), tuple(name for name, _ in named(found)), tuple(problems))


def _too_many(first: Found) -> Problem:
    message = f"a contract file may hold at most {MOST_CONTRACTS} contracts"
    return Problem(first.file, first.place.line, first.place.column, "error", "too-many", message)


def _sound(found: Found, report: Report, output: str) -> bool:
    """Is it a valid contract? If not, what is wrong is said at its place in the other tool's file."""
    problems = load_text(composing.text([found]).encode(), output).problems
    for problem in problems:
        if problem.severity == "error":
            report.error(found.place, "no-contract", f"no contract can say this: {problem.message}")
        elif problem.code != "nobody-told":
            report.warning(found.place, problem.code, problem.message)
    return not any(problem.severity == "error" for problem in problems)


def _documents(nodes: Sequence[Node], form: Format, context: Context) -> Iterator[Document]:
    """The documents that are of this format; the others are named. A Kubernetes list is what it lists."""
    for node in nodes:
        if not isinstance(node, Mapped):
            if not isinstance(node, Broken):
                context.report.error(node.place, "wrong-type", "the document is no mapping; expected an SLO")
            continue
        fields = Fields(node, context.report)
        version, kind = (_plain(node, key) for key in ("apiVersion", "kind"))
        if kind in LISTS and fields.has("items"):
            yield from _documents(_items(node), form, context)
        elif version and not version.startswith(form.versions):
            message = f"{quote(f'{version} {kind}')} is of something else; passed over"
            context.report.warning(node.place, "passed-over", message)
        else:
            yield Document(fields, context)


def _plain(node: Mapped, key: str) -> str:
    for entry in node.entries:
        if entry.key.text == key and isinstance(entry.value, Scalar):
            return entry.value.text
    return ""


def _items(node: Mapped) -> Sequence[Node]:
    found = [entry.value for entry in node.entries if entry.key.text == "items"]
    return found[0].items if isinstance(found[0], Listing) else ()


def _files_of(path: Path, problems: list[Problem]) -> Sequence[Path]:
    if not path.is_dir():
        return [path]
    try:
        files = sorted(each for each in path.iterdir() if each.suffix in SUFFIXES and each.is_file())
    except OSError as error:
        problems.append(_at_start(path, "unreadable", f"the directory cannot be read: {error.strerror}"))
        return []
    if not files:
        problems.append(_at_start(path, "no-file", "the directory holds no *.yaml, *.yml or *.json file"))
    return files


def _at_start(path: Path, code: str, message: str) -> Problem:
    return Problem(str(path), 1, 1, "error", code, message)


def _read(path: Path, settings: Settings) -> tuple[Context, list[Node]]:
    report = Report(str(path), path.absolute().parent)
    context = Context(report, settings)
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except FileNotFoundError:
        report.error(Place(1, 1), "no-file", "there is no such file")
        return context, []
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "no valid path"
        report.error(Place(1, 1), "unreadable", f"the file cannot be read: {why}")
        return context, []
    nodes = list(documents(data, report, alias=ALIAS))
    if not nodes and not report.problems:
        report.error(Place(1, 1), "empty-file", "the file holds nothing")
    return context, nodes
