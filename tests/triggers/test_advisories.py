"""An advisory that a sender has signed is read as the versions it calls bad, by whichever message it comes."""

from __future__ import annotations

import io
import json
import time

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rotator.packages import advisory
from rotator.packages.nature import Nature
from rotator.packages.versions import pep440
from rotator.triggers import github_advisory, keeping
from rotator.triggers.github_advisory import ranged
from rotator.triggers.message import Ignored, Received, Refused, Trigger
from rotator.triggers.senders import SENDERS
from tests.shown.vendors import RECORD
from tests.triggers import signing
from tests.triggers.signing import sample, trust_of

NAME = "GHSA-5mg7-485q-xm76"
SECRET = "ghp_" + "a1B2" * 9
DEPENDABOT = json.loads(sample("github_dependabot"))
SAID = DEPENDABOT["alert"]["security_advisory"]
OF_ALL = {"action": "published", "security_advisory": SAID}
OF_ONE = {"action": "published", "repository_advisory": SAID, "repository": DEPENDABOT["repository"]}
EVENTS = {"dependabot_alert": DEPENDABOT, "security_advisory": OF_ALL, "repository_advisory": OF_ONE}


def told(event, message):
    delivery = signing.github(time.time(), json.dumps(message).encode()).with_headers(X_GitHub_Event=event)
    SENDERS["github"].verify(delivery.received, trust_of("github"), time.time())
    return SENDERS["github"].read(delivery.received)


def of(trigger):
    [record] = trigger.advisories
    [found] = advisory.read("record", io.BytesIO(record.encode()))
    return found


@pytest.mark.parametrize("event", EVENTS)
def test_githubs_messages_name_the_versions_that_are_bad(event):
    found = told(event, EVENTS[event])
    assert isinstance(found, Trigger)
    assert (found.exposures, found.missing) == ((), ())
    assert NAME in found.title
    bad = of(found)
    assert bad.id == NAME
    assert bad.published.isoformat() == "2026-03-24T12:00:00+00:00"
    [affected] = bad.affected
    covered = [affected.covers(each) for each in ("1.82.6", "1.82.7", "1.82.8", "1.82.9")]
    assert covered == [False, True, True, False]


@pytest.mark.parametrize(
    ("says", "nature"),
    [
        ({"cwes": [{"cwe_id": "CWE-506", "name": "Embedded Malicious Code"}]}, Nature.COMPROMISE),
        ({"cwes": [{"cwe_id": "CWE-79", "name": "Cross-site Scripting"}]}, Nature.ORDINARY),
        ({"cwes": [{"cwe_id": "CWE-79"}], "type": "malware"}, Nature.COMPROMISE),
        ({"cwes": [], "classification": "general"}, Nature.UNKNOWN),
        ({}, Nature.UNKNOWN),
    ],
)
@pytest.mark.parametrize("event", EVENTS)
def test_githubs_messages_tell_a_compromise_from_an_ordinary_vulnerability(event, says, nature):
    said = {**SAID, **says}
    by_alert = {"alert": {**DEPENDABOT["alert"], "security_advisory": said}}
    whole = by_alert if event == "dependabot_alert" else {event: said}
    assert of(told(event, {**EVENTS[event], **whole})).sign.nature is nature


def test_the_alerts_of_many_repositories_are_one_alarm():
    other = {**DEPENDABOT, "repository": {"full_name": "octo-org/shop"}}
    both = [told("dependabot_alert", each) for each in (DEPENDABOT, other)]
    assert both[0].title != both[1].title
    assert keeping.same_alarm(both[0]).reveal() == keeping.same_alarm(both[1]).reveal()
    wider = json.loads(json.dumps(DEPENDABOT).replace("<= 1.82.8", "<= 1.82.9"))
    assert keeping.same_alarm(told("dependabot_alert", wider)).reveal() != keeping.same_alarm(both[0]).reveal()


