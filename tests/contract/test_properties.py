"""Whatever is thrown at the loader: it returns, with problems that have a place in the file."""

import random

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from keeptime.contract.load import LoadResult, load_text

from .given import BASE, EXAMPLES, FIXTURES

SEEDS = [
    BASE.encode(),
    (EXAMPLES / "every-field.yaml").read_bytes(),
    (FIXTURES / "design.good.yaml").read_bytes(),
]
BITS = [
    b"&a ",
    b"*a",
    b"!!int ",
    b"\t",
    b"\n",
    b"  ",
    b"- ",
    b"[",
    b"{",
    b"}",
    b"]",
    b": ",
    b"? ",
    b"| ",
    b"> ",
    b"'",
]
BITS += [b'"', b"#", b"---\n", b"...\n", b"%", b"\xff", b"\x00", b"0", b"99999999999999999999", b"\xf0\x9f\x92\xa9"]
WORDS = st.sampled_from(
    ["contract", "endpoint", "url", "probe", "every", "observe", "objectives", "target", "over", "tell", "webhook"]
)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=12),
    WORDS,
    st.sampled_from(["99%", "28d"]),
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS | st.text(max_size=6), inner, max_size=5),
)


def _sound(result: LoadResult, data: bytes) -> None:
    assert result.contracts or result.problems
    lines = data.count(b"\n") + data.count(b"\r") + 2 + data.decode("utf-8", "replace").count("\u2028")
    for problem in result.problems:
        assert 1 <= problem.line <= lines + data.count(b"\xc2\x85") + data.count(b"\xe2\x80\xa9")
        assert problem.column >= 1
        assert problem.message
        assert "\n" not in str(problem)
    for document in result.documents:
        errors = [problem for problem in document.problems if problem.severity == "error"]
        assert (document.contract is None) == bool(errors)


@given(st.binary(max_size=400))
def test_any_bytes(data: bytes) -> None:
    _sound(load_text(data, "contract.yaml"), data)


@given(st.text(max_size=300))
def test_any_text(text: str) -> None:
    data = text.encode("utf-8", "replace")
    _sound(load_text(data, "contract.yaml"), data)


@settings(max_examples=400)
@given(st.sampled_from(SEEDS), st.randoms(use_true_random=False))
def test_contracts_with_bits_put_in_and_taken_out(seed: bytes, chance: random.Random) -> None:
    data = bytearray(seed)
    for _ in range(chance.randint(1, 4)):
        at, much = chance.randrange(len(data)), chance.randint(0, 6)
        data[at : at + much] = chance.choice(BITS) if chance.random() < 0.7 else b""
    _sound(load_text(bytes(data), "contract.yaml"), bytes(data))


@settings(max_examples=200)
@given(
    TREES, st.sampled_from(["", "endpoint", "observe", "objectives", "consumers", "operators", "policy", "links"])
)
def test_any_tree_in_any_place(tree: object, key: str) -> None:
    content = tree if not key else {**yaml.safe_load(BASE), key: tree}
    data = yaml.safe_dump(content, allow_unicode=True).encode()
    _sound(load_text(data, "contract.yaml"), data)


@given(st.integers(1, 9_999), st.integers(1, 3_600_000), st.integers(1, 366))
def test_every_sensible_objective_is_read_exactly(target: int, millis: int, days: int) -> None:
    text = BASE.replace("99% of requests under 500ms over 28d", "{target: X, under: Y, over: Z}").replace(
        ", timeout: 5s", ""
    )
    text = text.replace("X", f"{target / 100:.2f}%").replace("Y", f"{millis}ms").replace("Z", f"{days}d")
    (objective,) = load_text(text.encode(), "contract.yaml").contracts[0].objectives
    assert objective.target * 10_000 == target
    assert objective.under_ns == millis * 1_000_000
