"""What model servers serve: recorded from the real ones, or written by hand after their sources."""

from functools import cache
from pathlib import Path

from keeptime.middleware import Labels, Recorder, expose
from keeptime.middleware.memory import PrivateMemory

HERE = Path(__file__).parent
RECORDED = sorted((HERE / "recordings").glob("*.txt"))
DESCRIBED = sorted((HERE / "described").glob("*.txt"))
OWN = "keeptime"
EVERY = [OWN, *(path.stem for path in (*RECORDED, *DESCRIBED))]
"""Names of presets."""


def page(name: str) -> bytes:
    if name == OWN:
        return _own()
    return next(path for path in (*RECORDED, *DESCRIBED) if path.stem == name).read_bytes()


@cache
def _own() -> bytes:
    """What keeptime's own middleware serves after 3 requests, of which 2 streamed, 1 that failed and 1 that the
    client got wrong."""
    recorder = Recorder(memory=PrivateMemory(), thresholds=[0.5])
    for stream in (False, True, True):
        call = recorder.begin()
        for _ in range(3 if stream else 0):
            call.chunk()
        call.end(Labels("/predict", "llama"))
    recorder.begin().end(Labels("/predict", "llama"), "error")
    recorder.begin().end(Labels("/predict", "llama"), client_error=True)
    return expose(recorder).body
