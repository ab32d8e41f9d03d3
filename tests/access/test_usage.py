"""A use is called new only where the logs show what was usual before."""

from __future__ import annotations

import pytest

from rotator.access.usage import network, uses
from rotator.flow.access import Sign
from tests.access.logs import EXPOSED, HOUR, KEY, record, told

BEFORE = record(-30), record(-20, "GetUser")


def seen(*records, since=EXPOSED):
    return uses(told(*records), {KEY: since})[KEY]


def signs(*records, since=EXPOSED):
    return [(each.sign, each.words) for each in seen(*records, since=since).signs]


def test_usual_use_after_exposure_is_no_sign():
    assert signs(*BEFORE, record(1), record(2, "GetUser", sourceIPAddress="198.51.100.200")) == []


def test_a_new_network_is_told_with_its_first_call_its_time_and_its_file():
    thief = record(5, sourceIPAddress="203.0.113.9", userAgent="curl/8"), record(3, sourceIPAddress="203.0.113.77")
    [(sign, words)] = signs(*thief, *BEFORE)
    assert sign is Sign.NEW_NETWORK
    assert words == (
        "203.0.113.0/24: ListBuckets at 2026-03-24T13:00:00Z from 203.0.113.77 by Boto3/1.34.0 md/Botocore#1.34.0 "
        "(trail.json, record 2)"
    )


def test_new_calls_and_regions_are_told_refused_ones_as_such():
    found = signs(*BEFORE, record(1, "CreateUser", errorCode="AccessDenied", awsRegion="ap-east-1"))
    assert [sign for sign, _ in found] == [Sign.NEW_CALL, Sign.NEW_REGION]
    assert "CreateUser: CreateUser at" in found[0][1]
    assert "refused with AccessDenied" in found[0][1]


def test_many_new_ones_are_counted_beyond_the_first():
    found = signs(*BEFORE, *(record(n, f"Call{n}") for n in range(1, 9)))
    assert len(found) == 3
    assert found[-1][1].endswith("5 more such")


def test_ten_times_the_busiest_hour_is_unusual_and_few_calls_never_are():
    busy = [record(1 + n / 1000) for n in range(120)]
    assert [sign for sign, _ in signs(*BEFORE, *busy)] == [Sign.VOLUME]
    assert signs(*BEFORE, *busy[:99]) == []
    assert signs(*BEFORE, *[record(-5 + n / 1000) for n in range(20)], *busy) == []


def test_a_first_use_is_one_only_where_the_logs_begin_before_the_exposure():
    [(sign, words)] = signs(record(-9, key="AKIAOTHER"), record(1))
    assert sign is Sign.FIRST_USE
    assert "no use in these logs from 2026-03-24T01:00:00Z" in words
    assert signs(record(1)) == []
    assert signs(*BEFORE, record(1, "New"), since=None) == []


def test_users_are_told_the_last_one_first_with_what_they_did():
    found = seen(*BEFORE, record(1, userAgent="aws-cli/2.15 x"), record(0.5, sourceIPAddress="lambda.amazonaws.com"))
    assert [(each.network, each.agent, each.calls) for each in found.sources] == [
        ("198.51.100.0/24", "aws-cli/2.15", 1),
        ("lambda.amazonaws.com", "Boto3/1.34.0", 1),
        ("198.51.100.0/24", "Boto3/1.34.0", 2),
    ]
    assert (found.first_used_at, found.last_used_at, found.calls) == (EXPOSED - 30 * HOUR, EXPOSED + HOUR, 4)
    assert found.told_by == ("trail.json",)


def test_what_goes_beyond_what_is_kept_is_counted_and_nothing_is_then_called_new():
    many = [record(-9, sourceIPAddress=f"10.{n // 256}.{n % 256}.1") for n in range(1_010)]
    found = seen(*many, record(1, sourceIPAddress="203.0.113.1"))
    assert found.left_out == 21  # 10 networks before, and 11 users
    assert found.signs == ()


def test_only_ids_that_are_asked_for_are_told():
    assert set(uses(told(record(1), record(1, key="AKIA2")), {"AKIA2": None, "AKIA3": None})) == {"AKIA2"}


@pytest.mark.parametrize(
    ("address", "net"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1:2::3", "2001:db8:1::/48"),
        ("::ffff:203.0.113.77", "203.0.113.0/24"),
        ("ec2.amazonaws.com", "ec2.amazonaws.com"),
        ("", ""),
    ],
)
def test_a_network_is_a_24_or_a_48_or_a_name(address, net):
    assert network(address) == net
