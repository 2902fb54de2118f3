"""In the engine the slot in which a method is learned is skipped, and the others are measured."""

import time
from dataclasses import replace

from keeptime.model.sample import Sample, Skipped
from keeptime.observe.asked import LEARNED
from keeptime.observe.engine import Engine

from .given import contract
from .grpc_servers import serving_grpc


def test_the_slot_that_learns_is_skipped() -> None:
    outcomes: list[Sample | Skipped] = []
    with serving_grpc() as port:
        probe = "kind: grpc, method: shop.Shop/Buy, request: {count: 1}"
        given = contract(f"{{url: 'http://127.0.0.1:{port}'}}", probe)
        often = replace(given, probes=(replace(given.probes[0], every=0.2),))
        engine = Engine([often], outcomes.append)
        engine.start()
        try:
            deadline = time.monotonic() + 20
            while sum(isinstance(each, Sample) for each in outcomes) < 3:
                assert time.monotonic() < deadline
                time.sleep(0.02)
        finally:
            engine.stop(2.0)
    learned = [each for each in outcomes if isinstance(each, Skipped) and each.reason == LEARNED]
    assert len(learned) >= 1
    assert outcomes.index(learned[0]) < next(i for i, each in enumerate(outcomes) if isinstance(each, Sample))
    assert [each.failure for each in outcomes if isinstance(each, Sample)][:3] == [None, None, None]
