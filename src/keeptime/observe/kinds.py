"""Which kinds of probe there are, and what each makes of an endpoint: one line for each.

Guarantees: what cannot be asked as configured raises ProbeError here, before a probe is due.
"""

from collections.abc import Callable, Mapping

from keeptime.contract.probed import Endpoint, Kind, Probe
from keeptime.observe.asking import Asks
from keeptime.observe.grpc.asking import grpc
from keeptime.observe.oip import oip
from keeptime.observe.streams.asking import completing, streaming
from keeptime.observe.target import Asking
from keeptime.observe.tcp import tcp

Made = tuple[Endpoint, Asking]
"""The endpoint as this kind asks it, and what asks."""


def _plain(endpoint: Endpoint, _probe: Probe) -> Made:
    return endpoint, Asks()


KINDS: Mapping[Kind, Callable[[Endpoint, Probe], Made]] = {
    Kind.HTTP: _plain,
    Kind.OPENAI: completing,
    Kind.SSE: streaming,
    Kind.NDJSON: streaming,
    Kind.GRPC: grpc,
    Kind.OIP: oip,
    Kind.TCP: tcp,
}
