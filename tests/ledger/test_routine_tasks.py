"""Tasks that hygiene left to people: told again while they are open, not once they are done, on both ledgers."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import insert, select

from rotator.credential import CredentialRef
from rotator.errors import BadInput
from rotator.flow.exposure import Disposition
from rotator.flow.hygiene import Known
from rotator.flow.scope import Unresolved
from rotator.ledger import routine_tasks, tables
from rotator.ledger.inventory import Inventory
from rotator.ledger.routines import Routines
from rotator.ports.listing import Discovered
from rotator.report.clocks import moment

DAY = 86400.0
KIND = "tls_certificate"


class Desk:
    """A ledger with an incident of hygiene that left tasks to people."""

    def __init__(self, house):
        _, self.deployment = house
        self.database, self.begun = self.deployment.database, self.deployment.world.now()
        self.inventory = Inventory(self.database, self.deployment.world.now)

    def leaves(self, *keys, incident="inc-1", policy="certificates"):
        tasks = [Unresolved(KIND, each, (), "300 days old", f"{each}@ops: replace it by hand") for each in keys]
        self.deployment.declare([], tasks, incident=incident)
        with self.database.write() as connection:
            connection.execute(insert(tables.hygiene).values(incident=incident, policy=policy, at=self.begun))
            connection.execute(tables.notice.delete())

    def lists(self, *ids, connection="dc", **facts):
        refs = [CredentialRef(KIND, connection, "web", each) for each in ids]
        self.inventory.keep(KIND, connection, [Discovered(each, facts) for each in refs])

    def after(self, days):
        """Look, so many days after the tasks began; return the incidents of which people were reminded."""
        return routine_tasks.remind(self.database, self.begun + days * DAY)

    def told(self):
        with self.database.read() as connection:
            return [json.loads(each) for each in connection.execute(select(tables.notice.c.facts)).scalars()]


@pytest.fixture
def desk(house):
    return Desk(house)


def test_people_are_told_again_ever_more_seldom_who_is_to_do_what(desk):
    desk.leaves("web-1", "web-2")
    found = [day for day in range(60) if desk.after(day)]
    assert found == [1, 3, 7, 15, 29, 43, 57]
    assert desk.told()[0] == {
        "manual": 2,
        "what": [f"{KIND}: web-1@ops: replace it by hand", f"{KIND}: web-2@ops: replace it by hand"],
    }


def test_what_was_missed_while_nobody_led_is_told_once(desk):
    desk.leaves("web-1")
    assert [desk.after(40), desk.after(40.1), desk.after(42.9), desk.after(43)] == [["inc-1"], [], [], ["inc-1"]]
    assert len(desk.told()) == 2


def test_a_task_that_is_done_or_whose_incident_is_closed_is_not_told_of(desk):
    desk.leaves("web-1", "web-2")
    desk.deployment.dismissing.dismiss("inc-1", "inc-1.m1", Disposition.FALSE_POSITIVE, "ann", "it is replaced")
    assert desk.after(1) == ["inc-1"]
    assert desk.told()[-1]["manual"] == 1
    desk.deployment.dismissing.dismiss("inc-1", "inc-1.m2", Disposition.FALSE_POSITIVE, "ann", "it is replaced")
    assert desk.after(3) == []
    desk.leaves("web-3", incident="inc-2", policy="others")
    with desk.database.write() as connection:
        connection.execute(tables.incident.update().values(closed_at=desk.begun))
    assert desk.after(30) == []
    assert Routines(desk.database).tasks() == {}


def test_a_task_of_an_incident_that_is_no_hygiene_is_not_told_of(desk):
    desk.deployment.declare([], [Unresolved(KIND, "web-1", (), "leaked", "revoke it")])
    assert desk.after(30) == []


def test_what_its_issuer_lists_as_made_since_or_no_more_is_done_and_no_task_stands_in_its_way(desk):
    desk.leaves("same-name", "gone", "old")
    desk.lists("same-name", "gone", "old", created_at=moment(desk.begun - 300 * DAY))
    assert {key for _, key in Routines(desk.database).tasks()} == {"same-name", "gone", "old"}
    desk.lists("same-name", created_at=moment(desk.begun + DAY), last_used_at=moment(desk.begun + DAY))
    assert Routines(desk.database).tasks() == {}
    desk.lists("same-name", "old", created_at=moment(desk.begun - 300 * DAY))
    assert {key for _, key in Routines(desk.database).tasks()} == {"same-name", "old"}
    assert desk.after(1) == ["inc-1"]
    assert desk.told()[-1]["manual"] == 2


def test_what_another_issuer_lists_under_the_same_name_as_young_is_not_taken_for_it(desk):
    desk.leaves("web-1")
    desk.lists("web-1", created_at=moment(desk.begun - 300 * DAY))
    desk.lists("web-1", connection="elsewhere", created_at=moment(desk.begun + DAY))
    assert len(Routines(desk.database).tasks()) == 1


def test_what_ends_by_itself_is_told_of_again_before_that_and_when(desk):
    desk.leaves("web-1")
    desk.lists("web-1", created_at=moment(desk.begun - 300 * DAY), expires_at=moment(desk.begun + 36 * DAY))
    assert [day for day in range(40) if desk.after(day)] == [1, 3, 7, 15, 22, 29, 33, 35, 36]
    assert desk.told()[-1]["ends_at"] == desk.begun + 36 * DAY


def test_of_a_day_one_incident_tells_what_ends_and_each_end_is_told_once(desk):
    def ends(name, days):
        ref = CredentialRef(KIND, "dc", "web", name)
        return Known(ref, {}, desk.begun + (days - 365) * DAY, ends_at=desk.begun + days * DAY)

    desk.leaves("web-1")
    now = [ends("web-1", 20), ends("web-2", 20), ends("web-1", 385)]
    assert routine_tasks.untold(desk.database, now) == now[1:]  # another end, of the same name, is another task
    mark = routine_tasks.once_a_day("expiry watch", desk.begun)
    with desk.database.write() as connection:
        connection.execute(tables.hygiene.delete())
        mark(connection, "inc-1", "")
    assert routine_tasks.untold(desk.database, now) == now[1:]
    with pytest.raises(BadInput, match="inc-1 was begun today"), desk.database.write() as connection:
        mark(connection, "inc-2", "")
