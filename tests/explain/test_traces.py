"""The critical path of a trace, and slow traces against usual ones."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from keeptime.explain.traces.compare import compare, waited_for
from keeptime.explain.traces.critical import critical_path, tree_of
from keeptime.model.trace import Trace, TraceSpan, Why

MS = 1_000_000


def span(name: str, start: int, took: int, parent: str = "", service: str = "model") -> TraceSpan:
    return TraceSpan(name, parent, name, service, "internal", start * MS, took * MS)


def trace(*spans: TraceSpan, why: Why = Why.SLOW, took: int | None = None) -> Trace:
    first = spans[0]
    whole = first.took_ns if took is None else took * MS
    return Trace("c", "ab" * 16, first.start_ns + whole, whole, why, spans)


def path(of: Trace) -> list[tuple[str, int, int]]:
    tree = tree_of(of)
    assert tree is not None
    return [(each.span.name, each.start_ns // MS, each.took_ns // MS) for each in critical_path(tree)]


def test_what_is_done_one_after_another_is_waited_for_in_turn() -> None:
    whole = trace(span("request", 0, 100), span("tokenizer", 5, 10, "request"), span("forward", 20, 70, "request"))
    assert path(whole) == [
        ("request", 0, 5), ("tokenizer", 5, 10), ("request", 15, 5), ("forward", 20, 70), ("request", 90, 10),
    ]  # fmt: skip


def test_of_what_is_done_side_by_side_only_what_ends_last_is_waited_for() -> None:
    whole = trace(span("request", 0, 100), span("short", 10, 20, "request"), span("long", 10, 80, "request"))
    assert path(whole) == [("request", 0, 10), ("long", 10, 80), ("request", 90, 10)]


def test_of_two_that_overlap_the_earlier_counts_until_the_later_began() -> None:
    whole = trace(span("request", 0, 100), span("read", 0, 60, "request"), span("compute", 40, 60, "request"))
    assert path(whole) == [("read", 0, 40), ("compute", 40, 60)]


def test_a_span_of_a_machine_whose_clock_is_off_is_moved_into_its_parent_with_all_below_it() -> None:
    whole = trace(
        span("call", 0, 100), span("serve", -5000, 80, "call", "other"), span("query", -4990, 60, "serve", "other")
    )
    assert path(whole) == [("serve", 0, 10), ("query", 10, 60), ("serve", 70, 10), ("call", 80, 20)]
    ahead = trace(span("call", 0, 100), span("serve", 9000, 80, "call", "other"))
    assert path(ahead) == [("call", 0, 20), ("serve", 20, 80)]


def test_without_the_span_that_was_counted_the_longest_first_one_is_the_request() -> None:
    whole = trace(span("a", 0, 10, "gone"), span("b", 0, 30, "gone"), took=55)
    assert path(whole) == [("b", 0, 30)]
    assert tree_of(Trace("c", "ab" * 16, 0, 0, Why.SLOW)) is None


def test_spans_that_name_each_other_end() -> None:
    whole = trace(span("request", 0, 9), span("a", 1, 5, "b"), span("b", 1, 5, "a"))
    assert path(whole) == [("request", 0, 9)]
    own = trace(replace(span("request", 0, 9), parent="request"))
    assert path(own) == [("request", 0, 9)]


@st.composite
def traces(draw: st.DrawFn) -> Trace:
    spans = [span("s0", draw(st.integers(-50, 50)), draw(st.integers(0, 100)))]
    for nth in range(1, draw(st.integers(1, 12))):
        parent = f"s{draw(st.integers(0, nth - 1))}"
        service = draw(st.sampled_from(["model", "store"]))
        spans.append(span(f"s{nth}", draw(st.integers(-200, 200)), draw(st.integers(0, 150)), parent, service))
    return trace(*spans)


@given(traces())
def test_the_pieces_follow_one_another_and_add_up_to_the_request(whole: Trace) -> None:
    tree = tree_of(whole)
    assert tree is not None
    at = tree.root.start_ns
    for piece in critical_path(tree):
        assert (piece.start_ns, piece.took_ns > 0) == (at, True)
        at += piece.took_ns
    assert at == tree.root.start_ns + tree.root.took_ns


@given(st.lists(traces(), min_size=2, max_size=6))
def test_the_differences_add_up_to_how_much_longer_slow_ones_took(found: list[Trace]) -> None:
    usual, *slow = found
    compared = compare([replace(usual, why=Why.USUAL), *slow])
    took = [sum(waited_for(each).values()) for each in found]
    if compared is None:
        assert took[0] == 0 or not any(took[1:])
        return
    whole = [each for each in took[1:] if each]
    assert abs(sum(each.more_ns for each in compared.grown) - (sum(whole) / len(whole) - took[0])) < 1


def served(tokenizer: int, queue: int, forward: int, why: Why) -> Trace:
    return trace(
        span("POST /predict", 0, tokenizer + queue + forward),
        span("tokenizer", 0, tokenizer, "POST /predict"),
        span("queue", tokenizer, queue, "POST /predict"),
        span("forward", tokenizer + queue, forward, "POST /predict"),
        why=why,
    )


def test_the_sentence_names_what_grew_most_first() -> None:
    usual = [served(5, 10, 20, Why.USUAL), served(5, 14, 20, Why.USUAL)]
    compared = compare([*usual, served(10, 330, 32, Why.SLOW), served(10, 314, 32, Why.FAILED)])
    assert compared is not None
    assert (compared.slow, compared.usual) == (2, 2)
    assert compared.sentence == "queue +310 ms, forward +12 ms, tokenizer +5 ms"
    assert compare(usual) is None
    assert compare([served(1, 2, 3, Why.SLOW)]) is None
