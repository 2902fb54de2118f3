"""A model behind FastAPI, as a team might have it: two versions at once, several workers, all requests counted.

uvicorn app:app --port 8000 --workers 4
"""

import logging
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Literal

import telemetry
from fastapi import BackgroundTasks, FastAPI, Request
from pydantic import BaseModel, Field

from keeptime.middleware import KeeptimeMiddleware, Recorder
from model import MEASUREMENTS, SAMPLE, VERSIONS, Taster

LOG = logging.getLogger("wines")
V2_DELAY = float(os.environ.get("V2_DELAY", "0"))
"""Seconds by which the second version is slower, to see what becomes of its promise."""

tasters = {version: Taster(version) for version in VERSIONS}


class Wine(BaseModel):
    """The word `sample_input` stands for a wine."""

    measurements: (
        Literal["sample_input"] | Annotated[list[float], Field(min_length=MEASUREMENTS, max_length=MEASUREMENTS)]
    )
    version: Literal["v1", "v2"] = "v1"


class Answer(BaseModel):
    vineyard: int
    confidence: float
    version: str


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    with telemetry.sending():
        yield


app = FastAPI(title="wines", lifespan=lifespan)
app.add_middleware(
    KeeptimeMiddleware,
    recorder=Recorder(thresholds=[0.2, 0.5]),  # what the contract promises is counted exactly
    metrics="/metrics",
    model="wines",
    consumer_header="X-Consumer",
)


@app.post("/predict")
def predict(wine: Wine, request: Request, later: BackgroundTasks) -> Answer:
    request.scope["keeptime.model_version"] = wine.version
    measurements = SAMPLE if wine.measurements == "sample_input" else wine.measurements
    with telemetry.prediction(wine.version, request.headers.get("x-consumer", "")):
        origin = tasters[wine.version].taste(measurements)
        time.sleep(V2_DELAY if wine.version == "v2" else 0)
    later.add_task(LOG.info, "%s said %d", wine.version, origin.vineyard)  # after the answer: no latency
    return Answer(vineyard=origin.vineyard, confidence=origin.confidence, version=wine.version)


@app.get("/")
def about() -> dict[str, float]:
    return {version: round(taster.held_out_accuracy, 4) for version, taster in tasters.items()}
