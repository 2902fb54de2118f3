"""The live table in terminals of two widths."""

import io

import pytest
from rich.console import Console

from keeptime.cli.live import WIDE, table
from keeptime.model.verdict import Condition
from keeptime.testing.showable import FakeShowable, contract, verdict, view

WHY = "110 of 156 requests were slow or failed in the last 21 s: 6.74 times what 99% allows"


def drawn(width: int) -> list[str]:
    promised = contract()
    shown = FakeShowable([view(promised, [verdict(promised, Condition.AT_RISK, good=46, bad=110, reason=WHY)])])
    out = io.StringIO()
    Console(file=out, width=width).print(table(shown.snapshot(), "http://127.0.0.1:5337", wide=width >= WIDE))
    return out.getvalue().splitlines()


@pytest.mark.parametrize("width", [80, WIDE, 200])
def test_every_word_is_whole(width: int) -> None:
    lines = drawn(width)
    words = " ".join(lines).replace(":", "").split()
    wanted = (*WHY.replace(":", "").split(), "at_risk", "29.49%", "sentiment-latency", "500ms")
    assert [word for word in wanted if word not in words] == []
    assert len(lines) < 14


def test_a_wide_one_has_a_column_for_each_figure() -> None:
    assert "burn" in drawn(WIDE)[2]
    assert "burn" not in drawn(80)[2]
