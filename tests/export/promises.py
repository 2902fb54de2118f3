"""Contracts to export, one of each way to observe, and any that hypothesis thinks of."""

from decimal import Decimal

from hypothesis import strategies as st

from keeptime.contract.layout import block
from keeptime.contract.load import load_text
from keeptime.contract.terms import Contract

FILE = "/contracts/given.yaml"
OBJECTIVES = """\
objectives:
  - 99% of requests under 500ms over 28d
  - {target: 98.5%, under: 250ms, over: 28d, errors: excluded}
  - 99.95% of requests succeed over 28d
"""
PROBED = f"""\
contract: probed
provider: ml-platform
model: sentiment
endpoint:
  url: https://models.example.com/predict
  headers: {{Authorization: env:TOKEN, X-Caller: "010"}}
  json: {{data: "yes", much: [1, 2.5, null]}}
  expect: {{status: [200, 2xx], json: {{$.label: ..., $.score: 1.5}}, regex: "a+", max_body: 64KiB}}
observe: [{{probe: {{every: 10s, connection: reuse}}}}]
{OBJECTIVES}
consumers:
  - {{name: shop, tell: [{{webhook: {{url: env:HOOK, secret: [env:S, env:T]}}}}], about: [broken], heartbeat: 90s,
     report: {{each: month, form: pdf}}, notify_within: 30s, escalate: ['slack:env:SHOP_SLACK']}}
operators: {{tell: ["log:", "alertmanager:http://127.0.0.1:9093"], ping: {{url: env:PING, every: 30s}},
  report: month, escalate: ["pagerduty:env:KEY"], ack_within: 10m}}
links: {{runbook: https://wiki.example.com/x}}
"""
COUNTS = {
    "classic": "histogram: {metric: http_seconds, selector: 'job=\"a\"', failed: 'code=~\"5..\"'}",
    "plain": "histogram: {metric: http_ms, unit: milliseconds, buckets: [250ms, 500ms], failed: 'x=\"1\"'}",
    "native": "native_histogram: {metric: http_seconds, failed: 'code=~\"5..\"'}",
    "gauges": "gauges: {selector: 'job=\"blackbox\"'}",
}
PAIRS = {
    "good-total": "{good: 'a{x=\"1\"}', total: [a, b]}",
    "bad-total": "{bad: [c, d], total: a}",
    "good-bad": "{good: a, bad: b}",
    "expression": "{good: a or b, total: c}",
}


def loaded(text: str) -> Contract:
    result = load_text(text.encode(), FILE)
    assert result.valid, "\n".join(map(str, result.problems))
    (contract,) = result.contracts
    return contract


def observed(kind: str) -> Contract:
    """A contract that counts in this way: "probed", or a key of COUNTS or PAIRS."""
    if kind == "probed":
        return loaded(PROBED)
    counts = COUNTS.get(kind) or f"counters: {PAIRS[kind]}"
    objectives = OBJECTIVES if kind in COUNTS else "objectives: [99.9% of requests succeed over 28d]\n"
    observe = f"observe:\n  - prometheus:\n      every: 15s\n      url: http://prometheus:9090\n      {counts}\n"
    return loaded(f"contract: {kind}\n{observe}{objectives}")


KINDS = ("probed", *COUNTS, *PAIRS)

LABELS = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,40}[a-z0-9])?", fullmatch=True)
DOTTED = st.from_regex(r"[a-z0-9]([a-z0-9.-]{0,20}[a-z0-9])?", fullmatch=True)
LINES = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs")),
    min_size=1,
    max_size=30,
)
WORDS = LINES | st.sampled_from(
    ["yes", "null", "010", "1:30", "a: b", "a #b", "{{x}}", "'", '"', "- x", "...", "---", "!x"]
)
METRICS = st.from_regex(r"[a-z_]{1,12}_(seconds|milliseconds|ms)", fullmatch=True)
MATCHERS = st.sampled_from(["", 'job="a"', 'code=~"5..",job!="b"', 'x="q\\"\\\\y"'])
FAILED = st.sampled_from(['code=~"5.."', 'ok="no",x!=""'])
MILLIS = st.integers(1, 3_600_000)
TARGETS = st.integers(1, 9_999).map(lambda n: f"{Decimal(n) / 100:f}%")
WINDOWS = st.integers(1, 366 * 24 * 60).map(lambda n: f"{n}m")
CALENDARS = st.sampled_from(["calendar day", "calendar week", "calendar month", "calendar quarter"])
ZONES = st.sampled_from(["Europe/Berlin", "America/New_York", "UTC"])
RECEIVERS = st.sampled_from(
    ["log:", "log:/var/log/x.log", "webhook:env:HOOK", "alertmanager:http://127.0.0.1:9093"]
) | st.just({"webhook": {"url": "env:HOOK", "secret": "env:SECRET"}})
TELL = st.lists(RECEIVERS, min_size=1, max_size=2, unique_by=str)


def _optional(**fields: st.SearchStrategy[object]) -> st.SearchStrategy[dict[str, object]]:
    return st.fixed_dictionaries({}, optional=fields)


