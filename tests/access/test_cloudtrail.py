"""CloudTrail is read in each form in which responders hold it; what is no such log is refused in one line."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rotator.access.event import Unread
from rotator.access.reading import evidence
from rotator.credential import CredentialRef
from rotator.errors import BadInput
from tests.access.logs import EXPOSED, HOUR, KEY, lines, log, looked_up, read, record, told

PLANTED = [record(1.0, "CreateUser"), record(-2.0, key="AKIA2", errorCode="AccessDenied")]
UNREADABLE = st.one_of(
    st.sampled_from(
        ["10000-01-01T00:00:00Z", "99999-12-31T23:59:59Z", "", "now", "1969-12-31T23:59:59Z", "2026-13-01", "9" * 40]
    ).map(lambda at: record(0.0, eventTime=at)),
    st.sampled_from([None, 7, 1e308, ["2026"], {}]).map(lambda at: record(0.0, eventTime=at)),
    st.sampled_from([None, 7, []]).map(lambda name: record(0.0, eventName=name)),
    st.sampled_from([None, 7, "x", [], {}]),
)


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


def _lines(*records):
    # `{` opens the first, so that what it is can be told at all.
    return b"\n".join((lines(record(0.0, "First")), lines(*records)))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_what_cannot_be_read_is_counted_and_costs_no_other_record(data):
    broken = data.draw(st.lists(UNREADABLE, min_size=1, max_size=5))
    mixed = data.draw(st.permutations([*PLANTED, *broken]))
    form, before = data.draw(st.sampled_from([(log, 0), (_lines, 1)]))
    found = read(form(*mixed))
    unread = [each for each in found if isinstance(each, Unread)]
    assert {each.name for each in found if each not in unread} >= {"CreateUser", "ListBuckets"}
    assert [each.record for each in unread] == [n for n, each in enumerate(mixed, 1 + before) if each not in PLANTED]
    assert len(found) == before + len(mixed)
    assert all(each.why.isprintable() for each in unread)


def test_a_line_that_is_cut_off_is_one_record_that_cannot_be_read():
    first, second, third = read(lines(*PLANTED) + b'\n{"eventTime": "2026')
    assert (first.name, second.key_id, third.record) == ("CreateUser", "AKIA2", 3)


@settings(max_examples=40, deadline=None)
@given(st.datetimes(datetime(1970, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - hypothesis wants it so
def test_what_is_of_an_absurd_time_makes_nothing_the_first_use(when):
    """A record of 1970 would else say that the key was not used for half a century."""
    absurd = record(0.0, key="AKIA2", eventTime=when.isoformat())
    ref = CredentialRef("aws_iam_access_key", "aws", "ci", KEY)
    files = [("trail.json", io.BytesIO(log(absurd, record(1.0))))]
    found = evidence(files, {ref: EXPOSED}, now=EXPOSED + 24 * HOUR)
    is_possible = datetime(2008, 1, 1, tzinfo=UTC) <= when and when.timestamp() <= EXPOSED + 48 * HOUR
    assert len(found.unread) == (not is_possible)
    assert bool(found.uses[KEY].signs) == (is_possible and when.timestamp() < EXPOSED)
    if not is_possible:
        assert found.unread[0].startswith("trail.json, record 1: its time cannot be")


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
