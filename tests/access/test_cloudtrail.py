"""CloudTrail is read in each form in which responders hold it; what is no such log is refused in one line."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rotator.errors import BadInput
from tests.access.logs import EXPOSED, HOUR, KEY, lines, log, looked_up, read, record, told

PLANTED = [record(1.0, "CreateUser"), record(-2.0, key="AKIA2", errorCode="AccessDenied")]


@pytest.mark.parametrize("form", [log, looked_up, lines])
def test_every_form_tells_the_same_events(form):
    first, second = read(form(*PLANTED))
    assert (first.key_id, first.name, first.at, first.error) == (KEY, "CreateUser", EXPOSED + HOUR, "")
    assert (second.key_id, second.error, second.address) == ("AKIA2", "AccessDenied", "198.51.100.7")
    assert first.region == "eu-central-1"
    assert first.agent.startswith("Boto3")
    assert first.who == "arn:aws:iam::123456789012:user/ci"


def test_what_no_credential_did_is_left_out_and_a_roles_session_is_its_roles():
    service = {**record(0), "userIdentity": {"type": "AWSService", "invokedBy": "ec2.amazonaws.com"}}
    issuer = {"sessionContext": {"sessionIssuer": {"arn": "arn:aws:iam::123456789012:role/deploy"}}}
    [found] = told(service, record(0, key="ASIA1", userIdentity=issuer))
    assert found.who == "arn:aws:iam::123456789012:role/deploy"
    assert found.record == 2


def test_what_whoever_called_could_choose_neither_commands_the_terminal_nor_has_no_end():
    [found] = told(record(0, userAgent="\x1b[2J" + "a" * 10_000))
    assert found.agent.isprintable()
    assert len(found.agent) <= 200


@pytest.mark.parametrize(
    "text",
    [
        b"{}",
        b"[1]",
        b'{"Records": [{}]}',
        b'{"Records": [{"eventTime": "x", "eventName": "y"}]}',
        b"hello",
        b"",
        b'{"eventTime": "0001-01-01T00:00:00+14:00", "eventName": "y", "userIdentity": {"arn": "a"}}',
    ],
)
def test_what_is_no_log_is_refused(text):
    if b'"x"' in text:
        text = text.replace(b'"y"', b'"y", "userIdentity": {"arn": "a"}')
    with pytest.raises(BadInput) as refused:
        read(text)
    assert "trail.json" in str(refused.value)
    assert "\n" not in str(refused.value)


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_a_damaged_log_is_read_or_refused_and_nothing_else(data):
    text = data.draw(st.sampled_from([form(*PLANTED) for form in (log, looked_up, lines)]))
    at = data.draw(st.integers(0, len(text) - 1))
    put = data.draw(st.sampled_from([b"", b"{", b'"', b"null", b"\xff", b"[[[["]))
    cut = data.draw(st.integers(0, 20))
    try:
        read(text[:at] + put + text[at + cut :])
    except BadInput as error:
        refusal = str(error)
    else:
        refusal = ""
    assert "\n" not in refusal