@pytest.mark.parametrize(
    ("event", "action"),
    [("dependabot_alert", "fixed"), ("dependabot_alert", "dismissed"), ("repository_advisory", "reported")],
)
def test_what_settles_an_advisory_is_no_alarm(event, action):
    assert isinstance(told(event, {**EVENTS[event], "action": action}), Ignored)


def test_an_osv_record_is_an_alarm_as_it_is_and_of_its_prose_one_line_is_kept():
    whole = {**json.loads(RECORD), "details": "prose of others", "summary": "it steals"}
    found = SENDERS["generic"].read(Received({"webhook-id": "msg_1"}, json.dumps(whole).encode()))
    assert of(found).names == {"PYSEC-2026-2", "MAL-2026-2144", NAME}
    assert "prose" not in found.advisories[0]
    assert "it steals" in found.advisories[0]
    quotes = SENDERS["generic"].read(Received({}, json.dumps({**whole, "summary": f"as {SECRET} did"}).encode()))
    assert SECRET not in quotes.advisories[0]
    assert keeping.advisories(keeping.written(found)) == found.advisories


@pytest.mark.parametrize(
    "record",
    [
        {"id": "../../etc/passwd", "affected": json.loads(RECORD)["affected"]},
        {"id": "MAL" + 3 * f"-{'9' * 60}", "affected": json.loads(RECORD)["affected"]},
        {"id": NAME, "affected": []},
        {"id": NAME, "affected": [{"package": {"ecosystem": "PyPI", "name": SECRET}, "versions": ["1"]}]},
        {"id": 7, "affected": None},
    ],
)
def test_what_is_no_advisory_is_refused_and_not_repeated(record):
    with pytest.raises(Refused) as refused:
        SENDERS["generic"].read(Received({"webhook-id": "msg_1"}, json.dumps(record).encode()))
    assert refused.value.reason == "unreadable"
    assert SECRET not in str(refused.value)


VERSIONS = st.builds("{}.{}".format, st.integers(0, 6), st.integers(0, 6))
SIGNS = {
    ">=": lambda at, end: at >= end,
    "<": lambda at, end: at < end,
    "<=": lambda at, end: at <= end,
    "=": lambda at, end: at == end,
    ">": lambda at, end: at > end,
}


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(sorted(SIGNS)), VERSIONS), min_size=1, max_size=2), VERSIONS)
def test_a_version_is_bad_exactly_where_githubs_range_says_so_or_else_may_be(conditions, version):
    lower, upper = ([pep440(end) for sign, end in conditions if sign[0] in signs] for signs in (">=", "<="))
    assume(not (lower and upper and min(upper) < max(lower)))  # within which nothing lies
    range_ = ", ".join(f"{sign} {end}" for sign, end in conditions)
    record = {"id": NAME, "affected": [{"package": {"ecosystem": "PyPI", "name": "x"}, **ranged(range_)}]}
    [affected] = advisory.read("r", io.BytesIO(json.dumps(record).encode()))[0].affected
    says = affected.covers(version)
    truly = all(SIGNS[sign](pep440(version), pep440(end)) for sign, end in conditions)
    assert says is truly or says is None
    usual = [sign for sign, _ in conditions] in (["="], ["<"], ["<="], [">="], [">=", "<"], [">=", "<="])
    assert says is not None or not usual


@settings(max_examples=25, deadline=None)
@given(st.text(max_size=30))
def test_a_range_in_other_words_leaves_every_version_open(words):
    record = {"id": NAME, "affected": [{"package": {"ecosystem": "PyPI", "name": "x"}, **ranged(f"about {words}")}]}
    [affected] = advisory.read("r", io.BytesIO(json.dumps(record).encode()))[0].affected
    assert affected.covers("1.0") is None


def test_every_action_that_is_listed_is_one_of_a_known_event():
    assert set(github_advisory.ACTIONS) == set(EVENTS)
