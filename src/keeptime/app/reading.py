"""Contracts read from their files: all of them, with what they refer to on this machine, or none.

Guarantees: no contract is given out unless every file is valid and every `env:` and `file:` reference has a value;
values are read and forgotten. The same for a start and for a reload.
"""

import logging
from collections.abc import Sequence

from keeptime.app.soundness import doubts
from keeptime.contract.load import load_files
from keeptime.contract.terms import Contract
from keeptime.errors import ContractError, Problem

log = logging.getLogger("keeptime")


def read_contracts(paths: Sequence[str], tick_seconds: float) -> tuple[Contract, ...]:
    """The contracts, with warnings logged. Raises ContractError with all problems if one is invalid, or lacks
    on this machine what it refers to."""
    result = load_files(paths)
    found = [*result.problems]
    for document in result.documents:
        found += doubts(document, tick_seconds)
    errors = [each for each in found if each.severity == "error" or each.code == "no-value"]
    if errors:
        raise ContractError([_as_error(each) for each in errors])
    for problem in found:
        log.warning("%s", problem)
    return result.contracts


def _as_error(problem: Problem) -> Problem:
    return Problem(problem.file, problem.line, problem.column, "error", problem.code, problem.message)
