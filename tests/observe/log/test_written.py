"""A log's contract written down is the same contract, and the daemon follows it."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from keeptime.app.wire import Settings, build
from keeptime.contract.load import load_text
from keeptime.contract.written import terms

from .given import contract

LOGS = [
    "{path: a, format: nginx}",
    "{path: a, format: envoy, failed: [429, 5xx], from: start}",
    "{path: a, format: '$status $msec \"$uri\" $upstream_response_time', "
    "fields: {latency: $upstream_response_time}, match: {path: [/a, /b*], status: '< 500'}}",
    "{path: a, format: json, fields: {latency: t, unit: us, time: s, time_of: start, flags: f}, "
    "attributes: {v: a.b}}",
]


@pytest.mark.parametrize("log", LOGS)
def test_it_is_written_as_it_was_read(log: str, tmp_path: Path) -> None:
    given = contract(log, tmp_path)
    text = yaml.safe_dump(terms(given))
    (again,) = load_text(text.encode(), str(tmp_path / "c.yaml")).contracts
    assert replace(again, file="", consumers=()) == replace(given, file="", consumers=())


def test_the_daemon_follows_and_counts_what_it_says(tmp_path: Path) -> None:
    asyncio.run(_counted(tmp_path))


async def _counted(folder: Path) -> None:
    given = contract("{path: log, format: '$status $request_time', from: start}", folder)
    (folder / "log").write_text("200 0.499\n200 0.500\n200 0.501\n503 0.001\nnonsense\n")
    daemon = await build([given], Settings(folder / "data", 1.0))
    await daemon.start()
    try:
        async with asyncio.timeout(30):
            while (view := daemon.snapshot().contracts[0]).counted[0].slots < 4:
                await asyncio.sleep(0.1)
    finally:
        await daemon.stop()
    assert (view.counted[0].good, view.counted[0].bad) == (2, 2)
    assert (view.traffic[0].requests, view.traffic[0].results["malformed"]) == (4, 1)
