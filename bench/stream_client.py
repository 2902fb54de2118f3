"""One client of many streams, in a process of its own; prints the gaps between tokens that it saw.

Started by bench.stream_accuracy: python -m bench.stream_client '{"who": "keeptime", "port": …}'. keeptime's engine
and counter run as in `keeptime run`; the others are what people write by hand: asyncio's streams, httpx, aiohttp.
"""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from itertools import pairwise

import aiohttp
import httpx

from keeptime.clock import wall_ns
from keeptime.contract.probed import Endpoint, Kind, Probe
from keeptime.contract.probing.streams import StreamTerms
from keeptime.contract.terms import Contract, Objective, Policy, PolicyKind, Rolling
from keeptime.model.key import Signal
from keeptime.model.sample import Sample, Skipped
from keeptime.observe.count import Counter
from keeptime.observe.engine import Engine

Order = dict[str, object]
Gaps = dict[str, list[list[tuple[float, bool]]]]
"""By name of the stream, in the order in which they were asked: nanoseconds between tokens, and whether both had an
instant of their own."""
BODY = json.dumps({"stream": True, "messages": [{"role": "user", "content": "count"}]}).encode()


def path(order: Order, index: int) -> str:
    stagger = float(str(order["gap_ms"])) * index / int(str(order["streams"]))
    script = f"ttft_ms={20 + stagger:.3f}&gap_ms={order['gap_ms']}&tokens={order['tokens']}"
    return f"/v1/chat/completions?{script}&name={order['run']}-{index}"


def by_keeptime(order: Order) -> Gaps:
    every = int(str(order["tokens"])) * float(str(order["gap_ms"])) / 1000
    contracts = [contract(order, index, every) for index in range(int(str(order["streams"])))]
    counter = Counter(contracts, 10.0, start_ns=wall_ns())
    found: Gaps = {each.name: [] for each in contracts}

    def sink(outcome: Sample | Skipped) -> None:
        counter.add(outcome)
        if isinstance(outcome, Skipped) or outcome.failure is not None or outcome.stream is None:
            raise SystemExit(f"a stream was not whole: {outcome}")
        found[outcome.contract].append([(gap / n, n == 1) for gap, n in outcome.stream.gaps for _ in range(n)])

    engine = Engine(contracts, sink, overdue=counter.overdue, stamps=bool(order.get("stamps", True)))
    engine.start()
    time.sleep(float(str(order["seconds"])))
    engine.stop(2 * every + 1)
    return found


def contract(order: Order, index: int, every: float) -> Contract:
    endpoint = Endpoint(f"http://127.0.0.1:{order['port']}{path(order, index)}", method="POST")
    terms = StreamTerms(model="m", max_tokens=int(str(order["tokens"])))
    probes = (Probe(every, 30.0, kind=Kind.OPENAI, terms=terms),)
    policy = Policy(PolicyKind.BURN_RATE)
    promised = tuple(
        Objective(of.value, 99, 0.05, Rolling(3600.0), policy, of=of)  # type: ignore[arg-type]
        for of in (Signal.FIRST_TOKEN, Signal.INTER_TOKEN)
    )
    return Contract(f"{order['run']}-{index}", "p", "m", endpoint, probes, promised, (), (), 60.0, "v", "c.yaml")


async def lines_of_asyncio(order: Order, index: int) -> AsyncIterator[bytes]:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(str(order["port"])))
    head = (
        f"POST {path(order, index)} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {len(BODY)}\r\n\r\n"
    )
    writer.write(head.encode() + BODY)
    async for line in reader:
        yield line
    writer.close()
    await writer.wait_closed()


async def lines_of_httpx(order: Order, index: int) -> AsyncIterator[bytes]:
    url = f"http://127.0.0.1:{order['port']}{path(order, index)}"
    async with (
        httpx.AsyncClient(timeout=30, trust_env=False) as client,
        client.stream("POST", url, content=BODY) as got,
    ):
        async for line in got.aiter_lines():
            yield line.encode()


async def lines_of_aiohttp(order: Order, index: int) -> AsyncIterator[bytes]:
    url = f"http://127.0.0.1:{order['port']}{path(order, index)}"
    async with aiohttp.ClientSession() as session, session.post(url, data=BODY) as got:
        async for line in got.content:
            yield line


LINES = {"asyncio": lines_of_asyncio, "httpx": lines_of_httpx, "aiohttp": lines_of_aiohttp}


async def by_hand(order: Order) -> Gaps:
    """As many streams at once, each asked again when it has ended."""
    found: Gaps = {f"{order['run']}-{index}": [] for index in range(int(str(order["streams"])))}
    until = time.monotonic() + float(str(order["seconds"]))

    async def one(index: int) -> None:
        while time.monotonic() < until:
            instants = []
            async for line in LINES[str(order["who"])](order, index):
                if line.startswith(b"data: {"):
                    choices = json.loads(line[6:])["choices"]
                    if choices and choices[0]["delta"].get("content"):
                        instants.append(time.monotonic_ns())
            found[f"{order['run']}-{index}"].append([(b - a, True) for a, b in pairwise(instants)])

    await asyncio.gather(*(one(index) for index in range(int(str(order["streams"])))))
    return found


def main(order: Order) -> None:
    began, cpu = time.monotonic(), time.process_time()
    found = by_keeptime(order) if order["who"] == "keeptime" else asyncio.run(by_hand(order))
    share = (time.process_time() - cpu) / (time.monotonic() - began)
    print(json.dumps({"gaps": found, "core_share": share}))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
