"""Fault 32: a contract, or an objective, is removed while its breach is open → `withdrawn` is told."""

import json
import signal
from pathlib import Path

from tests.e2e.keeping import until
from tests.faults.scene import TERMS, Scene, scene

OPERATED = TERMS.replace("consumers:", "operators:\n  tell: [{{webhook: env:HOOK}}]\nconsumers:")
OTHER = """\
---
contract: other
endpoint: {{url: "{url}", method: POST, json: {{data: 1}}}}
observe:
  - probe: {{every: 1s, timeout: 1s}}
objectives:
  - 10% of requests under 900ms over 10s
"""


def withdrawal(stage: Scene) -> dict[str, object]:
    """The body of the last message, once it is the withdrawal."""
    stage.await_topic("withdrawn", 20)
    return dict(json.loads(dict(stage.told.received)[stage.told.once()[-1]]))


def test_fault_32_a_contract_removed_by_a_reload_is_told_as_withdrawn(tmp_path: Path) -> None:
    with scene(tmp_path, OPERATED + OTHER) as stage:
        one = stage.keeptime
        one.start()
        stage.breach()
        one.write(OTHER.removeprefix("---\n").format(url=stage.model.url))
        one.signal(signal.SIGHUP)
        said = withdrawal(stage)
        assert str(said["reason"]).startswith(
            "the contract was withdrawn while its objective was broken; before that:"
        )
        assert (said["state"], said["contract"]) == ("resolved", "kept")
        until(lambda: stage.unsent() == 0, 10, "all to be delivered though the contract is gone")
        both = [each for each in stage.told.received if each[0] == said["id"]]
        assert len(both) == 2, "the consumer and the operators, and once each"
        one.kill()
        one.start()
        one.await_condition("ok")
        assert [name for name, _ in stage.told.received].count(str(said["id"])) == 2, "told once, over a kill"


def test_fault_32_a_contract_removed_while_keeptime_is_killed_is_told_at_the_next_start(tmp_path: Path) -> None:
    with scene(tmp_path, TERMS + OTHER) as stage:
        one = stage.keeptime
        one.start()
        stage.breach()
        one.kill()
        one.write(OTHER.removeprefix("---\n").format(url=stage.model.url))
        one.start()
        assert withdrawal(stage)["contract"] == "kept"
        one.kill()
        one.start()
        one.await_condition("ok")
        stage.check_told()
        assert stage.told.topics().count("withdrawn") == 1


def test_fault_32_an_objective_removed_is_told_and_the_contract_goes_on(tmp_path: Path) -> None:
    two = TERMS.replace("policy:", "  - {{name: lax, target: 10%, under: 900ms, over: 10s}}\npolicy:")
    with scene(tmp_path, two) as stage:
        one = stage.keeptime
        one.start()
        stage.breach()
        left = two.replace("  - 90% of requests under 200ms over 10s\n", "")
        one.write(left.format(url=stage.model.url))
        one.signal(signal.SIGHUP)
        assert str(withdrawal(stage)["reason"]).startswith(
            "the objective was withdrawn from its contract while it was"
        )
        assert [each["name"] for each in one.view()["objectives"]] == ["lax"]  # type: ignore[attr-defined]
        stage.check_told()
