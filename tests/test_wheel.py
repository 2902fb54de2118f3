"""What is installed: the wheel carries the page's assets and the example; an editable install copies nothing."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hatchling.build import build_editable, build_wheel

ROOT = Path(__file__).parents[1]


def names(build: Callable[[str], str], folder: Path, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    monkeypatch.chdir(ROOT)
    return set(zipfile.ZipFile(folder / build(str(folder))).namelist())


def test_the_wheel_has_assets_and_the_example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = names(build_wheel, tmp_path, monkeypatch)
    sources = (ROOT / "src" / "keeptime").rglob("*")
    kept = {f"keeptime/{path.relative_to(ROOT / 'src' / 'keeptime')}" for path in sources if path.is_file()}
    assert {name for name in kept if "__pycache__" not in name} <= inside
    for name in ("serve.py", "faults.py", "uniform.py", "model.py", "sla.yaml", "README.md"):
        assert f"keeptime/_examples/flask_model/{name}" in inside
    assert not [name for name in inside if name.startswith(("tests/", "examples/")) or "__pycache__" in name]


def test_an_editable_install_uses_the_source_tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not [name for name in names(build_editable, tmp_path, monkeypatch) if name.startswith("keeptime/")]
