"""Puts the demo on: finds the example model, tells the story, prints what the consumer received, clears up."""

import importlib.util
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.table import Table

import keeptime
from keeptime.demo.children import Children, DemoError
from keeptime.demo.story import Ending, Story, now, time_of_day

NEEDED = {"flask": "flask", "sklearn": "scikit-learn"}


def perform(keep: bool, out: TextIO) -> Ending:
    """The whole demo. Raises DemoError where it cannot go on; then, too, nothing is left running."""
    model, began = example_model(), now()
    folder = Path(tempfile.mkdtemp(prefix="keeptime-demo-"))

    def say(text: str) -> None:
        print(f"{time_of_day(now())}  {text}".rstrip() if text else "", file=out, flush=True)

    kept = False
    try:
        with Children(folder) as children:
            ending = Story(folder, model, children, say).tell()
            _show(ending, out)
            if keep:
                ending, kept = replace(ending, kept=tuple(children.set_free())), True
    finally:
        if not kept:
            shutil.rmtree(folder, ignore_errors=True)
    _say_goodbye(ending, folder, now() - began, out)
    return ending


def example_model() -> Path:
    """The folder of examples/flask_model: in the installed package, or in the source tree beside `src`."""
    package = Path(keeptime.__file__).parent
    places = (package / "_examples" / "flask_model", package.parents[1] / "examples" / "flask_model")
    found = next((place for place in places if (place / "serve.py").is_file()), None)
    if found is None:
        raise DemoError(f"the example model is not installed; looked in {' and '.join(map(str, places))}")
    absent = [name for module, name in NEEDED.items() if importlib.util.find_spec(module) is None]
    if absent:
        raise DemoError(f"the example model needs more than keeptime does; run: pip install {' '.join(absent)}")
    return found


def _show(ending: Ending, out: TextIO) -> None:
    table = Table(title="What the consumer received", title_justify="left")
    for column in ("at (UTC)", "message", "reason"):
        table.add_column(column)
    for each in ending.received:
        table.add_row(time_of_day(each.at), each.topic, each.reason)
    print(file=out)
    Console(file=out, highlight=False, markup=False).print(table)
    for topic in ending.missing:
        print(f"MISSING: the consumer did not receive '{topic}' in its place", file=out)


def _say_goodbye(ending: Ending, folder: Path, seconds: float, out: TextIO) -> None:
    if not ending.kept:
        print(f"That took {seconds:.0f} s. Nothing is left running.", file=out)
        return
    print(f"That took {seconds:.0f} s. Everything is left running; its files are in {folder}", file=out)
    for name, url in ending.addresses.items():
        print(f"  {name:<9} {url}", file=out)
    print(f"Stop it all with: kill {' '.join(map(str, ending.kept))}", file=out, flush=True)
