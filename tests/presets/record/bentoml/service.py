"""A model that answers at once, slowly, or not at all."""

import asyncio

import bentoml


@bentoml.service(name="sentiment")
class Sentiment:
    @bentoml.api
    async def predict(self, seconds: float = 0.0, fail: bool = False) -> str:
        await asyncio.sleep(seconds)
        if fail:
            raise RuntimeError("no such model")
        return "positive"
