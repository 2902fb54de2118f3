"""The field `stacks`: the process of the model, to be looked at with py-spy while an alert fires.

Guarantees: exactly one way to find it is named. What is run is never a contract's to say.
"""

from keeptime.contract.kinds import Duration, Whole
from keeptime.contract.process import Process
from keeptime.contract.references import FilePath
from keeptime.contract.report import one_of
from keeptime.contract.shapes import Field, Row, Table

MOST_PID = 4_194_304
PID = Field("pid", Whole(2, MOST_PID), "The process's number, on the machine of keeptime.")
PID_FILE = Field("pid_file", FilePath(needed=False), "The file that has its number; read anew for each look.")
FOR = Field("for", Duration(1, 30, "3s"), "How long it is looked at, ten times, when an alert fires.", default="3s")


def _process(row: Row) -> Process:
    named = [each for each in (PID, PID_FILE) if row.find(each) is not None]
    row.sound()
    if len(named) != 1:
        given = "both are given" if named else "none is given"
        expected = one_of([PID.key, PID_FILE.key])
        raise row.report.spoil(row.place, "one-process", f"{row.what}: {given}; expected {expected}")
    return Process(row.get(PID, None), row.get(PID_FILE, ""), row.get(FOR, 3.0))


STACKS_TABLE = Table(
    "stacks",
    "The process of the model, of which py-spy says where it stands while an alert fires.",
    (PID, PID_FILE, FOR),
    _process,
)
STACKS = Field(
    "stacks",
    STACKS_TABLE,
    "The process of the model, looked at with py-spy when an alert fires.",
    default="none: only stacks that the middleware sends",
)
