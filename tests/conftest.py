"""What holds for every test: no property has a deadline, for nothing is asserted on absolute time; and the one
PostgreSQL that all of a run share."""

from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.postgres import Databases, shared

settings.register_profile("keeptime", deadline=None, max_examples=50)
settings.load_profile("keeptime")


@pytest.fixture(scope="session")
def databases(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Databases]:
    """Of a server that is started for the first test that asks, and ends after the last process of the run."""
    folder = tmp_path_factory.getbasetemp()
    with shared(folder if worker_id == "master" else folder.parent) as url:
        yield Databases(url)
