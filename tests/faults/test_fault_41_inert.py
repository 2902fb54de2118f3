"""Fault 41: `{{…}}`, `<script>` and mark-up of any kind in a contract's texts and names → inert, wherever shown."""

import asyncio
import io
import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import yaml
from rich.console import Console

from keeptime.app.view import DeliveryView
from keeptime.cli.live import table
from keeptime.contract.load import load_files
from keeptime.contract.terms import Contract
from keeptime.export.prometheus.alerts import TOLD, alerts
from keeptime.export.prometheus.names import STANDING
from keeptime.judge.reason import promise
from keeptime.model.alert import Address, Delivery
from keeptime.model.verdict import Condition
from keeptime.tell.receivers.email import EmailReceiver
from keeptime.tell.receivers.pagerduty import PagerdutyReceiver
from keeptime.tell.receivers.slack import SlackReceiver
from keeptime.testing.outbox import FakeOutbox
from keeptime.testing.recorder import raw, recording
from keeptime.testing.showable import FakeShowable, verdict, view
from tests.cli.commands import run
from tests.tell.given import BROKEN, tell_of
from tests.tell.mail import mail_server
from tests.tell.sending import seconds
from tests.web.conftest import served

HTML = "<script>owned()</script><img src=x onerror=a()>"
TEMPLATE = "{{7}} {{ query `up` | first }} ${7*7} {% raw %}"
MARKUP = "<!channel> <http://evil.example|x> [/x] [bold] [link=http://evil.example]l[/link]"
INERT = f"{HTML} {TEMPLATE} {MARKUP}"
TERMS = f"""
contract: inert
provider: {json.dumps(INERT)}
model: {json.dumps(INERT)}
endpoint: {{url: "http://127.0.0.1:9/"}}
observe: [{{probe: {{every: 10s, timeout: 5s}}}}]
objectives: [99% of requests under 500ms over 28d]
consumers: [{{name: checkout, tell: ["log:"]}}]
links: {{run-book: "http://h.example/{{{{$value}}}}<script>"}}
duties: {{caller: {json.dumps(INERT)}}}
vantage: {json.dumps(INERT)}
"""


@pytest.fixture
def terms(tmp_path: Path) -> Contract:
    """A contract whose every free text is made to be run by something."""
    path = tmp_path / "inert.yaml"
    path.write_text(TERMS)
    result = load_files([str(path)])
    assert [str(each) for each in result.problems if each.severity == "error"] == []
    return result.contracts[0]


def shown(terms: Contract) -> FakeShowable:
    delivery = DeliveryView(terms.name, "checkout", "log:", 1, 1, 1, 1.0, INERT, 1, INERT)
    judged = verdict(terms, Condition.BROKEN, good=1, bad=9, reason=INERT)
    return FakeShowable([view(terms, [judged])], [delivery], problems=(INERT,), reload_error=INERT)


@pytest.mark.parametrize("name", ["<script>", "{{7*7}}", "a b", "[bold]", "../../etc", "A", "a\x1b[31m"])
def test_fault_41_a_name_is_a_label_and_nothing_else(tmp_path: Path, name: str) -> None:
    path = tmp_path / "odd.yaml"
    for line in ("contract: inert", "name: checkout"):
        written = TERMS.replace(line, f"{line.partition(':')[0]}: {json.dumps(name)}")
        path.write_text(written)
        assert {each.severity for each in load_files([str(path)]).problems} >= {"error"}


