"""A port where nobody answers, for as long as a test needs it.

Guarantees: connections are refused, and no other process is given the port meanwhile: it stays bound, unlistened.
"""

import socket
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def nobody_listening() -> Iterator[int]:
    """A TCP port of 127.0.0.1 that refuses every connection inside the block."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield int(held.getsockname()[1])
