"""Logs are read together and kept apart: each once, by what is in it, and our own uses in none."""

from __future__ import annotations

import hashlib
import io

import pytest

from rotator.access.by_log import by_log, newest
from rotator.access.own import ABOUT_S, Own, Probe
from rotator.credential import CredentialRef
from rotator.errors import BadInput
from rotator.flow.access import Sign
from tests.access.logs import EXPOSED, HOUR, KEY, lines, log, record
from tests.access.test_credential_report import HEAD, ONE, user

REF = CredentialRef("aws_iam_access_key", "aws", "ci", KEY)
NOW = EXPOSED + 1000 * HOUR
THIEF = {"sourceIPAddress": "203.0.113.9", "userAgent": "curl/8"}
USUAL, ODD = [record(-48), record(-24)], record(5, **THIEF)
MADE_AT, USED_AT = 1735787045.0, EXPOSED + 900  # as `ONE` says


def told(*files, since=EXPOSED, own=(), made_at=None):
    given = [(name, io.BytesIO(text)) for name, text in files]
    return by_log(given, {REF: since}, {REF: made_at} if made_at else {}, Own(own), NOW)


def probe(at, request=""):
    return Probe(KEY, "inc-1.r1", "refused", "verify exposed", "", at, at, request=request)


def test_what_is_usual_stands_in_another_log_and_a_sign_stands_where_it_was_seen():
    found = told(("old.json", log(*USUAL)), ("new.json", log(ODD)))
    old, new = found.uses
    assert (old.signs, [each.sign for each in new.signs]) == ((), [Sign.NEW_NETWORK])
    assert [each.name for each in found.logs] == ["old.json", "new.json"]
    assert (found.begins_at, found.logs[1].ends_at) == (EXPOSED - 48 * HOUR, EXPOSED + 5 * HOUR)
    assert (new.calls, new.first_at, new.last_at, new.accepted_at) == (1, *[EXPOSED + 5 * HOUR] * 3)
    assert new.digest == hashlib.sha256(log(ODD)).hexdigest()


def test_the_same_log_is_read_once_and_two_of_one_name_are_two():
    found = told(("a.json", log(ODD)), ("b.json", log(ODD)), ("a.json", log(*USUAL)))
    assert [(each.id, each.calls) for each in found.uses] == [(KEY, 1), (KEY, 2)]
    assert [each.name for each in found.logs][:1] == ["a.json"]
    assert len({each.name for each in found.logs}) == 2


def test_our_own_uses_are_counted_and_a_call_that_was_not_taken_is_refused():
    ours = record(6, userAgent="rotator")
    refused = record(7, errorCode="InvalidClientTokenId", **THIEF)
    [found] = told(("a.json", log(ours, refused, ODD)), own=[probe(EXPOSED + 6 * HOUR)]).uses
    assert (found.calls, found.refused, found.accepted_at) == (2, 1, EXPOSED + 5 * HOUR)
    assert told(("a.json", log(ours)), own=[probe(EXPOSED + 6 * HOUR)]).ours == 1


@pytest.mark.parametrize(
    ("code", "message", "refused"),
    [
        ("Client.AuthFailure", "AWS was not able to validate the provided access credentials", 1),
        ("Client.AuthFailure", "Not authorized for images: [ami-0a1b2c3d]", 0),
        ("Client.InvalidAccessKeyId", "", 1),
        ("Client.UnauthorizedOperation", "You are not authorized to perform this operation.", 0),
    ],
)
def test_of_ec2_a_call_is_refused_where_the_credential_was_not_taken_and_not_where_it_may_not(code, message, refused):
    [found] = told(("a.json", log(record(7, errorCode=code, errorMessage=message)))).uses
    assert (found.refused, found.accepted_at is None) == (refused, bool(refused))


def test_a_report_of_last_uses_is_one_use_unless_it_may_be_ours():
    text = f"{HEAD}\n{user('ci', ONE)}\n".encode()
    found = told(("report.csv", text), made_at=MADE_AT)
    assert [(each.calls, each.accepted_at, each.signs) for each in found.uses] == [(1, USED_AT, ())]
    assert (found.begins_at, newest([("report.csv", io.BytesIO(text))], now=NOW)) == (None, None)
    assert told(("report.csv", text), made_at=MADE_AT, own=[probe(USED_AT - ABOUT_S)]).uses == ()
    assert len(told(("report.csv", text), made_at=MADE_AT, own=[probe(USED_AT - ABOUT_S - 1)]).uses) == 1
    assert told(("report.csv", text), made_at=MADE_AT + 999).uses == ()


def test_what_tells_nothing_is_said_and_what_is_no_log_is_refused():
    assert newest([("a.json", io.BytesIO(lines(*USUAL, record(5000))))], now=NOW) == EXPOSED - 24 * HOUR
    found = told(("a.json", lines(*USUAL, record(5000))))
    assert "its time cannot be" in found.unread[0]
    with pytest.raises(BadInput, match="no access log"):
        told(("notes.txt", b"hello\n"))
