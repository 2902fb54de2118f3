"""A model on KServe's Python server that answers at once, slowly, or not at all."""

import asyncio

from kserve import Model, ModelServer


class Sentiment(Model):
    def __init__(self) -> None:
        super().__init__("sentiment")
        self.ready = True

    async def predict(self, payload, headers=None, response_headers=None):  # type: ignore[no-untyped-def]
        await asyncio.sleep(payload.get("seconds", 0))
        if payload.get("fail"):
            raise RuntimeError("no such model")
        return {"predictions": ["positive"]}


if __name__ == "__main__":
    ModelServer().start([Sentiment()])
