"""The addresses of `slack`, `pagerduty` and `apprise`.

Guarantees: what holds a secret is a reference, never literal: Slack's webhook and Apprise's URLs, which are secrets
themselves, and PagerDuty's integration key.
"""

from keeptime.contract.addressing import UNNAMED, Kind, TargetShape, plain, secret_target, url_target
from keeptime.contract.shapes import Field, Row, Table
from keeptime.contract.urls import Url
from keeptime.model.alert import Address

EVENTS_URL = "https://events.pagerduty.com/v2/enqueue"
"""PagerDuty's service region US, where a contract says nothing else."""

SLACK_TARGET = secret_target("env:NAME or file:PATH, where the webhook's URL is found")
SLACK_URL = Field(
    "url",
    TargetShape(SLACK_TARGET, "env:NAME or file:PATH"),
    "The URL of an incoming webhook, by reference: whoever has it can post.",
    required=True,
)
SLACK_TABLE = Table(
    "slack",
    "A message in a channel, by an incoming webhook.",
    (SLACK_URL,),
    lambda row: Address(UNNAMED, "slack", row.need(SLACK_URL)),
)
SLACK = Kind(plain("slack", SLACK_TARGET), SLACK_TABLE)

KEY_TARGET = secret_target("env:NAME or file:PATH, where the integration key is found")
API_TARGET = url_target(Url(expected=f"a URL such as {EVENTS_URL}", cure="write env:NAME"))
PAGERDUTY_KEY = Field(
    "key", TargetShape(KEY_TARGET, "env:NAME or file:PATH"), "The service's integration key.", required=True
)
PAGERDUTY_URL = Field(
    "url",
    TargetShape(API_TARGET, "a URL, env:NAME or file:PATH"),
    "Where events go, such as https://events.eu.pagerduty.com/v2/enqueue for the service region EU.",
    default=EVENTS_URL,
)


def _pagerduty(row: Row) -> Address:
    url = row.get(PAGERDUTY_URL, "")
    return Address(UNNAMED, "pagerduty", row.need(PAGERDUTY_KEY), options=(("url", url),) if url else ())


PAGERDUTY_TABLE = Table(
    "pagerduty", "An incident, by PagerDuty's Events API v2.", (PAGERDUTY_KEY, PAGERDUTY_URL), _pagerduty
)
PAGERDUTY = Kind(plain("pagerduty", KEY_TARGET), PAGERDUTY_TABLE)

APPRISE_TARGET = secret_target("env:NAME or file:PATH, where Apprise's URL is found")
APPRISE_URL = Field(
    "url",
    TargetShape(APPRISE_TARGET, "env:NAME or file:PATH"),
    "A URL of Apprise (ntfy://…, tgram://…), by reference: it holds the service's secrets.",
    required=True,
)
APPRISE_TABLE = Table(
    "apprise",
    "Any service that Apprise knows; needs the extra keeptime[apprise].",
    (APPRISE_URL,),
    lambda row: Address(UNNAMED, "apprise", row.need(APPRISE_URL)),
)
APPRISE = Kind(plain("apprise", APPRISE_TARGET), APPRISE_TABLE)
