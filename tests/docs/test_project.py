"""Versions agree, the lock is pinned and names no registry, the benches are told of."""

import re
import tomllib

import pytest

import keeptime

from .pages import ROOT, text_of

LOCK = text_of(ROOT / "requirements.lock")
TOOLS = text_of(ROOT / "requirements.tools.lock")
PROJECT = tomllib.loads(text_of(ROOT / "pyproject.toml"))


def test_the_version_is_the_same_everywhere() -> None:
    newest = re.search(r"^## \[(?:Unreleased / )?([0-9.]+)\]", text_of(ROOT / "CHANGELOG.md"), re.MULTILINE)
    assert newest is not None
    assert newest[1] == keeptime.__version__ == PROJECT["project"]["version"]


@pytest.mark.parametrize("lock", [LOCK, TOOLS], ids=["packages", "tools"])
def test_a_lock_names_no_registry(lock: str) -> None:
    assert "://" not in lock
    assert re.search(r"index-url|find-links|trusted-host", lock) is None
    assert not [name for name in ("uv.lock", "pylock.toml", "poetry.lock") if (ROOT / name).exists()]


@pytest.mark.parametrize(("lock", "least"), [(LOCK, 30), (TOOLS, 10)], ids=["packages", "tools"])
def test_every_package_is_pinned_by_hash(lock: str, least: int) -> None:
    entries = re.split(r"^(?=[A-Za-z0-9])", lock, flags=re.MULTILINE)[1:]
    assert len(entries) > least
    assert [entry.split()[0] for entry in entries if not re.match(r"[\w.\-\[\]]+==\S+", entry)] == []
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []


def test_the_extra_of_the_demo_is_locked() -> None:
    for requirement in PROJECT["project"]["optional-dependencies"]["demo"]:
        name = re.match(r"[\w-]+", requirement)
        assert name is not None
        assert re.search(rf"^{name[0]}==", LOCK, re.MULTILINE)


def test_continuous_integration_runs_the_tests() -> None:
    assert "make test" in text_of(ROOT / ".ci/run").splitlines()


def test_every_bench_is_run_by_all_and_told_of() -> None:
    benches = {path.stem for path in ROOT.glob("bench/*.py") if "__main__" in text_of(path) and path.stem != "all"}
    benches |= {path.parent.name for path in ROOT.glob("bench/*/__main__.py")}
    told = text_of(ROOT / "docs/performance.md")
    listed = re.search(r"^BENCHES = \((.*?)\)", text_of(ROOT / "bench/all.py"), re.MULTILINE | re.DOTALL)
    assert listed is not None
    names = set(re.findall(r'"(\w+)"', listed[1]))
    assert names <= benches
    assert [name for name in sorted(names) if f"bench.{name}" not in told and f"bench/{name}" not in told] == []


def test_every_target_of_make_is_in_contributing() -> None:
    targets = set(re.findall(r"^([a-z]+):", text_of(ROOT / "Makefile"), re.MULTILINE)) - {"help"}
    told = text_of(ROOT / "CONTRIBUTING.md") + text_of(ROOT / "README.md")
    assert [target for target in sorted(targets) if f"make {target}" not in told] == []


def test_the_licence_is_the_one_that_is_named() -> None:
    assert PROJECT["project"]["license"] == "Apache-2.0"
    assert "Version 2.0, January 2004" in text_of(ROOT / "LICENSE")


def test_the_two_locks_agree() -> None:
    """The tools are installed beside the packages."""
    packages, tools = (dict(re.findall(r"^([\w.-]+)==(\S+)", lock, re.MULTILINE)) for lock in (LOCK, TOOLS))
    assert {name: (packages[name], tools[name]) for name in packages.keys() & tools.keys()} == {
        name: (packages[name], packages[name]) for name in packages.keys() & tools.keys()
    }
