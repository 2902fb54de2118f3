"""Where observations go."""

from typing import Protocol

from keeptime.model.batch import Batch
from keeptime.model.sample import Sample, Skipped


class Counting(Protocol):
    """Any thread may call it."""

    def add(self, outcome: Sample | Skipped) -> None: ...

    def put_batch(self, batch: Batch) -> None: ...
