"""A real Alertmanager on a port of the system's choice, which passes what it is told to a webhook."""

import asyncio
import json
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

BINARY = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")

CONFIG = """
route: {{receiver: hook, group_by: [alertname], group_wait: 100ms, group_interval: 200ms, repeat_interval: 1h}}
receivers: [{{name: hook, webhook_configs: [{{url: "{hook}", send_resolved: true}}]}}]
"""


@dataclass(frozen=True)
class Alertmanager:
    url: str

    async def firing(self) -> list[dict[str, dict[str, str]]]:
        """The alerts that are active there now."""
        async with aiohttp.ClientSession() as session, session.get(f"{self.url}/api/v2/alerts") as response:
            alerts: list[dict[str, dict[str, str]]] = json.loads(await response.read())
            return alerts


@asynccontextmanager
async def alertmanager(folder: Path, hook: str) -> AsyncIterator[Alertmanager]:
    assert BINARY is not None
    config = folder / "alertmanager.yaml"
    config.write_text(CONFIG.format(hook=hook))
    process = await asyncio.create_subprocess_exec(
        BINARY,
        f"--config.file={config}",
        f"--storage.path={folder}",
        "--web.listen-address=127.0.0.1:0",
        "--cluster.listen-address=",
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    try:
        async with asyncio.timeout(20):
            url = await _listening(process.stderr)
        drained = asyncio.create_task(process.stderr.read())
        yield Alertmanager(url)
    finally:
        process.kill()
        await process.wait()
    await drained


async def _listening(lines: asyncio.StreamReader) -> str:
    said = []
    while line := (await lines.readline()).decode():
        said.append(line)
        if match := re.search(r'msg="?Listening on"? address=(\S+)', line):
            return f"http://{match[1]}"
    raise AssertionError("Alertmanager did not start:\n" + "".join(said))
