"""The expiry watch: what ends by itself under no policy becomes its owner's task, once for each end."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select

from rotator import clock, tending
from rotator.bootstrap import Rotator
from rotator.expiry import ExpiryWatch
from rotator.flow.incident import Purpose
from rotator.flow.inventory import Said
from rotator.ledger import tables
from rotator.ports.listing import Discovered
from rotator.report.clocks import moment
from rotator.settings.file import load
from rotator.shown import hygiene, incident_list
from tests.flow.test_plan import stolen

DAY = 86400.0
KIND = "kubernetes_client_certificate"
CONFIGURED = """
data_dir = "data"
[[connections]]
name = "prod"
family = "kubernetes"
[[credentials]]
match = { provider = "kubernetes_client_certificate", owner = "of-web" }
contact = "web@corp"
"""


@pytest.fixture
def parts(tmp_path):
    (tmp_path / "rotator.toml").write_text(CONFIGURED)
    found = Rotator(load(tmp_path / "rotator.toml"))
    yield found
    found.database.close()


def listed(parts, ends, now):
    """Have the issuer list these: by id, in how many days each ends, of a year's life."""
    found = []
    for name, days in ends.items():
        ref = stolen(KIND, name, owner=f"of-{name}").ref
        facts = {"created_at": moment(now + (days - 365) * DAY), "expires_at": moment(now + days * DAY)}
        found.append(Discovered(ref, facts))
    parts.inventory.keep(KIND, "prod", found)


def rows(parts, table):
    with parts.database.read() as connection:
        return [dict(each) for each in connection.execute(select(table)).mappings()]


def test_with_no_policy_at_all_what_ends_soon_becomes_a_task_of_its_owner_and_people_are_told(parts):
    now = clock.now()
    listed(parts, {"web": 20, "db": 200}, now)
    tending.Tending(parts, lambda: True).decide()
    [task] = rows(parts, tables.manual)
    assert (task["key"], task["mend"]) == ("web", "web@corp: replace it by hand, then dismiss this task")
    assert task["reason"] == f"it ends at {moment(now + 20 * DAY)}; no policy of hygiene is configured"
    [shown] = incident_list.listed(parts)
    assert (shown["purpose"], shown["title"]) == (Purpose.HYGIENE, "hygiene: expiry watch, 1 credential")
    told = {each["event"]: json.loads(each["facts"]) for each in rows(parts, tables.notice)}
    assert "approval_wanted" not in told
    assert told["needs_person"]["manual"] == 1
    [due] = hygiene.due(parts, now)
    assert (due["policy"], due["turn"], due["id"]) == ("", "ends", "web")
    assert due["busy"] == f"a task of {shown['id']}: web@corp: replace it by hand, then dismiss this task"


def test_one_is_told_of_once_for_each_end_and_what_is_new_once_a_day(parts):
    now = clock.now() // DAY * DAY + 60.0
    watch = ExpiryWatch(parts)
    listed(parts, {"web": 20}, now)
    assert watch.run(now) is not None
    listed(parts, {"web": 20, "db": 25}, now)
    assert watch.run(now + 60) is None  # today's is begun
    assert [watch.run(now + DAY) is None, watch.run(now + DAY + 60) is None] == [False, True]
    assert sorted(each["key"] for each in rows(parts, tables.manual)) == ["db", "web"]
    with parts.database.write() as connection:  # as people dismiss a task
        connection.execute(tables.manual.update().values(dismissed="done"))
    assert ExpiryWatch(parts).run(now + 5 * DAY) is None
    listed(parts, {"web": 390, "db": 20}, now)  # the one was replaced, and comes near its end again a year later
    assert ExpiryWatch(parts).run(now + 6 * DAY) is None
    assert ExpiryWatch(parts).run(now + 361 * DAY) is not None
    assert [each["key"] for each in rows(parts, tables.manual)].count("web") == 2


def test_a_canary_and_what_somebody_else_answers_is_left_alone(parts):
    now = clock.now()
    listed(parts, {"web": 20}, now)
    parts.inventory.take([Said({"owner": "of-web"}, {"canary": True}, "a test")], "ann")
    assert ExpiryWatch(parts).run(now) is None
    assert hygiene.due(parts, now) == []
