"""A FastAPI application that answers at once, slowly, or not at all. Arguments: whose metrics it serves; a port."""

import asyncio
import sys

import uvicorn
from fastapi import FastAPI

app = FastAPI()


@app.get("/predict/{seconds}")
async def predict(seconds: float) -> str:
    await asyncio.sleep(seconds)
    return "positive"


@app.get("/fail")
async def fail() -> str:
    raise RuntimeError("no such model")


if __name__ == "__main__":
    if sys.argv[1] == "starlette_exporter":
        from starlette_exporter import PrometheusMiddleware, handle_metrics

        app.add_middleware(PrometheusMiddleware)
        app.add_route("/metrics", handle_metrics)
    else:
        from prometheus_fastapi_instrumentator import Instrumentator

        Instrumentator().instrument(app).expose(app)
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[2]))
