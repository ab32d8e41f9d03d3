"""What is kept becomes an incident, at the first try or a later one, whoever else declares it."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from rotator import clock, response
from rotator.api import declaring
from rotator.api.declaring import Declaring, declare
from rotator.bootstrap import Rotator
from rotator.credential import Leaked, Secret
from rotator.errors import Unavailable
from rotator.flow.exposure import LIST, Disposition, Exposure
from rotator.flow.inventory import Said
from rotator.ledger import tables
from rotator.ledger.triggers import Triggers
from rotator.resurrection import look_again
from rotator.settings.file import load
from rotator.triggers.message import Missing, Trigger
from tests.api.calling import api
from tests.api.deployment import configured
from tests.e2e.commands import until
from tests.fakes.company import founded
from tests.fakes.deployment import sqlite
from tests.ledger.test_resurrection import KEY, acts, died, parts_of, revive

ALARM = Trigger(
    "A leak",
    exposures=(Exposure(LIST, "aws_iam_access_key", Leaked(id="AKIAQ4R7T2W9Z3K5M8N1")),),
    missing=(Missing("github", "aws_access_key_id", "o/r#42", "https://x/42", "no secret", "fetch it"),),
)


@pytest.fixture
def parts(tmp_path):
    found = Rotator(load(configured(tmp_path, "http://127.0.0.1:9")))
    yield found
    found.database.close()


def manual(parts, incident):
    return {(each.kind, each.key, each.mend) for each in parts.reading.incident(incident).manual}


def test_what_an_alarm_lacks_is_a_task_for_a_person_beside_what_it_names(parts):
    kept = parts.triggers.keep("github", ALARM, b"")
    declare(parts, taken := parts.triggers.take())
    assert [each.state for each in parts.triggers.listed()] == ["declared"]
    assert ("aws_iam_access_key", "o/r#42", "fetch it") in manual(parts, taken.incident)
    assert {each.key for each in parts.reading.incident(taken.incident).manual} == {"o/r#42", "AKIAQ4R7T2W9Z3K5M8N1"}
    assert kept.id == taken.id


def test_the_operators_word_says_which_kind_a_senders_type_is(parts):
    token = Exposure("github_partner", "acme_access", Leaked(secret=Secret("acme_canary")))
    parts.triggers.keep("github-partner", Trigger("t", exposures=(token,)), b"")
    declare(parts, taken := parts.triggers.take())
    [task] = parts.reading.incident(taken.incident).manual
    assert task.kind == "acme_api_token"


def test_what_was_said_in_the_inventory_since_is_followed_and_the_senders_types_are_still_known(parts):
    """It is read anew for each alarm, and what follows from one is grouped with it once more."""
    token = Exposure("github_partner", "acme_access", Leaked(secret=Secret("acme_canary"), owner="ci"))
    parts.triggers.keep("github", ALARM, b"")
    declare(parts, parts.triggers.take())
    reader = Said({"provider": "acme_api_token", "owner": "ci"}, {"reads": ["aws:kept/*"]}, "a.yaml, line 1")
    kept = {"deliver": [{"store": "aws_secrets_manager", "connection": "aws", "name": "kept/it"}]}
    held = Said({"provider": "aws_iam_access_key", "owner": "app", "id": "AKIA1"}, kept, "a.yaml, line 2")
    parts.inventory.take([reader, held], "ann")
    parts.triggers.keep(
        "github-partner",
        Trigger("second", exposures=(token,)),
        b"2",
    )
    declare(parts, taken := parts.triggers.take())
    found = {each.kind: each for each in parts.reading.incident(taken.incident).manual}
    assert set(found) == {"acme_api_token", "aws_iam_access_key"}


def test_an_incident_that_is_there_already_is_not_declared_again(parts, monkeypatch):
    """Whoever declared it was killed before he said so."""
    parts.triggers.keep("github", ALARM, b"")
    taken = parts.triggers.take()
    with monkeypatch.context() as killed:
        killed.setattr(Triggers, "declared", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            declare(parts, taken)
    parts.triggers.everything_is_due()
    declare(parts, parts.triggers.take())
    assert [each.incident.id for each in parts.reading.incidents()] == [taken.incident]
    assert [each.incident for each in parts.triggers.listed()] == [taken.incident]


def test_two_that_declare_one_alarm_make_one_incident(parts, monkeypatch):
    parts.triggers.keep("github", ALARM, b"")
    taken = parts.triggers.take()
    monkeypatch.setattr(Triggers, "is_declared", Behind(Triggers.is_declared))
    for _ in range(2):
        declare(parts, taken)
    assert [each.incident.id for each in parts.reading.incidents()] == [taken.incident]
    assert [each.state for each in parts.triggers.listed()] == ["declared"]


def test_what_is_told_again_is_added_to_its_incident_and_planned_once(parts):
    parts.triggers.keep("github", replace(ALARM, delivery="d-1"), b"")
    declare(parts, taken := parts.triggers.take())
    tasks = manual(parts, taken.incident)
    parts.triggers.keep("github", replace(ALARM, delivery="d-2"), b"")
    declare(parts, again := parts.triggers.take())
    assert (again.again, again.incident, parts.triggers.take()) == (True, taken.incident, None)
    assert [each.incident.id for each in parts.reading.incidents()] == [taken.incident]
    assert manual(parts, taken.incident) == tasks
    assert [each.number for each in parts.reading.incident(taken.incident).revisions] == [1]
    assert {each.state for each in parts.triggers.listed()} == {"declared", "same"}


def test_what_an_alarm_lacks_is_no_task_again_once_a_person_has_dismissed_it(parts):
    parts.triggers.keep("github", replace(ALARM, delivery="d-1"), b"")
    declare(parts, taken := parts.triggers.take())
    [lacking] = [each.id for each in parts.reading.incident(taken.incident).manual if each.key == "o/r#42"]
    parts.dismissing.dismiss(taken.incident, lacking, Disposition.FALSE_POSITIVE, "ana", "it is a test's")
    parts.triggers.keep("github", replace(ALARM, delivery="d-2"), b"")
    declare(parts, parts.triggers.take())
    assert [each.number for each in parts.reading.incident(taken.incident).revisions] == [1]
    assert len(parts.reading.incident(taken.incident).manual) == 2


def test_what_is_told_again_though_it_was_dead_is_looked_at_next_and_stopped_again_where_it_lives(tmp_path):
    company, deployment = house = founded(tmp_path, database=sqlite(tmp_path / "ledger.db"))
    ref, secret = died(house)
    parts = api(tmp_path, deployment.database).parts
    named = Trigger("leak", exposures=(Exposure(LIST, KEY, Leaked(id=ref.id, secret=secret)),))
    first = parts.triggers.keep("generic", replace(named, delivery="d-1"), b"")
    with deployment.database.write() as connection:
        connection.execute(tables.trigger.update().values(incident="inc-1"))
    parts.triggers.declared(first.id, "inc-1")
    revive(company, ref)
    parts.triggers.keep("generic", replace(named, delivery="d-2"), b"")
    declare(parts, parts.triggers.take())
    assert [each["dead_before"] for each in acts(deployment, "added")] == [["inc-1.r1"]]
    look_again(parts_of(deployment), clock.now)
    assert len(acts(deployment, "alive_again")) == 1
    assert [each.incident.id for each in parts.reading.incidents()] == ["inc-1"]
    assert len(parts.reading.incident("inc-1").runs) == 1


class Behind:
    """Does not see, when first asked of each time, what the other has just written."""

    def __init__(self, tells):
        self._tells, self._asked = tells, 0

    def __get__(self, triggers, _owner=None):
        return lambda incident: self._tell(triggers, incident)

    def _tell(self, triggers, incident):
        self._asked += 1
        return self._asked > 2 and self._tells(triggers, incident)


def test_long_alarms_hold_up_no_short_one(parts, monkeypatch):
    """As many as there are threads for them wait for an issuer that does not answer."""
    prepare, ends = response.prepare, threading.Event()

    def slowly(given, found, **named):
        assert len(found) == 1 or ends.wait(60)
        return prepare(given, found, **named)

    monkeypatch.setattr(response, "prepare", slowly)
    for count in (100, 99, 98, 1):
        ids = [Leaked(id=f"AKIA{number:016}") for number in range(1000 - count, 1000)]
        exposures = tuple(Exposure(LIST, "aws_iam_access_key", each) for each in ids)
        parts.triggers.keep("generic", Trigger(f"{count} keys", exposures=exposures), str(count).encode())
    threads = Declaring(parts)
    threads.start()
    try:
        assert until(lambda: [each.title for each in parts.triggers.listed() if each.incident]) == ["1 keys"]
        ends.set()
        assert until(lambda: all(each.incident for each in parts.triggers.listed()))
    finally:
        ends.set()
        threads.stop()


def test_alarms_that_point_elsewhere_hold_up_none_that_names(parts, monkeypatch):
    """More than there are threads wait for a service that does not answer; what names its keys is declared."""
    completed, ends = declaring.completed, threading.Event()

    def hanging(given, taken):
        assert taken.sender != "github" or ends.wait(60)
        return completed(given, taken)

    monkeypatch.setattr(declaring, "completed", hanging)
    for number in range(len(declaring.LANES)):
        pointing = Missing("github", "t", f"o/r#{number}", "", "no secret", "fetch it")
        parts.triggers.keep("github", Trigger("points", missing=(pointing,)), str(number).encode())
    parts.triggers.keep("aws-health", Trigger("names", exposures=ALARM.exposures), b"")
    threads = Declaring(parts)
    threads.start()
    try:
        assert until(lambda: [each.title for each in parts.triggers.listed() if each.incident]) == ["names"]
    finally:
        ends.set()
        threads.stop()


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (Unavailable("vault_unreachable", "kv"), "vault_unreachable: kv"),
        (ZeroDivisionError("canary"), "internal error"),
    ],
)
def test_what_cannot_be_planned_now_stays_visible_with_the_reason(parts, monkeypatch, error, reason):
    kept = parts.triggers.keep("github", ALARM, b"")
    taken = parts.triggers.take()

    def fails(*_given, **_named):
        raise error

    with monkeypatch.context() as broken:
        broken.setattr("rotator.response.prepare", fails)
        declare(parts, taken)
    [listed] = parts.triggers.listed()
    assert (listed.state, listed.incident) == ("waiting", None)
    assert listed.reason.startswith(reason)
    assert "canary" not in listed.reason
    parts.triggers.everything_is_due()
    declare(parts, parts.triggers.take())
    assert [each.state for each in parts.triggers.listed()] == ["declared"]
    assert kept.id == listed.id