class Tags(HTMLParser):
    """Which elements and attributes a browser would find, and the text that a person reads."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found |= {tag, *(name for name, _ in attrs)}

    def handle_data(self, data: str) -> None:
        self.text += data


OWN_SCRIPT = '<script src="/static/keeptime.js" defer></script>'


@pytest.mark.parametrize(("path", "times"), [("/", 4), ("/contracts/inert", 6), ("/deliveries", 1)])
def test_fault_41_a_page_shows_it_as_text(terms: Contract, path: str, times: int) -> None:
    with served(shown(terms)) as where:
        answer = where.get(path)
    page = Tags(answer.text.replace(OWN_SCRIPT, ""))
    assert not {each for each in page.found if each == "script" or each.startswith("on")}
    assert page.text.count(INERT) >= times
    policy = answer.headers["content-security-policy"].split("; ")
    assert {"default-src 'none'", "script-src 'self'"} <= set(policy)
    assert "unsafe" not in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    "path",
    ["/api/v1/contracts", "/<script>", "/probe?contract=<script>", "/api/v1/periods?contract=<script>",
     "/api/v1/ledger?kind=<script>", "/api/v1/outbox?dead=<script>"],
)  # fmt: skip
def test_fault_41_the_api_answers_json_that_no_browser_takes_for_a_page(terms: Contract, path: str) -> None:
    with served(shown(terms)) as where:
        answer = where.get(path.replace("<", "%3C").replace(">", "%3E"))
    json.loads(answer.body)
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"


def deliveries(terms: Contract, to: Address) -> Iterator[Delivery]:
    """Its messages, with the texts of the contract and a reason that is like them."""
    consumer = replace(terms.consumers[0], tell=(to,))
    outbox = FakeOutbox()
    for message in tell_of(replace(terms, consumers=(consumer,)), (BROKEN,)):
        outbox.put(message, seconds())
    for row, _ in outbox.waiting_rows:
        yield replace(row, body=json.dumps(json.loads(row.body) | {"reason": INERT}).encode())


def test_fault_41_a_mail_is_plain_text_with_the_headers_that_it_should_have(terms: Contract) -> None:
    async def story() -> list[tuple[Any, bool]]:
        async with mail_server() as server:
            options = (("from", "keeptime@a.example"), ("server", server.address), ("tls", "none"))
            receiver = EmailReceiver(5.0)
            for each in deliveries(terms, Address("checkout", "email", "b@b.example", "", options)):
                await receiver.send(each, seconds())
            await receiver.close()
            return list(server.mails)

    ((mail, _),) = asyncio.run(story())
    assert mail.get_content_type() == "text/plain"
    assert not mail.is_multipart()
    assert mail["To"] == "b@b.example"
    assert "<script>" in mail.get_content()


def posted(terms: Contract, kind: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    async def story() -> dict[str, Any]:
        status = 200 if kind == "slack" else 202
        good = raw(f"HTTP/1.1 {status} OK\r\ncontent-length: 2\r\n\r\nok".encode())
        async with recording(otherwise=good) as hook:
            monkeypatch.setenv("TO", hook.url if kind == "slack" else "0" * 32)
            receiver = SlackReceiver(5.0) if kind == "slack" else PagerdutyReceiver(5.0)
            options = () if kind == "slack" else (("url", hook.url),)
            for each in deliveries(terms, Address("checkout", kind, "env:TO", "", options)):
                await receiver.send(each, seconds())
            await receiver.close()
            return dict(json.loads(hook.requests[0].body))

    return asyncio.run(story())


def test_fault_41_slack_makes_no_mention_and_no_link_of_it(
    terms: Contract, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = posted(terms, "slack", monkeypatch)
    texts = [said["text"], *(each["text"]["text"] for each in said["blocks"] if each["type"] == "section")]
    for text in texts:
        assert re.findall(r"<[^>|]*", text) in ([], ["<http://h.example/%7B%7B$value%7D%7D%3Cscript%3E"])
        assert "<!channel>" not in text
    assert "&lt;!channel&gt;" in "".join(texts)


def test_fault_41_pagerduty_gets_it_as_data(terms: Contract, monkeypatch: pytest.MonkeyPatch) -> None:
    said = posted(terms, "pagerduty", monkeypatch)
    assert said["payload"]["component"] == INERT
    assert said["event_action"] == "trigger"


def test_fault_41_prometheus_takes_no_template_from_it(terms: Contract, tmp_path: Path) -> None:
    """Labels and annotations of alerts are templates to Prometheus; here each says what the contract says."""
    objective = terms.objectives[0]
    rules = [each.plain() for each in alerts(terms, objective, (), "1h")]
    (tmp_path / "rules.yml").write_text(yaml.safe_dump({"groups": [{"name": "g", "rules": rules}]}))
    key, broken = terms.key(objective), max(TOLD)
    named = {each["alert"]: each for each in rules if each["expr"].endswith(f"== {int(broken)}")}
    ((alert, rule),) = named.items()
    labels = {**rule["labels"], "provider": INERT, "model": INERT, "slo": str(key)}
    said = {
        "summary": "inert/p99-500ms: broken",
        "promise": promise(objective),
        "reason": f"'{promise(objective)}' is missed;  of requests were bad in the last 1h",
        "run_book_url": terms.links["run-book"],
    }
    of = f'slo="{key}",contract="{terms.name}",objective="{objective.name}"'
    expected = {"exp_labels": labels, "exp_annotations": said}
    test = {
        "rule_files": ["rules.yml"],
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": f"{STANDING}{{{of}}}", "values": f"{int(broken)}x3"}],
                "alert_rule_test": [
                    {"eval_time": "2m", "alertname": alert, "exp_alerts": [expected]},
                ],
            }
        ],
    }
    (tmp_path / "test.yml").write_text(yaml.safe_dump(test))
    done = subprocess.run(["promtool", "test", "rules", "test.yml"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_fault_41_a_terminal_shows_it_as_text(
    terms: Contract, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with served(shown(terms)) as where:
        for width in ("80", "200"):
            monkeypatch.setenv("COLUMNS", width)
            assert run("status", "--url", where.url) == 1
            said = capsys.readouterr().out
            assert [part for part in ("[/x]", "[bold]", "<script>", "{{7}}") if part not in said] == []


def test_fault_41_the_live_table_shows_it_as_text(terms: Contract) -> None:
    out = io.StringIO()
    Console(file=out, width=200).print(table(shown(terms).snapshot(), "http://here"))
    assert [part for part in ("[/x]", "[bold]", "<script>", "{{7}}") if part not in out.getvalue()] == []
