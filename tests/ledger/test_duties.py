"""What came due by policies of hygiene: noted once, as evidence, with what became of it, on both ledgers."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select

from rotator.flow.exposure import Disposition
from rotator.flow.punctuality import Duty, state_of
from rotator.flow.scope import Unresolved
from rotator.hygiene_file import load_all
from rotator.ledger import duties, service, tables

DAY = 86400.0
POLICY = """
policies:
  - name: keys
    select: provider:*
    max_age: 90d
    schedule: "0 2 * * *"
    window: 4h
    approved_by: Jana
    expires: 2027-06-30
"""


class Office:
    """A ledger in which one policy has things due."""

    def __init__(self, house, folder):
        self.company, self.deployment = house
        self.database, self.now = self.deployment.database, self.deployment.world.now()
        (folder / "hygiene.yaml").write_text(POLICY)
        self.policies = load_all([folder / "hygiene.yaml"])

    def owes(self, name, days=0.0, noted=0.0):
        due_at = self.now - days * DAY
        names = ("keys", "tls_certificate", "", "", name)
        return Duty(*names, None, due_at, due_at + 7 * DAY, self.now + noted * DAY)

    def surveys(self, after, waiting, still=None):
        at = self.now + after * DAY
        keys = {duties.key_of(each) for each in (waiting if still is None else still)}
        ages = [{"policy": "keys", "credentials": len(waiting)}]
        duties.survey(self.database, self.policies, waiting, keys, duties.Survey(at, ages))

    def begins(self, incident, *owed):
        tasks = [Unresolved(each.provider, each.credential, (), "old", "replace it") for each in owed]
        self.deployment.declare([], tasks, incident=incident)
        with self.database.write() as connection:
            duties.beginning(self.policies[0], owed, self.now)(connection, incident, "")

    def found(self, begin=-1.0, end=100.0):
        with self.database.read() as connection:
            return duties.find(connection, self.now + begin * DAY, self.now + end * DAY)

    def told(self):
        query = select(tables.evidence.c.body).where(tables.evidence.c.chain == service.CHAIN)
        with self.database.read() as connection:
            bodies = [json.loads(each) for each in connection.execute(query.order_by(tables.evidence.c.seq)).scalars()]
        return [each for each in bodies if each["act"] in {"due", "due_no_more", "aged"}]


@pytest.fixture
def office(house, tmp_path):
    return Office(house, tmp_path)


def test_what_waits_is_noted_once_and_the_ages_once_a_day_however_often_and_late_it_is_asked(office):
    waiting = [office.owes("a"), office.owes("b")]
    office.surveys(0, waiting)
    office.surveys(0.001, [*waiting, office.owes("c")])
    office.surveys(5, waiting)
    assert [each["act"] for each in office.told()] == ["due", "aged", "aged"]
    noted, survey = office.found()
    assert [(each.credential, each.of, each.noted_at) for each in noted] == [
        ("a", "", office.now),
        ("b", "", office.now),
    ]
    assert (survey.at, survey.ages) == (office.now + 5 * DAY, [{"policy": "keys", "credentials": 2}])
    assert office.found(10, 20) == ([], None)
    first = office.told()[0]
    assert (first["policy"], first["max_age_s"], first["deadline_s"]) == ("keys", 90 * DAY, 7 * DAY)
    assert {each["replace_by"] for each in first["credentials"]} == {office.now + 7 * DAY}


def test_what_is_begun_keeps_the_moment_at_which_it_was_first_noted(office):
    office.surveys(0, [office.owes("a")])
    office.begins("inc-1", office.owes("a", noted=3.0), office.owes("b", noted=3.0))
    noted, _ = office.found()
    assert [(each.credential, each.of, each.noted_at, each.is_task) for each in noted] == [
        ("a", "inc-1.m1", office.now, True),
        ("b", "inc-1.m2", office.now + 3 * DAY, True),
    ]
    assert [[one["of"] for one in each["credentials"]] for each in office.told() if each["act"] == "due"] == [
        [""],
        ["inc-1.m1", "inc-1.m2"],
    ]


def test_what_is_due_no_more_is_settled_and_is_due_anew_if_it_is_again(office):
    mine = [office.owes("gone"), office.owes("stays")]
    office.surveys(0, mine)
    office.begins("inc-1", office.owes("a-task"), office.owes("dismissed"))
    office.deployment.dismissing.dismiss("inc-1", "inc-1.m2", Disposition.FALSE_POSITIVE, "ann", "replaced")
    office.surveys(1, [mine[1]])
    noted, _ = office.found()
    until = office.now + 10 * DAY
    assert {each.credential: state_of(each, until) for each in noted} == {
        "gone": "elsewhere",
        "stays": "overdue",
        "a-task": "by_hand",
        "dismissed": "by_hand",
    }
    settled = [
        one["credential"] for each in office.told() if each["act"] == "due_no_more" for one in each["credentials"]
    ]
    assert settled == ["gone", "a-task"]
    office.surveys(2, mine)
    noted, _ = office.found()
    assert [state_of(each, until) for each in noted if each.credential == "gone"] == ["overdue"]


def test_a_record_tells_of_a_hundred_at_most(office):
    office.surveys(0, [office.owes(f"{number:04}") for number in range(1205)])
    assert [len(each["credentials"]) for each in office.told()[:-1]] == [100] * 10 + [100, 100, 5]
    assert len(office.found()[0]) == 1205
