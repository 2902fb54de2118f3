"""The fields of `observe: - otlp:`: requests that a program reports by OpenTelemetry."""

from dataclasses import dataclass

from keeptime.contract.kinds import Text
from keeptime.contract.shapes import Field, Row, Table
from keeptime.contract.traffic.source import Traffic
from keeptime.contract.traffic.written import Terms, given


@dataclass(frozen=True, slots=True)
class Otlp(Traffic):
    """Requests that a program reports by OpenTelemetry. `service`: "" for any."""

    service: str = ""


SERVICE = Field("service", Text(), "Only what comes from this service (`service.name`).", default="any")


def _otlp(row: Row) -> Traffic:
    return Otlp("otlp", row.get(SERVICE, ""))


OTLP_TABLE = Table("otlp", "Take requests that a program reports by OpenTelemetry.", (SERVICE,), _otlp)
OTLP: Field[Traffic] = Field("otlp", OTLP_TABLE, "Take requests that a program reports by OpenTelemetry.")


def written(one: Otlp) -> Terms:
    return given(service=one.service)
