"""What KServe's metrics say after 5 fast requests, 2 that take 0.3 s, 1 that fails and 1 for no model."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from recording import ask, expect, free_port, keep, serving

if __name__ == "__main__":
    port, grpc = free_port(), free_port()
    command = [sys.executable, str(Path(__file__).with_name("serve.py")), "--http_port", str(port)]
    path = "/v1/models/sentiment:predict"
    with serving([*command, "--grpc_port", str(grpc)], lambda: expect(200, port, "/v1/models/sentiment")):
        for seconds in (0, 0, 0, 0, 0, 0.3, 0.3):
            expect(200, port, path, {"instances": [1], "seconds": seconds})
        expect(500, port, path, {"instances": [1], "fail": True})
        expect(404, port, "/v1/models/none:predict", {"instances": [1]})
        text = ask(port, "/metrics")[1]
    keep("kserve", __doc__ or "", text, r"request_(preprocess|predict|postprocess|explain)_seconds", sys.argv[1])
