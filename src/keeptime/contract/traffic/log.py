"""The fields of `observe: - log:`: an access log that grows."""

from dataclasses import dataclass

from keeptime.contract.kinds import Text
from keeptime.contract.references import FilePath
from keeptime.contract.shapes import Field, Row, Table
from keeptime.contract.traffic.source import Traffic
from keeptime.contract.traffic.written import Terms, given


@dataclass(frozen=True, slots=True)
class Log(Traffic):
    """The lines that are added to the file at `path`; `format`: how one is written."""

    path: str
    format: str

    @property
    def said(self) -> str:
        return f"{self.format} log {self.path}"


PATH = Field("path", FilePath(), "The access log.", required=True)
FORMAT = Field("format", Text(), "How a line is written: nginx, envoy or json.", required=True)


def _log(row: Row) -> Traffic:
    return Log("log", row.need(PATH), row.need(FORMAT))


LOG_TABLE = Table("log", "Follow an access log.", (PATH, FORMAT), _log)
LOG: Field[Traffic] = Field("log", LOG_TABLE, "Follow an access log.")


def written(one: Log) -> Terms:
    return given(path=one.path, format=one.format)
