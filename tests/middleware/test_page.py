"""The page's own code runs."""

from typing import Any

import pytest

from tests.docs.pages import ROOT, Block, blocks

from .asking import ask

PYTHON = [each for each in blocks("python") if each.page == ROOT / "docs/middleware.md"]


@pytest.mark.parametrize("block", PYTHON, ids=str)
def test_a_block_of_the_page_runs(block: Block) -> None:
    names: dict[str, Any] = {}
    exec(compile(block.text, str(block), "exec"), names)
    if "metrics=" in block.text:
        assert b"keeptime_server_requests" in ask(names["app"], "/metrics")[1]["body"]
