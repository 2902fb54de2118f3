"""Addresses of receivers: the short form and the long one, and what a contract leaves out."""

import pytest
import yaml

from keeptime.contract.written import terms
from keeptime.model.alert import Address

from .given import changed, valid


def told(receiver: str) -> Address:
    (address,) = valid(changed('["log:"]', f"[{receiver}]")).operators
    return address


@pytest.mark.parametrize(
    ("server", "tls"),
    [
        ("mail.example.com:587", "starttls"),
        ("mail.example.com:25", "starttls"),
        ("mail.example.com:465", "tls"),
        ("127.0.0.1:25", "none"),
        ("localhost:2525", "none"),
        ("'[::1]:25'", "none"),
        ("'[2001:db8::1]:25'", "starttls"),
    ],
)
def test_mail_is_encrypted_unless_it_stays_on_this_machine(server: str, tls: str) -> None:
    address = told(f"{{email: {{to: a@example.com, server: {server}}}}}")
    assert address.option("tls") == tls
    assert (address.target, address.option("from")) == ("a@example.com", "a@example.com")


@pytest.mark.parametrize(
    ("short", "long"),
    [
        (
            '"email:a@example.com via mail.example.com:587"',
            "{email: {to: a@example.com, server: mail.example.com:587}}",
        ),
        ("slack:env:HOOK", "{slack: {url: env:HOOK}}"),
        ("pagerduty:env:KEY", "{pagerduty: {key: env:KEY}}"),
        ("slack:env:HOOK", "{slack: env:HOOK}"),
    ],
)
def test_the_short_form_is_the_long_one(short: str, long: str) -> None:
    assert told(short) == told(long)


@pytest.mark.parametrize(
    "receiver",
    [
        "{email: {to: a@b.c, from: d@e.f, server: g.h:25, tls: tls, user: env:USER, password: env:PASSWORD}}",
        '"email:a@example.com via 127.0.0.1:25"',
        "slack:env:HOOK",
        "pagerduty:env:KEY",
        "{pagerduty: {key: env:KEY, url: https://events.eu.pagerduty.com/v2/enqueue}}",
    ],
)
def test_what_is_written_again_is_the_same(receiver: str) -> None:
    contract = valid(changed('["log:"]', f"[{receiver}]"))
    assert valid(yaml.safe_dump(dict(terms(contract)))).operators == contract.operators
