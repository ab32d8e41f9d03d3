"""Whatever comes, a sender's reader reads it or refuses it: nothing else leaves it, and what it kept comes back."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rotator.credential import Leaked, Secret
from rotator.flow.exposure import Exposure
from rotator.triggers import keeping
from rotator.triggers.message import Missing, Received, Refused, Trigger
from rotator.triggers.senders import OF_PUBLIC_KEYS, SENDERS
from tests.triggers.signing import DELIVERIES, sample, trust_of

senders = pytest.mark.parametrize("sender", DELIVERIES)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner))


@st.composite
def bent(draw, whole):
    """Draw a message with one of its values, however deep, replaced or left out."""
    if isinstance(whole, dict | list) and whole and draw(st.integers(0, 5)):
        keys = list(whole) if isinstance(whole, dict) else list(range(len(whole)))
        at = draw(st.sampled_from(keys))
        if draw(st.integers(0, 4)) == 0:
            items = [(key, whole[key]) for key in keys if key != at]
            return dict(items) if isinstance(whole, dict) else [value for _, value in items]
        inner = draw(bent(whole[at]))
        if isinstance(whole, dict):
            return {**whole, at: inner}
        return [inner if key == at else whole[key] for key in keys]
    return draw(VALUES)


def reads(sender, body):
    headers = {**DELIVERIES[sender](1.8e9).received.headers}
    try:
        told = SENDERS[sender].read(Received(headers, body))
    except Refused as error:
        return error.reason
    if isinstance(told, Trigger):
        assert (told.exposures, told.missing) == keeping.read_back(keeping.written(told))
    return "read"


@senders
@settings(max_examples=40, deadline=None)
@given(st.data())
def test_what_is_bent_is_read_or_refused(sender, data):
    body = json.dumps(data.draw(bent(json.loads(sample(sender.replace("-", "_"))))))
    whole = json.dumps({"Type": "Notification", "Message": body}) if sender == "aws-health" else body
    assert reads(sender, whole.encode()) in {"read", "unreadable"}


@senders
@settings(max_examples=20, deadline=None)
@given(st.binary(max_size=64) | st.sampled_from([b"[" * 100_000, b'{"a":' * 50_000, b"9" * 10_000, b'"\\ud800"']))
def test_what_is_no_json_is_refused(sender, body):
    assert reads(sender, body) in {"read", "unreadable"}  # a digit is JSON, and may be a message that is ignored


@pytest.mark.parametrize("sender", [*OF_PUBLIC_KEYS, "pagerduty", "gitguardian", "generic"])
@settings(max_examples=20, deadline=None)
@given(st.data())
def test_whatever_headers_and_fields_come_are_believed_or_refused(sender, data):
    delivery = DELIVERIES[sender](1.8e9)
    headers = {
        **delivery.received.headers,
        **data.draw(st.dictionaries(st.sampled_from(list(delivery.received.headers)), st.text(max_size=30))),
    }
    body = json.dumps(data.draw(bent(json.loads(delivery.body)))).encode()
    reason = "believed"
    try:
        SENDERS[sender].verify(Received(headers, body), trust_of(sender), 1.8e9)
    except Refused as error:
        reason = error.reason
    assert reason in {"unsigned", "wrong_signature", "stale", "unknown_key", "other_topic", "unreadable", "believed"}
    if reason == "believed" and sender != "aws-health":  # of whose body some fields are not signed
        assert (headers, body) == (delivery.received.headers, delivery.body)


def test_two_messages_are_one_alarm_by_what_they_name_in_whatever_order():
    def trigger(*names, numbers=(), title="a", where="w"):
        exposures = [Exposure("gitlab", "t", Leaked(secret=Secret(name))) for name in names]
        missing = [Missing("github", "t", each, where, "r", "m") for each in numbers]
        return keeping.same_alarm(Trigger(title, exposures=tuple(exposures), missing=tuple(missing)))

    assert trigger("a", "b") == trigger("b", "a", title="b")
    assert trigger("a") != trigger("a", "b")
    assert trigger(numbers=["x#1"]) != trigger(numbers=["x#2"])
    assert trigger(numbers=["ci"], where="account 1") != trigger(numbers=["ci"], where="account 2")


def test_a_message_says_its_secrets_nowhere_else():
    word = "glpat-canary/+1234567"
    told = Leaked(id=word, secret=Secret(word), owner=word, account=f"a {word}", connection=word)
    url = f"https://x/?t={word}&u=glpat-canary%2F%2B1234567"
    parts = Secret('{"client_email": "ci@project.example", "session_token": "canary-of-a-session"}')
    session = Exposure("list", "t", Leaked(secret=parts, owner="ci@project.example"), "s3://canary-of-a-session")
    trigger = keeping.without_secrets(
        Trigger(
            f"{word} leaked",
            exposures=(Exposure("gitlab", word, told, "x" * 290 + url), session),
            missing=(Missing("gitlab", "t", "1", url, "none", f"look at {url}"),),
        )
    )
    assert "canary" not in repr(trigger)
    assert trigger.title == "[secret] leaked"
    assert trigger.missing[0].where == "https://x/?t=[secret]&u=[secret]"
    first, second = trigger.exposures
    assert (first.leaked.secret, first.leaked.id) == (Secret(word), None)
    assert (second.path, second.leaked) == ("s3://[secret]", session.leaked)


def test_a_password_that_is_a_name_takes_no_name_away():
    leaked = Leaked(id="postgres-1", secret=Secret("postgres"), connection="postgres-prod")
    trigger = keeping.without_secrets(Trigger("postgres", exposures=(Exposure("list", "postgres", leaked),)))
    assert (trigger.title, trigger.exposures[0].leaked, trigger.exposures[0].rule) == ("[secret]", leaked, "postgres")
