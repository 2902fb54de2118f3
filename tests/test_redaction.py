"""What was remembered is in no text, however it is written."""

import base64
import html
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeptime.errors import DeliveryError, KeeptimeError
from keeptime.redaction import MOST, Redactor, redact, remember

CANARY = "canary-7f3c/é+ value&"
WRITTEN = {
    "plain": CANARY,
    "for a URL": quote(CANARY, safe=""),
    "for a path": quote(CANARY),
    "for a form": quote_plus(CANARY),
    "as JSON": json.dumps(CANARY),
    "as JSON in UTF-8": json.dumps(CANARY, ensure_ascii=False),
    "in HTML": html.escape(CANARY),
    "in Python": repr(CANARY),
    "in hex": CANARY.encode().hex(),
}
SECRETS = st.text(
    st.characters(min_codepoint=33, max_codepoint=0x2FF, exclude_categories=("C",)), min_size=8, max_size=80
)


def knowing(*values: str) -> Redactor:
    made = Redactor()
    for value in values:
        made.remember(value)
    return made


@pytest.mark.parametrize("text", WRITTEN.values(), ids=WRITTEN.keys())
def test_a_value_is_taken_out_however_it_is_written(text: str) -> None:
    said = knowing(CANARY).redact(f"before {text} after")
    assert "canary" not in said
    assert said.startswith("before ")
    assert said.endswith(" after")


@pytest.mark.parametrize("ahead", ["", "u:", "user:", "somebody:"])
def test_a_value_inside_base64_is_taken_out(ahead: str) -> None:
    secret = "canary-7f3c-password"
    told = base64.b64encode(f"{ahead}{secret}, and more".encode()).decode()
    said = knowing(secret).redact(told)
    left = [each for each in said.split("***") if each]
    assert len(left) == 2 or ahead == ""
    assert sum(map(len, left)) <= len(told) - len(secret) * 8 // 6 + 2


def test_what_is_secret_within_a_secret_is_taken_out_alone() -> None:
    told = base64.b64encode(b"bob:hunter22").decode()
    url = "https://somebody:pa%24%24word@hook.example/services/T0000000A/abcdef0123456789?key=k3y-of-mine&plain=yes"
    known = knowing(url, "Bearer eyJhbGciOi", f"Basic {told}", "whsec_a2VlcHRpbWU=")
    for each in (
        "pa%24%24word",
        "pa$$word",
        "abcdef0123456789",
        "k3y-of-mine",
        "eyJhbGciOi",
        "hunter22",
        "a2VlcHRpbWU=",
    ):
        assert known.redact(f"<{each}>") == "<***>", each
    for each in ("hook.example", "somebody", "services", "yes", "Bearer"):
        assert known.redact(each) == each


def test_what_was_cut_is_taken_out_as_far_as_it_goes() -> None:
    known = knowing("Bearer canary-0123456789")
    assert known.redact_cut("$.echo: 'Bearer canary-012...; expected 1") == "$.echo: '***...; expected 1"
    assert known.redact_cut("$.echo: 'canary-012...") == "$.echo: '***..."
    assert known.redact_cut("$.echo: 'canaries...") == "$.echo: 'canaries..."


def test_nothing_remembered_changes_nothing_and_short_values_hide_nothing() -> None:
    assert Redactor().redact("a b c") == "a b c"
    assert knowing("", " ", "ab").redact("ab ab") == "ab ab"


def test_rotated_values_are_bounded() -> None:
    known = knowing(*(f"secret-{number}" for number in range(MOST + 10)))
    assert known.redact("secret-0.") == "secret-0."
    assert known.redact(f"secret-{MOST + 9}.") == "***."


def test_every_error_is_free_of_what_was_remembered() -> None:
    remember("canary-of-errors-19")
    for error in (
        KeeptimeError("said canary-of-errors-19"),
        DeliveryError("said canary-of-errors-19", retry=False),
    ):
        assert str(error) == "said ***"
        assert "canary" not in repr(error)


@given(SECRETS, st.text(max_size=40), st.text(max_size=40))
def test_no_secret_stays(secret: str, before: str, after: str) -> None:
    known = knowing(secret)
    for text in (secret, quote(secret, safe=""), json.dumps(secret)[1:-1], repr(secret)[1:-1], html.escape(secret)):
        assert text not in known.redact(before + text + after)


@given(st.text(max_size=300))
def test_any_text_can_be_a_secret_and_any_text_be_redacted(text: str) -> None:
    assert isinstance(knowing(text).redact_cut(text), str)
    assert isinstance(redact(text), str)
