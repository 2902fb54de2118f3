"""Whatever is thrown at it: it returns, with problems that have a place, and what it writes loads."""

import random
import tempfile
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from keeptime.contract.importing.found import Settings
from keeptime.contract.importing.reading import import_files
from keeptime.contract.load import load_text
from keeptime.export import openslo
from tests.export.promises import observed

from .given import EXAMPLES, OPENSLO, PYRRA, SLOTH

SEEDS = [
    *((kind, text.encode()) for kind, text in (("sloth", SLOTH), ("pyrra", PYRRA), ("openslo", OPENSLO))),
    ("openslo", next(iter(openslo.files([observed("probed")]).values())).encode()),
    ("openslo", next(iter(openslo.files([observed("classic")]).values())).encode()),
    *((path.stem.partition("-")[0], path.read_bytes()) for path in sorted(EXAMPLES.iterdir())),
]
BITS = [
    b"\n",
    b"  ",
    b"- ",
    b"[",
    b"{",
    b"}",
    b"]",
    b": ",
    b"'",
    b'"',
    b"#",
    b"---\n",
    b"0",
    b"x",
    b"null",
    b"&a ",
    b"(",
    b")",
]
KINDS = st.sampled_from(["sloth", "pyrra", "openslo"])
SLOTH_WORDS = [
    "service",
    "slos",
    "name",
    "objective",
    "sli",
    "events",
    "raw",
    "error_query",
    "total_query",
    "alerting",
]
KUBERNETES_WORDS = [
    "apiVersion",
    "kind",
    "metadata",
    "spec",
    "indicator",
    "ratio",
    "errors",
    "total",
    "metric",
    "items",
]
OPENSLO_WORDS = [
    "target",
    "window",
    "objectives",
    "timeWindow",
    "budgetingMethod",
    "ratioMetric",
    "thresholdMetric",
]
WORDS = st.sampled_from([*SLOTH_WORDS, *KUBERNETES_WORDS, *OPENSLO_WORDS])
LEAVES = st.none() | st.integers() | st.floats() | st.text(max_size=12) | WORDS
TREES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=5), max_leaves=20
)


def _sound(kind: str, data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "x.yml"
        file.write_bytes(data)
        found = import_files(kind, [str(file)], Settings(), "contracts.yaml")
    assert found.names or found.problems
    for problem in found.problems:
        assert problem.line >= 1
        assert problem.column >= 1
        assert problem.file == str(file)
        assert "\n" not in str(problem)
    if found.names:
        result = load_text(found.text.encode(), "contracts.yaml")
        assert result.valid
        assert tuple(each.name for each in result.contracts) == found.names


@settings(deadline=None)
@given(KINDS, st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace")))
def test_any_bytes(kind: str, data: bytes) -> None:
    _sound(kind, data)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(SEEDS), st.randoms(use_true_random=False))
def test_files_with_bits_put_in_and_taken_out(seed: tuple[str, bytes], chance: random.Random) -> None:
    kind, text = seed
    data = bytearray(text)
    for _ in range(chance.randint(1, 4)):
        at, much = chance.randrange(len(data)), chance.randint(0, 8)
        data[at : at + much] = chance.choice(BITS) if chance.random() < 0.6 else b""
    _sound(kind, bytes(data))


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(SEEDS), st.randoms(use_true_random=False), TREES)
def test_any_tree_in_any_place(seed: tuple[str, bytes], chance: random.Random, tree: object) -> None:
    kind, text = seed
    documents = [each for each in yaml.safe_load_all(text) if each]
    place = chance.choice(documents)
    while isinstance(place, dict) and place:
        key = chance.choice(list(place))
        if not isinstance(place[key], dict | list) or chance.random() < 0.3:
            place[key] = tree
            break
        place = place[key][0] if isinstance(place[key], list) else place[key]
    _sound(kind, yaml.safe_dump_all(documents).encode())


@pytest.mark.parametrize("kind", ["sloth", "pyrra", "openslo"])
def test_the_seeds_themselves_are_sound(kind: str) -> None:
    for seed_kind, data in SEEDS:
        if seed_kind == kind:
            _sound(kind, data)
