"""Nothing is dropped in silence: a key that no reader knows is named, wherever it stands."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from keeptime.contract.importing.found import Settings
from keeptime.contract.importing.reading import import_files

from .given import EXAMPLES, OPENSLO, PYRRA, SLOTH

EXAMPLE_TEXTS = [
    (path.stem.partition("-")[0], path.read_text("utf-8").partition("    - name: plugged")[0])
    for path in sorted(EXAMPLES.iterdir())
]
TEXTS = [("sloth", SLOTH), ("pyrra", PYRRA), ("openslo", OPENSLO), *EXAMPLE_TEXTS]
"""Files that can be said whole."""


def _mappings(tree: object, path: str = "") -> Iterator[tuple[str, dict]]:
    if isinstance(tree, dict):
        yield path, tree
        for key, each in tree.items():
            yield from _mappings(each, f"{path}.{key}")
    if isinstance(tree, list):
        for number, each in enumerate(tree):
            yield from _mappings(each, f"{path}.{number}")


def _named(messages: list[str], path: str) -> bool:
    """Is the key that stands below this path named, or what it stands in?"""
    keys = ["unheard", *path.split(".")[1:]]
    return any(f"'{key}' is left out" in message for key in keys for message in messages)


@pytest.mark.parametrize(("kind", "text"), TEXTS, ids=[f"{kind}-{at}" for at, (kind, _) in enumerate(TEXTS)])
def test_a_key_that_nobody_knows_is_named(kind: str, text: str, tmp_path: Path) -> None:
    documents = [each for each in yaml.safe_load_all(text) if each]
    file = tmp_path / "x.yml"
    silent = []
    for number, document in enumerate(documents):
        for path, mapping in list(_mappings(document)):
            mapping["unheard"] = {"of": "it"}
            file.write_text(yaml.safe_dump_all(documents))
            del mapping["unheard"]
            found = import_files(kind, [str(file)], Settings(), "contracts.yaml")
            assert found.whole
            if not _named([each.message for each in found.problems], path):
                silent.append(f"{number}{path}")
    assert silent == []
