"""What model servers serve: recorded from the real ones, or written by hand after their sources."""

from pathlib import Path

HERE = Path(__file__).parent
RECORDED = sorted((HERE / "recordings").glob("*.txt"))
DESCRIBED = sorted((HERE / "described").glob("*.txt"))
EVERY = {path.stem: path for path in (*RECORDED, *DESCRIBED)}
"""By the name of the preset."""


def page(name: str) -> bytes:
    return EVERY[name].read_bytes()
