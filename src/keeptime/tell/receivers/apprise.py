"""`apprise:env:NAME`: any of the services that Apprise knows, by its URL; needs the extra `keeptime[apprise]`.

Guarantees: the URL, which holds the secrets, is looked up when sending and is in no error and no log; every address
that Apprise connects to is checked at that moment; it follows no redirect and uses no proxy of the environment.
Apprise blocks, so it runs in threads of its own and is waited for at most the timeout. It drops no repeats.
"""

import asyncio
import importlib
import logging
import os
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType
from typing import Any

from keeptime.errors import DeliveryError
from keeptime.model.alert import Delivery, Topic
from keeptime.model.reach import Reach
from keeptime.tell.receivers.lookup import looked_up
from keeptime.tell.receivers.names import Names, check_host
from keeptime.tell.receivers.watched import connecting
from keeptime.tell.wording import Wording, worded

TIMEOUT = 30.0
"""Seconds until an attempt is given up; Apprise itself gives a connection 4 s, and an answer 4 s."""

AT_ONCE = 16
"""Threads. One that Apprise does not come back from is not used again until it does."""

EXTRA = "apprise is not installed here; install keeptime with its extra: pip install 'keeptime[apprise]'"


class AppriseReceiver:
    """One for all services. `timeout`: seconds for one attempt."""

    def __init__(self, timeout: float = TIMEOUT) -> None:
        self._timeout = timeout
        self._names = Names()
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="keeptime-apprise")

    async def send(self, delivery: Delivery, now: float) -> str:  # noqa: ARG002 - a Protocol's signature
        url, reach = looked_up(delivery.address.target), delivery.address.reach
        try:
            async with asyncio.timeout(self._timeout):
                service = await self._off_loop(_service, url)
                host = await self._check(service, reach)
                taken = await self._off_loop(_notify, service, host, reach, worded(delivery.body), _kind(delivery))
        except TimeoutError:
            raise DeliveryError(f"no answer within {self._timeout:g} s") from None
        if not taken:
            raise DeliveryError("the service did not take it; Apprise does not say why")
        return "taken"

    async def close(self) -> None:
        await self._names.close()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _off_loop(self, call: Any, *args: object) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._threads, call, *args)

    async def _check(self, service: Any, reach: Reach) -> str:
        """Where a host of the user's own is connected to: may it be, at every address that it stands for?

        That host, "" where there is none.
        """
        host = getattr(service, "smtp_host", None) or getattr(service, "host", None)
        if not host or "host" not in service.template_tokens:
            return ""
        check_host(host, reach, host)
        try:
            found = await self._names.resolve(host)
        except OSError:
            raise DeliveryError("the name of its host was not found") from None
        _, refusal = reach.checked(host, [each["host"] for each in found])
        if refusal:
            raise DeliveryError(refusal)
        return str(host)


def _module() -> ModuleType:
    """Apprise, loaded when it is first needed: it is large. Raises DeliveryError where it is not installed."""
    try:
        found = importlib.import_module("apprise")
    except ImportError:
        raise DeliveryError(EXTRA, retry=False) from None
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)  # its lines quote addresses and tokens
    os.environ |= {"NO_PROXY": "*", "no_proxy": "*"}  # what it uses would take proxies from there
    return found


def _service(url: str) -> Any:
    """What a URL of Apprise stands for. Raises DeliveryError."""
    found = _module().Apprise.instantiate(url)
    if found is None:
        raise DeliveryError("its address is no URL of a service that Apprise knows", retry=False)
    found.redirects = False
    return found


def _notify(service: Any, host: str, reach: Reach, words: Wording, kind: str) -> bool:
    lines = [f"{heading}: {text}" for heading, text in words.lines]
    lines += [f"{name}: {url}" for name, url in words.links]
    one = _module().Apprise()
    one.add(service)
    body = "\n".join([*lines, words.footer])
    with connecting(host, reach):
        return bool(one.notify(body=body, title=words.title, notify_type=kind, body_format="text"))


def _kind(delivery: Delivery) -> str:
    """Apprise's word for how bad it is."""
    kinds = {
        Topic.BROKEN: "failure",
        Topic.NO_DATA: "failure",
        Topic.AT_RISK: "warning",
        Topic.RECOVERED: "success",
    }
    return next((kind for topic, kind in kinds.items() if topic is delivery.topic), "info")
