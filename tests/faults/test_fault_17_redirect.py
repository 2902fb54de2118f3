"""Fault 17: a redirect → a failure, and not followed: by any receiver, by a probe, by what reads a Prometheus."""

import asyncio
from urllib.parse import urlsplit

import pytest

from keeptime.contract.probed import Endpoint, Probe
from keeptime.contract.sources import CounterPair
from keeptime.contract.terms import PrometheusSource
from keeptime.errors import DeliveryError, SourceError
from keeptime.model.alert import Address
from keeptime.model.sample import Failure
from keeptime.observe.once import probe_once
from keeptime.observe.series.api import PrometheusApi
from keeptime.tell.receivers.registry import KINDS
from keeptime.tell.trial import trial
from keeptime.testing.recorder import Recorder, recording, status
from tests.tell.given import NOW, contract

BY_HTTP = {
    "webhook": Address("checkout", "webhook", "env:PLACE"),
    "alertmanager": Address("operators", "alertmanager", "env:PLACE"),
    "slack": Address("operators", "slack", "env:PLACE"),
    "pagerduty": Address("operators", "pagerduty", "env:KEY", options=(("url", "env:PLACE"),)),
}


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("kind", BY_HTTP)
def test_fault_17_no_receiver_follows_a_redirect(kind: str, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", "r0uting")

    async def story() -> None:
        async with recording() as elsewhere, recording([status(code, location=elsewhere.url)]) as place:
            monkeypatch.setenv("PLACE", place.url)
            receiver = KINDS[kind]()
            with pytest.raises(DeliveryError, match=f"{code}, a redirect, which is not followed"):
                await receiver.send(trial(contract(BY_HTTP[kind]), BY_HTTP[kind], NOW), NOW)
            await receiver.close()
            assert (len(place.requests), elsewhere.requests) == (1, [])

    asyncio.run(story())


def test_fault_17_a_probe_judges_the_redirect_itself() -> None:
    async def story() -> None:
        async with recording() as elsewhere, recording([status(302, location=elsewhere.url)]) as place:
            where = Endpoint(place.url)
            sample = await asyncio.to_thread(probe_once, where, Probe(10.0, 2.0), contract="c")
            assert (sample.failure, sample.status) == (Failure.STATUS, 302)
            assert elsewhere.requests == []

    asyncio.run(story())


def test_fault_17_a_prometheus_that_redirects_is_not_read() -> None:
    async def asked(place: Recorder) -> None:
        parts = urlsplit(place.url)
        api = PrometheusApi(PrometheusSource(CounterPair(), f"{parts.scheme}://{parts.netloc}", timeout=2.0))
        with pytest.raises(SourceError, match="a redirect, which is not followed"):
            await api.instant("up", 1.0)
        await api.close()

    async def story() -> None:
        async with recording() as elsewhere, recording([status(307, location=elsewhere.url)]) as place:
            await asked(place)
            assert elsewhere.requests == []

    asyncio.run(story())
