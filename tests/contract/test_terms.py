"""What a valid contract means: short and long forms, defaults, versions."""

from fractions import Fraction

import pytest

from keeptime.contract.limits import Interval
from keeptime.contract.load import load_text
from keeptime.contract.policies import DEFAULT_POLICY
from keeptime.contract.probed import SecretRef
from keeptime.contract.terms import Calendar, Policy, PolicyKind, Rolling, Tier
from keeptime.model.alert import Address, Topic
from keeptime.model.key import Signal
from keeptime.model.sample import Connection
from keeptime.model.verdict import Severity

from .given import BASE, EXAMPLES, FIXTURES, OBJECTIVE, changed, codes, valid


def _design():
    return valid((FIXTURES / "design.good.yaml").read_text())


def test_the_contract_of_the_design() -> None:
    contract = _design()
    assert (contract.name, contract.provider, contract.model) == ("sentiment-latency", "ml-platform", "sentiment")
    assert contract.endpoint.headers["Authorization"] == SecretRef("env", "MODEL_TOKEN")
    assert contract.endpoint.headers["Content-Type"] == "application/json"
    assert contract.endpoint.body == b'{"data":"sample_input"}'
    assert contract.endpoint.expect.status == ((200, 200),)
    p99, p50, success = contract.objectives
    assert (p99.name, p99.target, p99.under, p99.over) == ("p99-500ms", Fraction(99, 100), 0.5, Rolling(2_419_200))
    assert (p50.name, p50.target, p50.under) == ("p50-200ms", Fraction(1, 2), 0.2)
    assert (success.name, success.under, success.over) == ("success-99.9", None, Calendar("month", "UTC"))
    assert {objective.policy for objective in contract.objectives} == {DEFAULT_POLICY}
    assert contract.consumers[0].tell == (Address("checkout", "webhook", "env:CHECKOUT_HOOK"),)
    assert contract.consumers[0].about == frozenset(Topic) - {Topic.WITHDRAWN}
    assert contract.operators == (Address("operators", "alertmanager", "http://127.0.0.1:9093"),)


@pytest.mark.parametrize(
    ("short", "long"),
    [
        (OBJECTIVE, "{of: requests, target: 99%, under: 500ms, over: 28d, errors: bad}"),
        ("99.9% of requests succeed over calendar month", "{target: 99.9%, over: calendar month}"),
        ("50 % of requests  under 0.2s over  4w", "{target: 50%, under: 200ms, over: 28d}"),
        (
            "'99% of requests under 500ms over calendar quarter'",
            "{target: 99%, under: 500ms, over: calendar quarter}",
        ),
    ],
)
def test_short_and_long_form_mean_the_same(short: str, long: str) -> None:
    one, other = valid(changed(OBJECTIVE, short)), valid(changed(OBJECTIVE, long))
    assert one.objectives == other.objectives
    assert one.version == other.version


def test_intervals_and_windows_that_follow_the_traffic() -> None:
    p95, mean, adaptive, _, patient = valid((EXAMPLES / "intervals.yaml").read_text()).objectives
    assert (p95.each, p95.name) == (Interval(300, "p95"), "p95-5m-500ms-99")
    assert p95.each is not None
    assert p95.each.share == Fraction(95, 100)
    assert mean.each == Interval(60, "mean", 20, "skip")
    assert adaptive.over == Rolling(86_400, 3600, 1000)
    assert (patient.min_events, patient.each) == (100, None)


def test_every_field_of_the_long_forms() -> None:
    contract = valid((EXAMPLES / "every-field.yaml").read_text())
    (probe,) = contract.probes
    assert (probe.every, probe.timeout, probe.connection, probe.max_in_flight) == (2, 8, Connection.REUSE, 16)
    assert contract.endpoint.expect.status == ((200, 200), (200, 299), (200, 204))
    assert contract.endpoint.expect.json == (("$.language", "en"), ("$.text", ...))
    assert contract.endpoint.expect.max_body == 262_144
    assert contract.endpoint.tls.server_name == "translate.models.internal"
    _, usual, internal, available = contract.objectives
    assert (internal.name, internal.target, internal.under) == ("usual-warn", Fraction(3, 5), 0.25)
    assert usual.policy == Policy(PolicyKind.SUSTAINED, window=300, hold=600)
    assert (usual.errors, usual.of) == ("excluded", Signal.REQUESTS)
    assert available.over == Calendar("month", "America/New_York")
    assert available.policy.tiers[0] == Tier(Severity.PAGE, 3600, 300, 14.4)
    assert contract.no_data_after == 120
    assert contract.consumers[0].about == {Topic.BROKEN, Topic.RECOVERED}
    allow = ("10.96.0.0/12", "fd00::/8")
    hook = Address("web-shop", "webhook", "env:SHOP_HOOK", "env:SHOP_SECRET", allow=allow)
    assert contract.consumers[0].tell[0] == hook
    assert contract.links["runbook"] == "https://wiki.example.com/translation"


