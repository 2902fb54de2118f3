"""A process of this machine that serves a model, as a frozen value of a contract. Does no I/O."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Process:
    """By its number, or by the file that has it (`pid` is None then). `seconds`: how long it is looked at."""

    pid: int | None
    pid_file: str
    seconds: float = 3.0
