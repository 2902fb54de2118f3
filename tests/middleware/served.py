"""A model server of the tests; what it does is asked for by its query."""

import asyncio
import os
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route

from keeptime.middleware import KeeptimeMiddleware, Recorder

recorder = Recorder(thresholds={"requests": [0.05, 5.0]}, path=os.environ.get("COUNTS"))


async def predict(request: Request) -> JSONResponse:
    await asyncio.sleep(float(request.query_params.get("seconds", "0")))
    return JSONResponse({"pid": os.getpid()})


async def stream(request: Request) -> StreamingResponse:
    async def tokens() -> AsyncIterator[str]:
        for number in range(int(request.query_params.get("pieces", "5"))):
            yield f"data: {number}\n\n"
            await asyncio.sleep(0.001)

    return StreamingResponse(tokens(), media_type="text/event-stream")


inner = Starlette(routes=[Route("/predict/{item}", predict), Route("/stream", stream)])
app = KeeptimeMiddleware(inner, recorder=recorder, metrics="/metrics", consumer_header="X-Consumer")
