"""What BentoML's metrics say after 5 fast requests, 2 that take 0.3 s, 1 that fails and 1 that is malformed."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from recording import ask, expect, free_port, keep, serving

if __name__ == "__main__":
    port = free_port()
    command = [sys.executable, "-m", "bentoml", "serve", "service:Sentiment", "--port", str(port)]
    with serving(
        [*command, "--host", "127.0.0.1"],
        lambda: expect(200, port, "/readyz"),
        Path(__file__).parent,
        {"BENTOML_DO_NOT_TRACK": "True"},
    ):
        for seconds in (0, 0, 0, 0, 0, 0.3, 0.3):
            expect(200, port, "/predict", {"seconds": seconds})
        expect(500, port, "/predict", {"fail": True})
        expect(400, port, "/predict", {"seconds": "soon"})
        text = ask(port, "/metrics")[1]
    keep("bentoml", __doc__ or "", text, r"bentoml_service_request_(duration_seconds|total)", sys.argv[1])
