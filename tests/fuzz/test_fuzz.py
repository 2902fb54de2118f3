"""Whatever comes in: a result, or an error that is documented; never a traceback, and never for long."""

import time
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keeptime.contract.load import load_text
from keeptime.contract.text import LARGEST
from tests.contract.given import BASE, codes
from tests.fuzz.targets import TARGETS, words

LONGEST = 4.0
"""Seconds of computing for the largest file, of which most that computes takes one."""
SMALLER = LARGEST // 8


@pytest.mark.parametrize("name", TARGETS)
def test_any_bytes_are_understood_or_refused(name: str) -> None:
    bits = st.sampled_from(list(words(name)))
    pieces = st.lists(
        bits | st.binary(max_size=12) | st.text(max_size=8).map(lambda text: text.encode("utf-8", "replace"))
    )
    examples = 30 if name in ("imported", "asked") else 80

    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck), derandomize=False)
    @given(pieces)
    def any_bytes(data: list[bytes]) -> None:
        TARGETS[name](b"".join(data))

    any_bytes()


def test_every_word_alone_and_every_pair_of_words() -> None:
    for name, target in TARGETS.items():
        own = [each for each in words(name) if len(each) < 500][:8]
        for first in own:
            for second in own if name not in ("imported", "asked") else own[:2]:
                target(first + second)


def _billion_laughs() -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
    return "\n".join(lines)


SHAPES: dict[str, Callable[[int], str]] = {
    "deep lists": lambda size: "a: " + "[" * size,
    "deep mappings": lambda size: "{a: " * (size // 4),
    "deep indentation": lambda size: "\n".join(" " * n + "a:" for n in range(int((2 * size) ** 0.5) - 2)),
    "many keys": lambda size: "\n".join(f"key{n}: 1" for n in range(size // 14)),
    "the same key": lambda size: "a: 1\n" * (size // 5),
    "many objectives": lambda size: BASE + "  - x\n" * (size // 6),
    "many unknown keys in one table": lambda size: (
        BASE + "addresses: {" + ", ".join(f"k{n}: 1" for n in range(size // 10)) + "}"
    ),
    "many documents": lambda size: "---\na: 1\n" * (size // 9),
    "one long word": lambda size: "a" * size,
    "one long text": lambda size: "contract: '" + "a" * (size - 20) + "'",
    "comments": lambda size: "#\n" * (size // 2),
    "anchors": lambda size: "\n".join(f"a{n}: &x{n} 1" for n in range(size // 16)),
    "quotes": lambda size: '"\\u0041' * (size // 7),
    "brackets and commas": lambda size: "a: [" + "," * (size - 10),
    "tabs": lambda size: "a:\t" * (size // 3),
    "a block": lambda size: "a: |\n" + "  b\n" * (size // 4),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_the_largest_contract_of_any_shape_takes_no_long_time(shape: str) -> None:
    """An eighth of the largest file takes no more than its share; what grows with the square takes far more."""
    assert seconds(shape, SMALLER) < LONGEST / 4


@pytest.mark.soak
@pytest.mark.parametrize("shape", SHAPES)
def test_the_very_largest_contract_of_any_shape_is_read_in_time(shape: str) -> None:
    assert seconds(shape, LARGEST) < LONGEST


def seconds(shape: str, size: int) -> float:
    """Of computing, to read a file of this shape and size."""
    data = SHAPES[shape](size - 100).encode()[:size]
    began = time.process_time()
    assert load_text(data, "contract.yaml").problems
    return time.process_time() - began


def test_aliases_are_refused_and_not_followed() -> None:
    began = time.process_time()
    assert "alias" in codes(_billion_laughs())
    assert time.process_time() - began < LONGEST
