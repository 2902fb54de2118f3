"""What a consumer believes, and that nothing a stranger sends makes the verifier do anything but refuse."""

import json
from email.message import Message

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeptime.consumer import SharedKey, Verifier
from keeptime.errors import MessageRefused, SecretError, UsageError
from keeptime.tell.receivers.signing import headers

from .given import NOW, OTHER, PAGE, SECRET, bodies, encoded, signed

(FIELDS,) = bodies(PAGE)
ID = str(FIELDS["id"])
BODY = encoded(FIELDS)
HEADERS = signed(BODY, ID)
VERIFIER = Verifier(SECRET)


def refused(
    headers: object, body: object = BODY, now: float = NOW, verifier: Verifier = VERIFIER
) -> MessageRefused:
    with pytest.raises(MessageRefused) as error:
        verifier.verify(headers, body, now)  # type: ignore[arg-type]
    assert "whsec" not in str(error.value)
    return error.value


def test_what_the_sender_signs_is_believed() -> None:
    found = VERIFIER.verify(headers(ID, BODY, [SECRET], NOW), BODY, NOW)
    assert (found.id, found.sent, found.fields) == (ID, int(NOW), FIELDS)
    assert found.type == "keeptime.objective.at_risk"


def test_headers_may_be_in_any_case_and_of_any_framework() -> None:
    plain = Message()
    for name, value in HEADERS.items():
        plain[name.title()] = value
    assert VERIFIER.verify(plain, BODY, NOW).id == ID


def test_unicode_is_signed_as_it_stands() -> None:
    body = encoded({**FIELDS, "reason": "Überlast in Zürich: 遅い 🐢"})
    assert VERIFIER.verify(signed(body, ID), body, NOW).fields["reason"] == "Überlast in Zürich: 遅い 🐢"


def test_several_secrets_and_several_signatures_while_one_is_changed() -> None:
    both = Verifier([OTHER, SECRET])
    assert both.verify(HEADERS, BODY, NOW).id == ID
    two = f"v1a,bm90aGluZw== {signed(BODY, ID, secret=OTHER)['webhook-signature']} {HEADERS['webhook-signature']}"
    assert VERIFIER.verify({**HEADERS, "webhook-signature": two}, BODY, NOW).id == ID


def test_another_scheme_is_one_more_key() -> None:
    class Curve:
        scheme = "v1a"

        def signs(self, message_id: str, timestamp: int, body: str, signature: str) -> bool:
            return (message_id, timestamp, body.encode(), signature) == (ID, int(NOW), BODY, "right")

    curve = Verifier([Curve()])
    assert curve.verify({**HEADERS, "webhook-signature": "v1,wrong v1a,right"}, BODY, NOW).id == ID
    assert refused({**HEADERS, "webhook-signature": "v1a,wrong"}, verifier=curve).why == "signature"
    assert "of a scheme known here (v1a)" in str(refused(HEADERS, verifier=curve))


@pytest.mark.parametrize("forgery", ["body", "webhook-id", "webhook-timestamp", "key"])
def test_what_was_forged_is_refused(forgery: str) -> None:
    body, headers = BODY, dict(HEADERS)
    if forgery == "body":
        body = body.replace(b"at_risk", b"no_data")
    elif forgery == "key":
        headers = signed(BODY, ID, secret=OTHER)
    else:
        headers[forgery] = headers[forgery].translate(str.maketrans("0123456789", "1234567890"))
    assert refused(headers, body).why == "signature"


def test_age_is_bounded_both_ways_and_the_error_says_how_far_off() -> None:
    for now in (NOW - 300, NOW + 300):
        assert VERIFIER.verify(HEADERS, BODY, now).id == ID
    late, early = refused(HEADERS, now=NOW + 400), refused(HEADERS, now=NOW - 7200)
    assert late.why == early.why == "stale"
    assert (
        str(late) == "sent 6 min 40 s ago by its sender's clock, more than 5 min: a replay, or this clock is fast"
    )
    assert str(early).startswith("sent 2 h in the future, more than 5 min: this machine's clock is slow")
    assert Verifier(SECRET, tolerance=7200).verify(HEADERS, BODY, NOW + 7000).id == ID


@pytest.mark.parametrize("now", [float("nan"), float("inf"), -float("inf"), 1e308])
def test_a_clock_that_is_none_lets_nothing_through(now: float) -> None:
    assert refused(HEADERS, now=now).why == "stale"


