"""Who hears of which alert, in Alertmanager's own words."""

import subprocess
from pathlib import Path

import pytest
import yaml

from keeptime.contract.load import load_text
from keeptime.contract.terms import Contract
from keeptime.export.alertmanager import files
from keeptime.export.settings import Settings

TERMS = """\
contract: sentiment
endpoint: {url: "http://127.0.0.1:5000/predict"}
observe: [{probe: 10s}]
objectives: [99% of requests under 500ms over 28d]
consumers:
  - {name: checkout, tell: ["webhook:http://127.0.0.1:9/checkout"]}
  - {name: search, tell: ["webhook:http://127.0.0.1:9/search"], about: [broken]}
operators: {tell: ["webhook:http://127.0.0.1:9/operators"]}
"""


def contract(text: str = TERMS) -> Contract:
    return load_text(text.encode(), "contract.yaml").contracts[0]


def exported(folder: Path, text: str = TERMS) -> Path:
    path = folder / "alertmanager.yml"
    path.write_text(files([contract(text)], Settings(2026))["alertmanager.yml"])
    return path


def amtool(*words: str) -> str:
    done = subprocess.run(["amtool", *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def heard(path: Path, **labels: str) -> set[str]:
    """The receivers that an alert with these labels goes to."""
    given = [f"{name}={value}" for name, value in {"contract": "sentiment", **labels}.items()]
    said = amtool("config", "routes", "test", f"--config.file={path}", *given)
    return {each.removeprefix("sentiment/") for each in said.strip().split(",")}


def test_alertmanager_takes_it(tmp_path: Path) -> None:
    assert "SUCCESS" in amtool("check-config", str(exported(tmp_path)))


@pytest.mark.parametrize(
    ("labels", "receivers"),
    [
        ({"condition": "broken", "severity": "page"}, {"checkout", "search", "operators"}),
        ({"condition": "at_risk", "severity": "page"}, {"checkout", "operators"}),
        ({"condition": "at_risk", "severity": "ticket"}, {"operators"}),
        ({"condition": "no_data"}, {"checkout", "operators"}),
        ({"condition": "broken", "severity": "page", "contract": "another"}, {"nobody"}),
    ],
)
def test_who_hears_of_what(labels: dict[str, str], receivers: set[str], tmp_path: Path) -> None:
    assert heard(exported(tmp_path), **labels) == receivers


def test_an_objective_is_one_group_and_a_page_hides_its_ticket(tmp_path: Path) -> None:
    configuration = yaml.safe_load(exported(tmp_path).read_text())
    assert configuration["route"]["group_by"] == ["contract", "objective"]
    assert configuration["inhibit_rules"][0]["equal"] == ["contract", "objective"]


def test_recovered_is_heard_by_who_asked_for_it(tmp_path: Path) -> None:
    receivers = {each["name"]: each for each in yaml.safe_load(exported(tmp_path).read_text())["receivers"]}
    assert receivers["sentiment/checkout"]["webhook_configs"][0]["send_resolved"] is True
    assert receivers["sentiment/search"]["webhook_configs"][0]["send_resolved"] is False


def test_no_secret_is_written_but_where_it_is_found(tmp_path: Path) -> None:
    text = TERMS.replace('"webhook:http://127.0.0.1:9/checkout"', '"webhook:env:HOOK", "webhook:file:/run/hook"')
    receivers = {each["name"]: each for each in yaml.safe_load(exported(tmp_path, text).read_text())["receivers"]}
    assert [each["url_file"] for each in receivers["sentiment/checkout"]["webhook_configs"]] == [
        "secrets/HOOK",
        "/run/hook",
    ]


def test_what_cannot_be_said_is_named(tmp_path: Path) -> None:
    secret = '{webhook: {url: "http://127.0.0.1:9/x", secret: "env:KEY"}}'
    text = TERMS.replace(
        '"webhook:http://127.0.0.1:9/operators"', f'"log:", "alertmanager:http://127.0.0.1:9093", {secret}'
    )
    path = exported(tmp_path, text)
    said = [line for line in path.read_text().splitlines() if line.startswith("# sentiment/operators")]
    assert [line.partition(": ")[2] for line in said] == [
        "the receiver 'log' has no counterpart in Alertmanager; give one, or tell by keeptime run",
        "tells an Alertmanager, which this is; give the receiver that its people read",
        "Alertmanager does not sign; the secret env:KEY is not used",
    ]
    amtool("check-config", str(path))


def test_mail_slack_and_pagerduty_are_its_own(tmp_path: Path) -> None:
    mail = (
        '{email: {to: oncall@example.com, from: keeptime@example.com, server: "mail.example.com:587", '
        "user: env:MAIL_USER, password: env:MAIL_PASSWORD}}"
    )
    kinds = (
        f'{mail}, "email:search@example.com via 127.0.0.1:25", "slack:env:SLACK_HOOK", "pagerduty:file:/run/key"'
    )
    path = exported(tmp_path, TERMS.replace('"webhook:http://127.0.0.1:9/search"', kinds))
    (search,) = [
        each for each in yaml.safe_load(path.read_text())["receivers"] if each["name"] == "sentiment/search"
    ]
    with_login, plain = search["email_configs"]
    assert with_login == {
        "to": "oncall@example.com",
        "from": "keeptime@example.com",
        "smarthost": "mail.example.com:587",
        "require_tls": True,
        "auth_password_file": "secrets/MAIL_PASSWORD",
        "send_resolved": False,
    }
    assert (plain["from"], plain["require_tls"]) == ("search@example.com", False)
    assert search["slack_configs"] == [{"api_url_file": "secrets/SLACK_HOOK", "send_resolved": False}]
    assert search["pagerduty_configs"][0]["routing_key_file"] == "/run/key"
    assert "write auth_username (env:MAIL_USER)" in path.read_text()
    amtool("check-config", str(path))


def test_what_of_mail_and_pagerduty_it_cannot_do_is_named(tmp_path: Path) -> None:
    odd = (
        '{email: {to: a@example.com, server: "mail.example.com:2465", tls: tls}}, '
        "{pagerduty: {key: env:KEY, url: env:EVENTS}}"
    )
    text = exported(tmp_path, TERMS.replace('"webhook:http://127.0.0.1:9/search"', odd)).read_text()
    assert "begins with TLS at port 465 alone; no mail goes out by mail.example.com:2465" in text
    assert "takes PagerDuty's URL from no file; write url (env:EVENTS)" in text
