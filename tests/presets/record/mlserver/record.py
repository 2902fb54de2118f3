"""What MLServer's metrics say after 5 fast requests, 2 that take 0.3 s, 1 that fails and 1 for no model."""

import json
import shutil
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from recording import ask, expect, free_port, keep, serving


def _body(seconds: float) -> object:
    return {"inputs": [{"name": "in", "shape": [1], "datatype": "FP64", "data": [seconds]}]}


def _record(folder: Path, output: str) -> None:
    http, grpc, metrics = free_port(), free_port(), free_port()
    shutil.copy(Path(__file__).with_name("model.py"), folder)
    settings = {"host": "127.0.0.1", "http_port": http, "grpc_port": grpc, "metrics_port": metrics}
    (folder / "settings.json").write_text(json.dumps({**settings, "parallel_workers": 0}))
    model = {"name": "sentiment", "implementation": "model.Sentiment", "parameters": {"version": "v1"}}
    (folder / "model-settings.json").write_text(json.dumps(model))
    path = "/v2/models/sentiment/infer"
    command = [str(Path(sys.executable).with_name("mlserver")), "start", "."]
    with serving(command, lambda: expect(200, http, "/v2/health/ready"), folder):
        for seconds in (0, 0, 0, 0, 0, 0.3, 0.3):
            expect(200, http, path, _body(seconds))
        expect(500, http, path, _body(-1))
        expect(404, http, "/v2/models/none/infer", _body(0))
        text = ask(metrics, "/metrics")[1]
    names = r"model_infer_request(_success|_failure|_duration)?|rest_server_request(s|_duration_seconds)"
    keep("mlserver", __doc__ or "", text, names, output)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        _record(Path(folder), sys.argv[1])