def test_a_stranger_is_told_nothing_of_the_clock() -> None:
    assert refused(signed(BODY, ID, at=NOW - 9000, secret=OTHER)).why == "signature"


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("webhook-id", "", "malformed"),
        ("webhook-id", "a b", "malformed"),
        ("webhook-id", "ü", "malformed"),
        ("webhook-id", "x" * 257, "malformed"),
        ("webhook-timestamp", "1e9", "malformed"),
        ("webhook-timestamp", "1800000000.5", "malformed"),
        ("webhook-timestamp", "٣", "malformed"),
        ("webhook-timestamp", " 1800000000", "malformed"),
        ("webhook-timestamp", "9" * 400, "malformed"),
        ("webhook-timestamp", "nan", "malformed"),
        ("webhook-signature", "", "signature"),
        ("webhook-signature", "v1", "signature"),
        ("webhook-signature", "v1,", "signature"),
        ("webhook-signature", "v1,ü\udcff", "signature"),
        ("webhook-signature", "v1,a,b,c", "signature"),
        ("webhook-signature", "v2,AAAA", "signature"),
        ("webhook-signature", "v1," * 2000, "malformed"),
    ],
)
def test_garbage_in_headers_is_refused(name: str, value: str, why: str) -> None:
    assert refused({**HEADERS, name: value}).why == why


def test_headers_that_are_missing_or_there_twice() -> None:
    for name in HEADERS:
        without = {each: value for each, value in HEADERS.items() if each != name}
        assert refused(without).why == ("signature" if name == "webhook-signature" else "malformed")
        assert refused({**HEADERS, name.upper(): HEADERS[name]}).why == "malformed"
    assert refused({**HEADERS, "webhook-id": 5}).why == "malformed"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b"{",
        b'{"id": NaN}',
        b"[" * 60_000,
        b'{"a": ' + b"9" * 5000 + b"}",
        b'{"id": "another"}',
    ],
    ids=lambda body: body[:12].decode(),
)
def test_a_signed_body_that_makes_no_sense_is_refused(body: bytes) -> None:
    assert refused(signed(body, ID), body).why == "malformed"


def test_a_body_that_is_too_large_no_text_or_parsed_already() -> None:
    huge = b'{"a":"' + b"x" * 70_000 + b'"}'
    assert str(refused(signed(huge, ID), huge)) == "70,008 bytes; expected at most 65,536"
    assert refused(HEADERS, b"\xff\xfe").why == "malformed"
    assert refused(HEADERS, FIELDS).why == "malformed"


def test_a_verifier_that_checks_nothing_must_be_asked_for() -> None:
    with pytest.raises(UsageError, match="believes anyone"):
        Verifier([])
    unsigned = {name: value for name, value in HEADERS.items() if name != "webhook-signature"}
    assert Verifier([], unsigned=True).verify(unsigned, BODY, NOW).id == ID
    with pytest.raises(UsageError, match="tolerance"):
        Verifier(SECRET, tolerance=float("nan"))


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_a", "no base64!", "whsec_aaa\nbbb", "ü"])
def test_a_secret_that_is_none_makes_no_key(secret: str) -> None:
    with pytest.raises(SecretError, match="expected whsec_…"):
        SharedKey(secret)


TEXT = st.text() | st.sampled_from([*HEADERS.values(), "v1,", "0", ""])
ANY_HEADERS = st.dictionaries(st.sampled_from([*HEADERS, "Webhook-Id", "x"]) | st.text(), TEXT | st.none())
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(headers=ANY_HEADERS, body=st.binary() | st.just(BODY), now=st.floats(), unsigned=st.booleans())
def test_whatever_comes_nothing_is_raised_but_a_refusal(
    headers: dict[str, str], body: bytes, now: float, unsigned: bool
) -> None:
    verifier = Verifier([], unsigned=True) if unsigned else VERIFIER
    try:
        found = verifier.verify(headers, body, now)
    except MessageRefused:
        return
    assert unsigned or (found.id, body) == (ID, BODY)


@given(body=st.binary() | JSON.map(lambda value: json.dumps(value).encode()), name=st.text() | st.just(ID))
def test_even_of_who_knows_the_secret(body: bytes, name: str) -> None:
    headers = signed(body, ID) | {"webhook-id": name}
    try:
        found = VERIFIER.verify(headers, body, NOW)
    except MessageRefused:
        return
    assert isinstance(json.loads(body), dict)
    assert found.id == ID
