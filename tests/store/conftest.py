"""The same tests run on both databases, but for those that are about SQLite's file itself; those of many
commits run on PostgreSQL in the soak."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.postgres import Databases
from tests.store import given

SOAK = pytest.param("postgresql", marks=pytest.mark.soak)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "kept_in" in metafunc.fixturenames:
        marks = {mark.name for mark in metafunc.definition.iter_markers()}
        more = () if "sqlite" in marks else (SOAK,) if "many" in marks else ("postgresql",)
        metafunc.parametrize("kept_in", ("sqlite", *more), indirect=True)


@pytest.fixture(autouse=True)
def kept_in(request: pytest.FixtureRequest) -> Iterator[str]:
    """Where `given.opened` opens its stores in this test."""
    if request.param == "sqlite":
        yield "sqlite"
        return
    databases: Databases = request.getfixturevalue("databases")
    with ExitStack() as stack:
        places: dict[Path, str] = {}

        def url_of(directory: Path) -> str:
            if directory not in places:
                places[directory] = stack.enter_context(databases.one())
            return places[directory]

        given.POSTGRESQL.append(url_of)
        stack.callback(given.POSTGRESQL.clear)
        yield "postgresql"
