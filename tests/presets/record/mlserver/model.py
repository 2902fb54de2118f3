"""A model that answers at once, slowly, or not at all: as its only input says."""

import asyncio

from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceRequest, InferenceResponse


class Sentiment(MLModel):
    async def load(self) -> bool:
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        given = NumpyCodec.decode_input(payload.inputs[0])
        seconds = float(given.flat[0])
        if seconds < 0:
            raise RuntimeError("no such model")
        await asyncio.sleep(seconds)
        return InferenceResponse(model_name=self.name, outputs=[NumpyCodec.encode_output("out", given)])
