"""A FastAPI application with prometheus-fastapi-instrumentator."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from fastapi_server import record

NAMES = r"http_request_duration(_highr)?_seconds|http_requests_total"

if __name__ == "__main__":
    record("fastapi_instrumentator", "prometheus-fastapi-instrumentator", NAMES, sys.argv[1])