@pytest.mark.parametrize(
    ("every", "under", "no_data", "timeout"),
    [("10s", "500ms", 60, 5), ("1m", "500ms", 180, 5), ("1s", "4s", 60, 8)],
)
def test_defaults_follow_the_contract(every: str, under: str, no_data: float, timeout: float) -> None:
    text = changed("{every: 10s, timeout: 5s}", every).replace("under 500ms", f"under {under}")
    contract = valid(text)
    assert contract.no_data_after == no_data
    assert contract.probes[0].timeout == timeout


def test_a_timeout_may_be_longer_than_the_interval() -> None:
    assert valid(changed("every: 10s", "every: 1s")).probes[0].timeout == 5


def test_a_timeout_equal_to_the_threshold_is_enough() -> None:
    assert codes(changed("timeout: 5s", "timeout: 500ms")) == []


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ("50% of requests under 500ms over 28d", ["thresholds-crossed"]),
        ("50% of requests under 499ms over 28d", []),
        ("50% of requests under 600ms over 7d", []),
        ("99.9% of requests under 400ms over 28d", ["thresholds-crossed"]),
        ("99.9% of requests succeed over 28d", []),
    ],
)
def test_a_lower_target_needs_a_smaller_threshold(other: str, expected: list[str]) -> None:
    assert codes(changed(OBJECTIVE, f"{OBJECTIVE}\n  - {other}")) == expected


def test_the_zone_of_the_contract_reaches_its_calendar_windows() -> None:
    text = changed("over 28d", "over calendar week") + "timezone: Asia/Tokyo\n"
    assert valid(text).objectives[0].over == Calendar("week", "Asia/Tokyo")


def test_the_policy_of_an_objective_goes_before_the_contracts() -> None:
    own = "{name: own, target: 95%, under: 500ms, over: 7d, policy: sustained}"
    text = changed(OBJECTIVE, f"{OBJECTIVE}\n  - {own}") + "policy: burn-rate\n"
    assert [objective.policy.kind for objective in valid(text).objectives] == ["burn-rate", "sustained"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ('"log:"', Address("operators", "log", "")),
        ("log: ", Address("operators", "log", "")),
        ("log: /var/log/k", Address("operators", "log", "/var/log/k")),
        ("log:/var/log/k", Address("operators", "log", "/var/log/k")),
        ("alertmanager:env:AM", Address("operators", "alertmanager", "env:AM")),
        ("webhook:http://127.0.0.1/h", Address("operators", "webhook", "http://127.0.0.1/h")),
    ],
)
def test_receivers_can_be_written_in_several_ways(given: str, expected: Address) -> None:
    assert valid(changed('["log:"]', f"\n    - {given}")).operators == (expected,)


def test_the_secret_is_no_part_of_an_address_identity() -> None:
    assert Address("a", "webhook", "env:B", "env:C").id == Address("a", "webhook", "env:B").id


@pytest.mark.parametrize(
    "edit",
    [
        lambda text: "# a remark\n\n" + text,
        lambda text: text.replace("10s", "10000ms"),
        lambda text: text.replace("99%", "99.0%"),
        lambda text: text.replace('["log:"]', "\n    - 'log:'"),
        lambda text: text + "policy: buckets\n",
    ],
)
def test_moving_text_keeps_the_version(edit) -> None:
    assert valid(edit(BASE)).version == valid(BASE).version


@pytest.mark.parametrize(
    ("old", "new"), [("99%", "99.5%"), ("500ms", "501ms"), ("28d", "27d"), ("predict", "other"), ("10s", "9s")]
)
def test_changing_the_meaning_changes_the_version(old: str, new: str) -> None:
    assert valid(changed(old, new)).version != valid(BASE).version


def test_the_version_does_not_depend_on_where_the_file_lies(tmp_path) -> None:
    text = changed("  json:", "  headers: {Authorization: file:token}\n  json:").encode()
    here, there = (load_text(text, str(tmp_path / name / "c.yaml")).contracts[0] for name in ("a", "b"))
    assert here.endpoint.headers["Authorization"] == SecretRef("file", str(tmp_path / "a" / "token"))
    assert here.version == there.version


def test_how_many_gaps_between_tokens_come_is_not_known_beforehand() -> None:
    contract = valid((FIXTURES / "streams.good.yaml").read_text().replace(", where: {cache: cold}", ""))
    known = {each.of: contract.expected(each) for each in contract.objectives}
    assert known == {Signal.FIRST_TOKEN: 0.1, Signal.INTER_TOKEN: 0.0, Signal.TOKEN_RATE: 0.1}
