"""From contract files to contracts, or to every mistake in them.

Guarantees: no bytes make it raise anything but what is documented; a contract is given out only if its document
has no error; problems are in file order. It reads the files named, and nothing else of the machine.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from keeptime.contract.document import CONTRACT_TABLE, NAME, OBJECTIVES
from keeptime.contract.nodes import Listing, Mapped, Node, Place, Scalar
from keeptime.contract.report import Reference, Report, Spoiled, in_order
from keeptime.contract.terms import Contract
from keeptime.contract.text import LARGEST, documents
from keeptime.errors import ContractError, Problem

SUFFIXES = (".yaml", ".yml")
MOST_DOCUMENTS = 501


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML document: its contract, or None and why. `name`: what it calls itself, "" if that cannot be read.

    `references`: what a valid contract needs of the machine; `objectives`: where each of its objectives stands.
    """

    file: str
    name: str
    place: Place
    contract: Contract | None
    problems: tuple[Problem, ...]
    references: tuple[Reference, ...] = ()
    objectives: tuple[Place, ...] = ()


@dataclass(frozen=True, slots=True)
class LoadResult:
    """All documents of all files, in order."""

    documents: tuple[Document, ...]

    @property
    def contracts(self) -> tuple[Contract, ...]:
        return tuple(each.contract for each in self.documents if each.contract is not None)

    @property
    def problems(self) -> tuple[Problem, ...]:
        return tuple(problem for each in self.documents for problem in each.problems)

    @property
    def valid(self) -> bool:
        """No error; warnings are no errors."""
        return not any(problem.severity == "error" for problem in self.problems)


def load_text(text: bytes, file: str) -> LoadResult:
    """Read a file's bytes; `file` is its name for messages and the start of relative paths."""
    base = Path(file).absolute().parent
    whole = Report(file, base)
    found = []
    for node in islice(documents(text, whole), MOST_DOCUMENTS):
        found.append(_document(node, base, whole))
        whole = Report(file, base)
    if len(found) == MOST_DOCUMENTS:
        whole.error(Place(1, 1), "too-many", f"a file may hold at most {MOST_DOCUMENTS - 1} contracts")
    if whole.problems or not found:
        if not whole.problems:
            whole.error(Place(1, 1), "empty-file", "the file holds no contract; `keeptime init URL` writes one")
        found.append(Document(file, "", Place(1, 1), None, whole.sorted_problems()))
    return LoadResult(_names_once(found))


def _document(node: Node, base: Path, text_report: Report) -> Document:
    file = text_report.file
    report = Report(file, base, list(text_report.problems))
    contract: Contract | None = None
    with suppress(Spoiled):
        contract = CONTRACT_TABLE.read(node, report, "")
    problems = report.sorted_problems()
    if contract is None or any(problem.severity == "error" for problem in problems):
        return Document(file, _name_of(node), node.place, None, problems)
    places = _with_warnings(_places_of(node, OBJECTIVES.key), contract)
    return Document(file, contract.name, node.place, contract, problems, tuple(report.references), places)


def _places_of(node: Node, key: str) -> tuple[Place, ...]:
    for entry in node.entries if isinstance(node, Mapped) else ():
        if entry.key.text == key and isinstance(entry.value, Listing):
            return tuple(item.place for item in entry.value.items)
    return ()


def _with_warnings(places: Sequence[Place], contract: Contract) -> tuple[Place, ...]:
    """A place for each objective: an internal one stands where the one before it does."""
    out: list[Place] = []
    following = iter(places)
    for each in contract.objectives:
        out.append(out[-1] if each.internal else next(following))
    return tuple(out)


def _name_of(node: Node) -> str:
    if isinstance(node, Mapped):
        for entry in node.entries:
            if entry.key.text == NAME.key and isinstance(entry.value, Scalar):
                return entry.value.text[:63]
    return ""


def load_files(paths: Iterable[Path | str]) -> LoadResult:
    """Read files, and all *.yaml and *.yml of directories. A file that cannot be read is a problem too."""
    found: list[Document] = []
    for path in map(Path, paths):
        for file in _files_of(path):
            found += _read(file) if isinstance(file, Path) else [file]
    return LoadResult(_names_once(found))


def require(paths: Sequence[Path | str]) -> tuple[Contract, ...]:
    """The contracts of these files. Raises ContractError with every problem if any is an error."""
    result = load_files(paths)
    if not result.valid:
        raise ContractError(result.problems)
    return result.contracts


def _files_of(path: Path) -> "Sequence[Path | Document]":
    if not path.is_dir():
        return [path]
    try:
        files = sorted(each for each in path.iterdir() if each.suffix in SUFFIXES and each.is_file())
    except OSError as error:
        return [_unreadable(path, "unreadable", f"the directory cannot be read: {error.strerror}")]
    if not files:
        return [_unreadable(path, "no-file", "the directory holds no *.yaml file; expected contracts")]
    return files


def _read(path: Path) -> Sequence[Document]:
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except FileNotFoundError:
        return [_unreadable(path, "no-file", "there is no such file; `keeptime init URL` writes one")]
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "no valid path"
        return [_unreadable(path, "unreadable", f"the file cannot be read: {why}")]
    return load_text(data, str(path)).documents


def _unreadable(path: Path, code: str, message: str) -> Document:
    problem = Problem(str(path), 1, 1, "error", code, message)
    return Document(str(path), "", Place(1, 1), None, (problem,))


def _names_once(found: Sequence[Document]) -> tuple[Document, ...]:
    """The same documents; a valid one whose name an earlier one has becomes an error."""
    seen: dict[str, Document] = {}
    out = []
    for each in found:
        if each.contract is not None and each.name in seen:
            out.append(_repeated(each, seen[each.name]))
            continue
        if each.name:
            seen.setdefault(each.name, each)
        out.append(each)
    return tuple(out)


def _repeated(each: Document, first: Document) -> Document:
    where = f"{first.file}:{first.place.line}"
    message = f"two contracts are named '{each.name}' (the first at {where}); a name stands for one contract"
    problem = Problem(each.file, each.place.line, each.place.column, "error", "duplicate-contract", message)
    return Document(each.file, each.name, each.place, None, in_order([*each.problems, problem]))
