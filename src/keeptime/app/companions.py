"""What goes along with the running daemon: sees what each step decided, and does something of its own with it.

Guarantees: a companion sees a step once it was kept, in order, and after the messages of it were given to be sent;
the daemon waits for `see`, so it is short, and whatever takes long is done in `run`.
"""

from typing import Protocol

from keeptime.app.keeper import Kept


class Companion(Protocol):
    """One thing more that a daemon does; it joins where the daemon is wired."""

    @property
    def name(self) -> str:
        """What its part is called, should it end."""
        ...

    async def run(self) -> None:
        """Its own work, until cancelled. It never ends by itself."""
        ...

    async def see(self, kept: Kept, now: float) -> None:
        """These ticks were judged. `now`: Unix seconds."""
        ...
