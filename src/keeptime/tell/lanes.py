"""One lane per address, so that who hangs delays only itself. Knows neither messages nor the store."""

import asyncio

from keeptime.model.alert import Address
from keeptime.tell.ports import Receiver

WIDTH = 4
"""Deliveries (of different contracts) in flight to one address."""


class Lanes:
    """`async with lanes.of(address, receiver):` around all that is sent there.

    A receiver that is refreshed gets one place, so that a refresh never overtakes a message.
    """

    def __init__(self) -> None:
        self._lanes: dict[str, asyncio.Semaphore] = {}

    def of(self, address: Address, receiver: Receiver) -> asyncio.Semaphore:
        name = f"{address.kind}:{address.target}"
        lane = self._lanes.get(name)
        if lane is None:
            refreshed = hasattr(receiver, "refresh_every")  # isinstance of a Protocol takes 50 times as long
            lane = self._lanes[name] = asyncio.Semaphore(1 if refreshed else WIDTH)
        return lane
