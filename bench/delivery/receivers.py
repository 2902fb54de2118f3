"""Receivers in a process of their own: many that take what comes at once, and some that hang.

    python -m bench.delivery.receivers

Says {"good": port, "hanging": port} on its first line; when its input ends, one line with all arrivals: [path,
webhook-id, nanoseconds of the monotonic clock, which is one for all processes of a machine].
"""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO

from keeptime.clock import monotonic_ns

ANSWER = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"
Arrival = tuple[str, str, int]
arrivals: list[Arrival] = []


async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        at = monotonic_ns()
        lines = head.split("\r\n")
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        await reader.readexactly(int(fields.get("content-length", "0")))
        arrivals.append((lines[0].split()[1], fields.get("webhook-id", ""), at))
        writer.write(ANSWER)
        await writer.drain()
    except (ConnectionError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()


async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take the connection and say nothing until the other side has had enough."""
    try:
        while await reader.read(65_536):
            pass
    except ConnectionError:
        pass
    finally:
        writer.close()


async def serve() -> None:
    good = await asyncio.start_server(take, "127.0.0.1", 0, backlog=1024)
    hanging = await asyncio.start_server(hang, "127.0.0.1", 0, backlog=1024)
    ports = [each.sockets[0].getsockname()[1] for each in (good, hanging)]
    print(json.dumps(dict(zip(("good", "hanging"), ports, strict=True))), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    print(json.dumps(arrivals), flush=True)


@dataclass
class Heard:
    """`good`, `hanging`: ports. `arrivals`: there once the block is over."""

    good: int
    hanging: int
    arrivals: list[Arrival] = field(default_factory=list)


@contextmanager
def receiving() -> Iterator[Heard]:
    command = [sys.executable, "-m", "bench.delivery.receivers"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        said: IO[bytes] = child.stdout  # type: ignore[assignment]
        heard = Heard(**json.loads(said.readline()))
        try:
            yield heard
        finally:
            assert child.stdin is not None
            child.stdin.close()
            heard.arrivals = [(path, name, at) for path, name, at in json.loads(said.readline())]


if __name__ == "__main__":
    asyncio.run(serve())
