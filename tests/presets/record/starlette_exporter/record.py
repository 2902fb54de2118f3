"""A FastAPI application with starlette-exporter."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from fastapi_server import record

NAMES = r"starlette_request_duration_seconds|starlette_requests_total"

if __name__ == "__main__":
    record("starlette_exporter", "starlette-exporter", NAMES, sys.argv[1])
