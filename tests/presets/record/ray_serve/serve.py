"""A model on Ray Serve that answers at once, slowly, or not at all. Arguments: port, port of the metrics."""

import asyncio
import os
import signal
import sys

import ray
from ray import serve
from starlette.requests import Request


@serve.deployment(name="Sentiment")
class Sentiment:
    async def __call__(self, request: Request) -> str:
        asked = await request.json()
        await asyncio.sleep(asked.get("seconds", 0))
        if asked.get("fail"):
            raise RuntimeError("no such model")
        return "positive"


if __name__ == "__main__":
    ray.init(
        num_cpus=2,
        include_dashboard=False,
        object_store_memory=10**8,
        _metrics_export_port=int(sys.argv[2]),
        _node_ip_address="127.0.0.1",
    )
    serve.start(http_options={"host": "127.0.0.1", "port": int(sys.argv[1])})
    serve.run(Sentiment.bind(), name="sentiment", route_prefix="/predict")
    print("ready", os.getpid(), flush=True)
    signal.sigwait([signal.SIGTERM, signal.SIGINT])
    serve.shutdown()
    ray.shutdown()