TIERS = st.fixed_dictionaries(
    {
        "severity": st.sampled_from(["page", "ticket"]),
        "long": st.integers(61, 100_000).map(lambda n: f"{n}s"),
        "short": st.integers(10, 60).map(lambda n: f"{n}s"),
        "factor": st.integers(1, 100_000).map(lambda n: Decimal(n) / 1000),
    }
)
POLICIES = (
    st.just("sustained")
    | st.just({"sustained": {"window": "1m", "hold": "90s"}})
    | st.lists(TIERS, min_size=1, max_size=2).map(lambda tiers: {"burn-rate": {"tiers": tiers}})
)
ROLLING = st.builds(lambda over: {"over": over}, WINDOWS)
CALENDAR = st.builds(lambda over, zone: {"over": over, "timezone": zone}, CALENDARS, ZONES)
_EXTRA = _optional(under=MILLIS.map(lambda n: f"{n}ms"), name=DOTTED, policy=POLICIES, errors=st.just("excluded"))
PROMISES = st.builds(
    lambda target, over, extra: {
        "target": target,
        **over,
        **{key: value for key, value in extra.items() if key != "errors" or "under" in extra},
    },
    TARGETS,
    ROLLING | CALENDAR,
    _EXTRA,
)
PROBES = st.builds(
    lambda every, connection: {"probe": {"every": f"{every}ms", "timeout": "3600s", "connection": connection}},
    MILLIS,
    st.sampled_from(["fresh", "reuse"]),
)
HISTOGRAMS = st.fixed_dictionaries(
    {"metric": METRICS, "failed": FAILED}, optional={"selector": MATCHERS.filter(bool)}
)
UNITS = st.sampled_from(["seconds", "milliseconds", "microseconds"])
SERVERS = _optional(url=st.sampled_from(["http://p:9090", "https://p.example.com/x"]), every=st.just("15s"))
SERIES = (
    st.builds(lambda table, unit: {"histogram": table | {"unit": unit}}, HISTOGRAMS, UNITS)
    | st.builds(lambda table: {"native_histogram": table}, HISTOGRAMS)
    | st.builds(lambda selector: {"gauges": {"selector": selector}}, MATCHERS.filter(bool))
)
COUNTERS = st.sampled_from(
    [{"good": "a", "total": ["b", "c"]}, {"bad": 'x{y=~"z|\\\\."}', "total": "b"}, {"good": "a or b", "bad": "c"}]
).map(lambda pair: {"counters": pair})
SOURCES = st.builds(lambda server, series: {"prometheus": server | series}, SERVERS, SERIES)
PAIRED = st.builds(lambda server, pair: {"prometheus": server | pair}, SERVERS, COUNTERS)
ENDPOINTS = st.fixed_dictionaries(
    {"url": st.just("http://127.0.0.1:5000/x")},
    optional={
        "headers": st.fixed_dictionaries({}, optional={"X-A": WORDS, "Authorization": st.just("env:TOKEN")}),
        "body": st.text(st.characters(codec="utf-8"), min_size=1, max_size=20),
        "expect": _optional(
            json=st.dictionaries(st.sampled_from(["$.a", "$.b"]), WORDS | st.integers() | st.just(...), min_size=1),
            status=st.just(["2xx", "404"]),
            regex=st.just("^ok$"),
        ),
    },
)
CONSUMERS = st.lists(
    st.fixed_dictionaries(
        {"name": LABELS.filter(lambda name: name != "operators"), "tell": TELL},
        optional={"about": st.just(["broken", "no_data"])},
    ),
    max_size=2,
    unique_by=lambda each: str(each["name"]),
)
REST = _optional(
    provider=WORDS,
    model=WORDS,
    policy=POLICIES,
    consumers=CONSUMERS,
    operators=TELL.map(lambda tell: {"tell": tell}),
    no_data_after=st.just("90s"),
    links=st.dictionaries(LABELS, st.just("https://x.example.com/a?b=c"), max_size=2),
)


def _contract(terms: dict[str, object]) -> Contract | None:
    """The contract, None where its parts do not go together (two objectives of one name, for example)."""
    result = load_text(block(terms).encode(), FILE)
    return result.contracts[0] if result.valid else None


def contracts() -> st.SearchStrategy[Contract]:
    several = st.lists(PROMISES, min_size=1, max_size=3)
    probed = st.builds(
        lambda endpoint, probes, objectives: {"endpoint": endpoint, "observe": probes, "objectives": objectives},
        ENDPOINTS,
        st.lists(PROBES, min_size=1, max_size=2),
        several,
    )
    counted = st.builds(
        lambda source, objectives: {"observe": [source], "objectives": objectives}, SOURCES, several
    )
    paired = st.builds(lambda source, one: {"observe": [source], "objectives": [one]}, PAIRED, PROMISES)
    whole = st.builds(
        lambda name, core, rest: _contract({"contract": name, **core, **rest}),
        LABELS,
        probed | counted | paired,
        REST,
    )
    return whole.filter(lambda contract: contract is not None)
