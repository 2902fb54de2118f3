"""What LiteLLM's metrics say after 4 answers at once, 3 streamed ones, 2 that fail and 1 for no model."""

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from recording import ask, expect, free_port, keep, serving

PATH = "/v1/chat/completions"


def _body(model: str, stream: bool = False) -> object:
    return {"model": model, "stream": stream, "messages": [{"role": "user", "content": "count to five"}]}


if __name__ == "__main__":
    port = free_port()
    command = [str(Path(sys.executable).with_name("litellm")), "--config", "config.yaml", "--host", "127.0.0.1"]
    offline = {
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true",
    }
    ready = lambda: expect(200, port, "/health/liveliness")  # noqa: E731
    with serving([*command, "--port", str(port)], ready, Path(__file__).parent, offline):
        for _ in range(4):
            expect(200, port, PATH, _body("mock"))
        for _ in range(3):
            expect(200, port, PATH, _body("mock", stream=True))
        for _ in range(2):
            expect(500, port, PATH, _body("broken"))
        expect(400, port, PATH, _body("none"))
        time.sleep(3)  # it counts after it has answered
        text = ask(port, "/metrics/")[1]
    names = (
        "litellm_(request_total_latency|llm_api_latency|llm_api_time_to_first_token|proxy_total_requests"
        "|proxy_failed_requests|deployment_latency_per_output_token)(_metric)?"
    )
    keep("litellm", __doc__ or "", text, names, sys.argv[1])
