"""Every record becomes an event of the official schema, whatever is in it, and none of its letters is a secret."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotator.flow.playbook_words import Subject, Verb
from rotator.flow.run import StepState
from rotator.ledger.siem import SiemPlaces
from rotator.siem import ocsf
from rotator.siem.classes import ACTS, STEPS, UNKNOWN, of_act, of_step
from rotator.siem.told import About, Credential, Told
from tests.fakes.company import founded
from tests.siem.acts import acts_written
from tests.siem.official import SCHEMA, faults

ABOUT = About("inc-20261123-a1b2c3", "keys in a public repository", "high")
OF = Credential("aws_iam_access_key", "aws-prod", "ci", "AKIAQ4R7T2W9Z3K5M8N1")
SECRET = "hvs.CAESICanaryCanaryCanaryCanaryCanary"
SAID_OTHERWISE = {
    "gate_given",
    "gate_overridden",
    "gate_said_yes",
    "stopped",
    "continued",
    "closed",
    "reopened",
    "triggered",
    "told again",
    "signed_out",
    "session_revoked",
}
"""Acts that their callers name, and no word beside `act` does."""
scalars = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(max_size=400)
values = scalars | st.lists(scalars, max_size=25) | st.dictionaries(st.text(max_size=30), scalars, max_size=25)
bodies = st.fixed_dictionaries(
    {"at": st.integers(0, 2**40) | st.floats(0, 2**40), "chain": st.sampled_from(["service", "inc-1", "inc-1.r1.0.0"])},
    optional={
        "by": st.text(max_size=80),
        "reason": st.text(max_size=400) | st.none(),
        "facts": st.dictionaries(st.text(max_size=30), values, max_size=3),
        "on": st.text(max_size=80),
        "what": values,
        "session": st.text(max_size=20),
        "token": st.text(max_size=20),
        "name": st.text(max_size=20),
        "replacement": st.text(max_size=50) | st.none(),
        "target": st.text(max_size=50),
        "into": st.text(max_size=40),
        "dead_at": st.none() | st.floats(0, 2**40),
        "evidence": st.sampled_from(["proven", "stated", "none"]),
        "more": values,
    },
)
subjects = st.none() | st.builds(Credential, *[st.text(max_size=300)] * 4)
abouts = st.none() | st.builds(
    About, st.just("inc-1"), st.text(max_size=300), st.sampled_from(["low", "high", "?"]), st.booleans(), st.booleans()
)
steps = st.builds(
    lambda do, state, answer: {"do": do, "from": "running", "state": state, "facts": {"answer": answer}},
    st.sampled_from([f"{verb} {subject}" for verb, subject in product(Verb, Subject)]) | st.text(max_size=20),
    st.sampled_from([each.value for each in StepState]),
    st.sampled_from(["accepted", "rejected", "inconclusive", None]),
)
acts = st.builds(lambda act: {"act": act}, st.sampled_from(sorted(ACTS)) | st.text(max_size=20))


def one(body, about=ABOUT, of=OF):
    [found] = ocsf.events(Told("a" * 64, 1.5, {"at": 1.5, "chain": "inc-1", "seq": 3, **body}, about, of))
    return found


def checked(event):
    """Return an event as a receiver reads it, without a fault."""
    line = ocsf.written(event)
    assert line.isascii()
    assert len(line.splitlines()) == 1
    assert len(line) <= ocsf.MOST_BYTES
    read = json.loads(line)
    assert faults(read) == []
    return read


@given(bodies, steps | acts, abouts, subjects)
def test_whatever_a_record_holds_its_event_keeps_the_schema(body, sort, about, of):
    for event in ocsf.events(Told("a" * 64, 1.5, {**body, **sort, "seq": 1}, about, of)):
        checked(event)


def test_all_that_a_real_response_writes_keeps_the_schema(tmp_path):
    company, house = founded(tmp_path)
    house.start([company.stolen("aws_iam_access_key", owner="ci")[0]])
    house.rest()
    places = SiemPlaces(house.database)
    places.replay("siem", 0.0, "ann")
    records = places.next(places.find("siem"), 500)
    found = [checked(event) for told in places.told(records) for event in ocsf.events(told)]
    assert len({each["metadata"]["uid"] for each in found}) == len(found) >= len(records) > 30
    told = {each["type_name"] for each in found}
    assert {
        "Incident Finding: Create",
        "Entity Management: Enroll",
        "Entity Management: Suspend",
        "Entity Management: Create",
        "Entity Management: Delete",
        "Authentication: Logon",
    } <= told
    assert {each["class_uid"] for each in found} == {2005, 3002, 3004}
    house.database.close()


def test_each_credential_that_an_incident_enrols_is_an_event_under_a_name_of_its_own():
    run = {"run": "inc-1.r1", "kind": OF.kind, "connection": "aws-prod", "owner": "ci", "credential": OF.id}
    task = {"task": "inc-1.m1", "kind": None, "connection": "", "key": "somebody's", "reason": "no kind"}
    told = Told(
        "b" * 64, 1.0, {"at": 1, "chain": "inc-1", "seq": 2, "act": "enrolled", "runs": [run, run], "tasks": [task]}
    )
    found = [checked(each) for each in ocsf.events(told)]
    assert [each["metadata"]["uid"] for each in found] == [f"{'b' * 64}.{number}" for number in (1, 2, 3)]
    assert [each["entity"]["uid"] for each in found] == [OF.id, OF.id, "somebody's"]
    assert {each["metadata"]["original_event_uid"] for each in found} == {"b" * 64}


@pytest.mark.parametrize(
    ("answer", "status"), [("accepted", "Success"), ("rejected", "Failure"), ("inconclusive", "Unknown")]
)
def test_a_knock_is_our_own_attempt_to_log_in(answer, status):
    body = {"do": "verify exposed", "state": "done", "from": "running", "facts": {"answer": answer}, "target": "web1"}
    event = checked(one(body))
    assert (event["type_name"], event["status"], event["actor"]) == (
        "Authentication: Logon",
        status,
        {"app_name": "rotator"},
    )
    assert event["user"] == {"name": "ci", "programmatic_credentials": [{"uid": OF.id, "type": OF.kind}]}
    assert event["dst_endpoint"] == {"name": "web1"}
    assert event["observables"][0] == {
        "name": "user.programmatic_credentials[0].uid",
        "type": "User Credential ID",
        "type_id": 19,
        "value": OF.id,
    }


def test_what_is_made_in_its_place_is_not_called_the_stolen_one():
    done = {"state": "done", "from": "running"}
    made = checked(one({**done, "do": "issue replacement", "facts": {"replacement": "NEW"}}))
    told = (made["type_name"], made["entity"]["type"], made["entity"].get("uid"), made["entity_result"]["uid"])
    assert told == ("Entity Management: Create", "Replacement", None, "NEW")
    dead = checked(one({**done, "do": "revoke exposed", "facts": {}}))
    assert (dead["type_name"], dead["entity"]["uid"], dead["status"]) == ("Entity Management: Delete", OF.id, "Success")


def test_hygiene_and_drills_are_no_alarms():
    routine = checked(
        one({"act": "declared", "by": "hygiene policy p"}, About("inc-1", "hygiene", "low", routine=True))
    )
    assert (routine["class_name"], routine["entity"]["type"]) == ("Entity Management", "Hygiene")
    played = checked(one({"act": "declared", "by": "ann"}, About("inc-1", "a drill", "high", drill=True)))
    assert (played["verdict"], played["metadata"]["labels"]) == ("Test", ["drill"])


def test_what_is_refused_at_the_api_is_a_failure_and_says_who_wanted_what():
    body = {"act": "refused", "by": "ann", "token": "ann-laptop", "what": "approve", "on": "inc-1", "reason": "role"}
    event = checked(one({**body, "chain": "service"}, None, None))
    assert (event["class_name"], event["status"], event["severity"]) == ("API Activity", "Failure", "Low")
    assert (event["api"]["operation"], event["resources"][0]["name"]) == ("approve", "inc-1")
    own = {"uid": "ann-laptop", "type": "API Token"}
    assert event["actor"]["user"] == {"name": "ann", "programmatic_credentials": [own]}


def test_a_record_that_is_too_long_loses_what_is_not_mapped_and_says_so():
    event = checked(
        one({"act": "added", "facts": {str(number): "x" * 250 for number in range(20)}, "m": ["y" * 200] * 20})
    )
    assert event["metadata"]["is_truncated"] is True
    assert event["metadata"]["untruncated_size"] > ocsf.MOST_BYTES
    assert "unmapped" not in event


@given(bodies, steps | acts, abouts, subjects, st.sampled_from(["ж", "\N{GRINNING FACE}", "\\"]))
def test_texts_whose_letters_need_much_room_are_cut_until_the_event_is_short_enough(body, sort, about, of, letter):
    """A title in Cyrillic has six times its letters in ASCII, one of pictures twelve times."""
    long = letter * 300
    about, of = about and replace(about, title=long), of and replace(of, owner=long, connection="aws-prod")
    for event in ocsf.events(Told("a" * 64, 1.5, {**body, **sort, "seq": 1, "by": long, "reason": long}, about, of)):
        read = checked(event)
        assert read["actor"]["user"]["name"][0] == letter
        assert read["metadata"]["uid"] == "a" * 64


@pytest.mark.parametrize("where", ["reason", "by", "on", "facts", "name", "session"])
def test_what_looks_like_material_stands_in_no_event(where):
    value = {"answer": ["x", {"deep": f"see {SECRET}"}]} if where == "facts" else f"see {SECRET}"
    for act in sorted(ACTS):
        line = ocsf.written(one({"act": act, where: value}, About("inc-1", f"leak of {SECRET}", "high")))
        assert SECRET not in line, act


def test_what_this_table_does_not_know_is_a_base_event_with_all_that_it_says():
    event = checked(one({"act": "danced", "with": "ann"}))
    assert (event["class_uid"], event["activity_name"], event["unmapped"]["with"]) == (0, "danced", "ann")
    assert (of_act("danced", service=False), of_step("dance exposed")) == (UNKNOWN, UNKNOWN)


def test_a_trial_says_that_nothing_has_happened():
    assert "nothing has happened" in checked(ocsf.trial("test-1", 5.0))["message"]


def test_each_verb_and_each_act_that_rotator_writes_has_a_class_of_its_own_choice():
    assert set(STEPS) == set(Verb)
    written = set(acts_written()) | SAID_OTHERWISE
    assert len(written) > 30
    assert written - set(ACTS) == set(), "say in rotator/siem/classes.py as what these are told"
    assert set(ACTS) - written == set(), "nobody writes these"


def test_each_class_and_activity_is_the_schemas_own():
    for sort in (*ACTS.values(), *STEPS.values(), UNKNOWN):
        [of] = [each for each in SCHEMA["classes"].values() if each["uid"] == sort.of.uid]
        assert (of["caption"], of["category_uid"]) == (sort.of.caption, sort.of.category_uid)
        enum = {int(number): each["caption"] for number, each in of["attributes"]["activity_id"]["enum"].items()}
        assert sort.of.activities.items() <= enum.items()


SPOILT = {
    "severity_id: is required": lambda event: event.pop("severity_id"),
    "metadata.product: is required": lambda event: event["metadata"].pop("product"),
    "credential: is not known": lambda event: event.update(credential="x"),
    "status_id: 17 is none of its enum": lambda event: event.update(status_id=17),
    "time: 'now' is no timestamp_t": lambda event: event.update(time="now"),
    "status: 'Failure' is not what 1 means": lambda event: event.update(status="Failure"),
    "observables: is no list": lambda event: event.update(observables={}),
    ": needs one of service, dst_endpoint": lambda event: event.pop("service"),
    "type_uid: 300202": lambda event: event.update(type_uid=300202, type_name="Authentication: Logoff"),
    "user.credential_uid: is deprecated": lambda event: event["user"].update(credential_uid="x"),
    "metadata.version: 1.0.0": lambda event: event["metadata"].update(version="1.0.0"),
}


@pytest.mark.parametrize("fault", SPOILT)
def test_the_check_against_the_schema_finds_what_is_wrong(fault):
    event = one({"do": "verify exposed", "state": "done", "from": "running", "facts": {"answer": "accepted"}})
    assert faults(event) == []
    spoilt = copy.deepcopy(event)
    SPOILT[fault](spoilt)
    assert fault in faults(spoilt)
