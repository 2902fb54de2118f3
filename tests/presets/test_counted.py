"""Each preset on what its server serves, through the code that scrapes: every signal found, in seconds, failures as
the server can tell them."""

import pytest

from keeptime.contract.presets import library
from keeptime.contract.presets.matchers import Matchers
from keeptime.contract.presets.preset import Kind
from keeptime.model.batch import Batch
from keeptime.model.key import Signal
from keeptime.observe.scrape.growing import Asked, Growing
from keeptime.observe.scrape.page import Page, wanted_of
from keeptime.observe.scrape.reading import names_on
from keeptime.observe.scrape.text import TextPages

from .expositions import DESCRIBED, EVERY, OWN, RECORDED, page

R, F, I, O = Signal.REQUESTS, Signal.FIRST_TOKEN, Signal.INTER_TOKEN, Signal.OUTPUT_TOKEN  # noqa: E741

COUNTED = [
    # preset, signal, all, failed, a threshold in seconds that is a bound, how many within it
    ("bentoml", R, 9, 1, 0.1, 6),
    ("bentoml", R, 9, 1, 0.5, 8),
    ("fastapi-instrumentator", R, 9, 0, 0.1, 7),
    ("keeptime", R, 4, 1, 64, 3),
    ("keeptime", F, 3, 1, 64, 2),
    ("keeptime", I, 5, 1, 64, 4),
    ("keeptime", O, 3, 1, 64, 2),
    ("kserve", R, 8, 0, 0.25, 6),
    ("knative", R, 11, 2, 0.1, 7),
    ("knative-old", R, 10, 2, 0.1, 6),
    ("litellm", R, 9, 2, 0.5, None),
    ("litellm", F, 3, 0, 0.5, 3),
    ("mlserver", R, 9, 1, 0.25, 6),
    ("ray-serve", R, 10, 2, 0.4, 7),
    ("otel-genai", R, 7, 1, 0.64, 3),
    ("otel-genai", F, 6, 0, 0.1, 4),
    ("otel-genai", O, 6, 0, 0.025, 5),
    ("otel-genai-client", R, 7, 1, 0.64, 3),
    ("otel-genai-client", F, 6, 0, 0.08, 3),
    ("otel-http", R, 14, 3, 0.1, 9),
    ("otel-http-client", R, 13, 3, 0.1, 8),
    ("otel-http-old", R, 11, 1, 0.1, 8),
    ("seldon", R, 15, 3, 0.05, 11),
    ("sglang", R, 8, 0, 1, 3),
    ("sglang", F, 6, 0, 0.2, 3),
    ("sglang", I, 44, 0, 0.02, 40),
    ("sglang", O, 8, 0, 0.02, 7),
    ("starlette-exporter", R, 8, 1, 0.1, 5),
    ("tensorrt-llm", R, 6, 1, 0.5, 2),
    ("tensorrt-llm", F, 5, 0, 0.1, 4),
    ("tensorrt-llm", O, 5, 0, 0.025, 4),
    ("tf-serving", R, 10, 0, 0.0674664, 9),
    ("tgi", R, 7, 1, 0.4987885, 3),
    ("tgi", O, 6, 0, 0.04378939, 5),
    ("torchserve", R, 40, 0, None, None),
    ("triton", R, 153, 3, None, None),
    ("triton", F, 150, 0, 0.1, 128),
    ("vllm", R, 7, 0, 0.5, 3),
    ("vllm", F, 7, 0, 0.25, 6),
    ("vllm", I, 32, 0, 0.1, 30),
    ("vllm", O, 7, 0, 0.025, 6),
]


def _counted(name: str) -> tuple[Page, list[Batch]]:
    """All that a page says, as if its server had begun between two looks."""
    preset = library.preset(name)
    assert preset is not None
    found = TextPages(wanted_of(preset.metrics)).read(page(name), openmetrics=False)
    growing = Growing(Asked("test", "scrape", preset.metrics, preset.attributes, Matchers()))
    growing.advance(Page(), 0, {})
    grown = growing.advance(found, 10**9, {})
    assert (found.refusals, list(found.refused), list(grown.refused)) == (0, [], [])
    return found, list(grown.batches)


def test_every_preset_has_an_exposition_and_one_that_is_recorded_names_the_package() -> None:
    assert set(EVERY) >= set(library.names())
    assert len(RECORDED) >= 3
    assert all(path.read_text("utf-8").startswith("# Recorded from ") for path in RECORDED)
    assert all("no server wrote it" in path.read_text("utf-8").splitlines()[0] for path in DESCRIBED)


@pytest.mark.parametrize("name", EVERY)
def test_a_server_is_recognised_by_what_it_serves(name: str) -> None:
    assert [each.name for each in library.recognised(names_on(page(name)))][:1] == [name]


@pytest.mark.parametrize(("name", "signal", "count", "failed", "under", "within"), COUNTED)
def test_requests_failures_and_latencies_are_those_that_were_served(
    name: str, signal: Signal, count: int, failed: int, under: float | None, within: int | None
) -> None:
    own = [each for each in _counted(name)[1] if each.signal is signal]
    assert (sum(each.count for each in own), sum(each.failed for each in own)) == (count, failed)
    if under is not None:
        sides = [each.sides(round(under * 1e9)) for each in own]
        assert sum(each.between for each in sides) == 0
        assert within in (None, sum(each.within for each in sides))


def test_nothing_is_counted_of_what_a_preset_does_not_tell() -> None:
    told = {(name, signal) for name, signal, *_ in COUNTED}
    for each in library.every():
        assert {(each.name, metric.signal) for metric in each.metrics} <= told


@pytest.mark.parametrize("name", EVERY)
def test_bounds_are_those_that_the_server_serves(name: str) -> None:
    preset, (found, _) = library.preset(name), _counted(name)
    assert preset is not None
    for metric in preset.metrics:
        points = [point for each in metric.names for point in found.points.get(each, ())]
        if metric.kind is not Kind.HISTOGRAM:
            assert all(not point.bounds for point in points)
            continue
        assert points
        if not metric.buckets:
            assert name in (OWN, "knative")
            continue
        for point in points:
            seconds = [each / metric.unit.per_second for each in point.bounds if each > 0]
            assert seconds == pytest.approx(list(metric.buckets), rel=1e-6)


def test_attributes_are_what_the_labels_say() -> None:
    triton = [each for each in _counted("triton")[1] if each.signal is R]
    assert {(each.attributes["model"], each.attributes["model_version"], each.count) for each in triton} == {
        ("resnet", "1", 123),
        ("resnet", "2", 30),
    }
    bento = {each.attributes["status"]: each.count for each in _counted("bentoml")[1]}
    assert bento == {"200": 7, "400": 1, "500": 1}
    lite = [each for each in _counted("litellm")[1] if each.signal is R]
    assert {each.attributes["model"]: (each.count, each.failed) for each in lite} == {
        "mock": (7, 0),
        "broken": (2, 2),
    }
