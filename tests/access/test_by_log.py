"""Logs are read together and kept apart: each once, by what is in it, and our own uses in none."""

from __future__ import annotations

import hashlib
import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rotator.access.by_log import by_log, newest
from rotator.access.own import ABOUT_S, Own, Probe
from rotator.credential import CredentialRef
from rotator.errors import BadInput
from rotator.flow.access import Sign
from tests.access.logs import EXPOSED, HOUR, KEY, lines, log, looked_up, record
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


RECORDS = [record(each, name, eventID=f"id-{each}-{name}") for each in (-30, -1, 2, 3) for name in ("Get", "Put")]
FORMS = st.sampled_from([log, lines, looked_up, lambda *some: json.dumps(some).encode()])
PARTS = st.lists(st.tuples(FORMS, st.lists(st.sampled_from(range(len(RECORDS))), min_size=1)), min_size=1, max_size=4)


@settings(max_examples=30)
@given(PARTS)
def test_a_record_counts_once_in_whatever_form_and_however_often_it_is_given(parts):
    found = told(*((f"{at}.json", form(*(RECORDS[each] for each in some))) for at, (form, some) in enumerate(parts)))
    given_ = {each for _, some in parts for each in some}
    whole = told(("all.json", log(*(RECORDS[each] for each in sorted(given_)))))
    assert sum(each.calls for each in found.uses) == len(given_)
    signs = {(sign.sign, sign.at) for each in found.uses for sign in each.signs}
    assert signs == {(sign.sign, sign.at) for each in whole.uses for sign in each.signs}
    assert found.begins_at == whole.begins_at


def test_a_log_in_another_form_is_that_log_and_one_with_one_record_more_is_another():
    [one] = told(("a.json", log(*USUAL)), ("b.jsonl", lines(*USUAL)), ("c.json", looked_up(*USUAL))).logs
    assert (one.name, one.records) == ("a.json", told(("d.jsonl", lines(*USUAL))).logs[0].records)
    both = told(("a.json", log(*USUAL)), ("b.jsonl", lines(*USUAL, ODD)))
    assert [each.calls for each in both.uses] == [2, 1]
    assert len({each.records for each in both.logs}) == 2


def test_a_log_with_the_same_numbers_whose_calls_were_not_taken_is_another():
    told_of = record(5, eventID="id-1")
    forged = {**told_of, "errorCode": "InvalidClientTokenId"}
    assert told(("a.json", log(told_of))).logs[0].records != told(("a.json", log(forged))).logs[0].records


@pytest.mark.parametrize("name", [{"_document_id": "beeZYapIUe-wKg5"}, {}])
def test_a_record_of_github_is_known_by_its_id_else_by_what_it_says_in_whatever_order(name):
    said = {"action": "git.clone", "@timestamp": int(EXPOSED * 1000) + 7, "hashed_token": KEY, **name}
    turned = dict(reversed(said.items()))
    found = told(("a.json", json.dumps([said], indent=2).encode()), ("b.jsonl", json.dumps(turned).encode()))
    assert ([each.calls for each in found.uses], len(found.logs)) == ([1], 1)
    later = {**turned, "@timestamp": said["@timestamp"] + 1}
    assert sum(each.calls for each in told(("a.jsonl", lines(said, later))).uses) == 2


def test_a_report_of_last_uses_in_two_forms_is_one():
    text = f"{HEAD}\n{user('ci', ONE)}\n"
    found = told(("unix.csv", text.encode()), ("dos.csv", text.replace("\n", "\r\n").encode()), made_at=MADE_AT)
    assert ([each.calls for each in found.uses], len(found.logs)) == ([1], 1)


def test_of_two_logs_that_tell_of_nobody_neither_is_the_other():
    nobody = [record(at, userIdentity={"accessKeyId": None, "arn": None}) for at in (1, 2)]
    assert len(told(("a.json", log(nobody[0])), ("b.json", log(nobody[1]))).logs) == 2


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
