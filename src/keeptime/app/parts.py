"""The parts of a daemon that must run until it ends.

Guarantees: one that ends by itself is no silence: it is logged, and keeptime ends with it.
"""

import asyncio
import logging
from collections.abc import Sequence

from keeptime.errors import KeeptimeError, StoreFailed

log = logging.getLogger(__name__)


async def none_ends(parts: Sequence[asyncio.Task[None]]) -> None:
    """Returns never; raises KeeptimeError with what ended the first of them, named by its task."""
    done, _ = await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        error, part = task.exception(), task.get_name()
        if isinstance(error, StoreFailed):
            raise error
        log.error("the part '%s' of keeptime has ended", part, exc_info=error)
        raise KeeptimeError(f"a bug of keeptime ended its part '{part}': {error!r}")
