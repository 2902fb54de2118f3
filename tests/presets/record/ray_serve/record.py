"""What Ray Serve's metrics say after 5 fast requests, 2 that take 0.3 s, 2 that fail and 1 for no route."""

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from recording import ask, expect, free_port, keep, serving

QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}
REPORTED = 15
"""Seconds until Ray's agent has taken over what a worker counted."""

if __name__ == "__main__":
    port, metrics = free_port(), free_port()
    command = [sys.executable, str(Path(__file__).with_name("serve.py")), str(port), str(metrics)]
    with serving(command, lambda: expect(200, port, "/-/healthz"), env=QUIET):
        for seconds in (0, 0, 0, 0, 0, 0.3, 0.3):
            expect(200, port, "/predict", {"seconds": seconds})
        for _ in range(2):
            expect(500, port, "/predict", {"fail": True})
        expect(404, port, "/none", {})
        time.sleep(REPORTED)
        text = ask(metrics, "/metrics")[1]
    names = (
        "ray_serve_(http_request_latency_ms|deployment_processing_latency_ms|num_http_requests(_total)?"
        "|num_http_error_requests(_total)?|deployment_request_counter(_total)?|deployment_error_counter(_total)?)"
    )
    keep("ray", __doc__ or "", text, names, sys.argv[1])
