"""An alarm is kept once however often it is told, handed out to one, and told in its incident's chain."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import insert, select, update

from rotator.credential import Leaked, Secret
from rotator.errors import BadInput
from rotator.flow.exposure import Exposure
from rotator.flow.incident import Severity
from rotator.ledger import tables
from rotator.ledger.triggers import TAKEN_S, Triggers
from rotator.seal import Seal
from rotator.triggers.message import Missing, Trigger
from tests.fakes.deployment import SEAL

MISSING = Missing("github", "aws_access_key_id", "o/r#42", "https://x/42", "no secret", "fetch it")


class Time:
    now = 1.8e9

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Time()


@pytest.fixture
def triggers(database, clock):
    return Triggers(database, SEAL, clock)


def alarm(*secrets, delivery=None, missing=(), title="A leak"):
    exposures = tuple(Exposure("gitlab", "t", Leaked(secret=Secret(each)), "https://x/1") for each in secrets)
    return Trigger(title, Severity.CRITICAL, delivery=delivery, exposures=exposures, missing=tuple(missing))


def incident_of(database, name, closed_at=None):
    """Write the incident that somebody has declared."""
    row = {"id": name, "title": "t", "severity": "high", "detected_at": 1.0, "declared_at": 1.0, "plan_digest": "d"}
    with database.write() as connection:
        connection.execute(insert(tables.incident).values(**row, closed_at=closed_at, length=0, head=""))
    return name


def acts(database, chain):
    query = select(tables.evidence.c.body).where(tables.evidence.c.chain == chain).order_by(tables.evidence.c.seq)
    with database.read() as connection:
        return [json.loads(body) for body in connection.execute(query).scalars()]


def test_a_senders_retry_is_the_alarm_that_was_kept(triggers):
    first = triggers.keep("github", alarm(missing=[MISSING], delivery="d-1"), b"{}")
    again = triggers.keep("github", alarm(missing=[MISSING], delivery="d-1"), b"{}")
    assert (again.id, again.again, first.again) == (first.id, True, False)
    assert [each.id for each in triggers.listed()] == [first.id]


def test_of_those_that_are_no_incident_yet_the_first_are_told_once_each_and_all_are_counted(triggers, database, clock):
    kept = []
    for name in "abcd":
        clock.now += 1
        kept.append(triggers.keep("generic", alarm(name, title=f"of {name}"), name.encode()).id)
    triggers.keep("generic", alarm("b", title="of b"), b"told again")
    triggers.declared(kept[0], incident_of(database, triggers.take().incident))
    triggers.put_off(kept[1], "aws does not answer")
    count, first = triggers.waiting(2)
    assert (count, [each.id for each in first]) == (3, kept[1:3])
    assert [(each.state, each.reason) for each in first] == [("waiting", "aws does not answer"), ("received", None)]
    assert {each.incident for each in first} == {None}
    assert first[0].due_at == clock.now + 30


def test_another_alarm_under_an_id_that_was_used_is_kept(triggers):
    """A sender that puts the number of its rule there."""
    kept = [triggers.keep("generic", alarm(each, delivery="rule-7"), b"") for each in ("a", "b", "a", "b")]
    assert [each.again for each in kept] == [False, False, True, True]
    assert len(triggers.listed()) == 2


def test_without_an_id_the_body_tells_a_retry_until_the_incident_is_closed(triggers, database, clock):
    first = triggers.keep("gitlab", alarm("a"), b"[1]")
    assert triggers.keep("gitlab", alarm("a"), b"[1]").id == first.id
    other = triggers.keep("gitlab", alarm("a"), b"[1 ]")
    assert (other.state, triggers.keep("gitlab", alarm("a"), b"[1 ]").again) == ("same", True)
    name = incident_of(database, triggers.take().incident)
    triggers.declared(first.id, name)
    with database.write() as connection:
        connection.execute(update(tables.incident).values(closed_at=clock.now))
    clock.now += 1
    for body in (b"[1]", b"[1 ]"):
        later = triggers.keep("gitlab", alarm("a"), body)
        assert not later.again
        assert later.id not in {first.id, other.id}


def test_another_message_about_the_same_credentials_is_the_same_incident(triggers, database):
    first = triggers.keep("gitlab", alarm("a", "b", delivery="d-1"), b"")
    early = triggers.keep("gitlab", alarm("b", "a", delivery="d-2"), b"")
    taken = triggers.take()
    assert (taken.id, triggers.take()) == (first.id, None)
    triggers.declared(first.id, incident_of(database, taken.incident))
    late = triggers.keep("gitlab", alarm("a", "b", delivery="d-3"), b"")
    more = triggers.keep("gitlab", alarm("a", "b", "c", delivery="d-4"), b"")
    elsewhere = triggers.keep("generic/x", alarm("a", "b", delivery="d-1"), b"")
    assert [each.state for each in (first, early, late, more, elsewhere)] == [
        "received",
        "same",
        "same",
        "received",
        "received",
    ]
    told = {each.id: each.incident for each in triggers.listed()}
    assert [told[each.id] for each in (first, early, late, more)] == [taken.incident] * 3 + [None]
    assert [(each["act"], each["trigger"], each["by"]) for each in acts(database, taken.incident)] == [
        ("triggered", first.id, "gitlab webhook"),
        ("told again", early.id, "gitlab webhook"),
        ("told again", late.id, "gitlab webhook"),
    ]


def test_what_is_told_again_of_an_incident_is_handed_out_once_to_be_added_to_it(triggers, database, clock):
    first = triggers.keep("gitlab", alarm("a", delivery="d-1"), b"")
    early = triggers.keep("gitlab", alarm("a", delivery="d-2"), b"")
    taken = triggers.take()
    triggers.declared(first.id, incident_of(database, taken.incident))
    incident_of(database, "inc-of-both")
    with database.write() as connection:
        merged = update(tables.incident).where(tables.incident.c.id == taken.incident)
        connection.execute(merged.values(merged_into="inc-of-both"))
    assert (taken.again, early.state, triggers.take()) == (False, "same", None)  # it came before there was a plan
    late = triggers.keep("gitlab", alarm("a", delivery="d-3"), b"")
    again = triggers.take()
    assert (again.id, again.again, again.incident) == (late.id, True, "inc-of-both")
    assert triggers.contents(again)[0][0].leaked.secret == Secret("a")
    triggers.put_off(late.id, "it is closed")
    assert triggers.next_due_at() == clock.now + 30
    assert [(each.state, each.reason) for each in triggers.listed() if each.id == late.id] == [("same", "it is closed")]
    triggers.everything_is_due()
    assert triggers.take().id == late.id
    triggers.added(late.id)
    assert triggers.next_due_at() is None
    with database.read() as connection:
        assert connection.execute(select(tables.trigger.c.blob)).scalars().all() == [None] * 3
    assert triggers.keep("gitlab", alarm("a", delivery="d-3"), b"").again  # a retry of that message is nothing new
    assert triggers.take() is None


def test_what_was_told_again_of_an_incident_that_was_closed_since_is_one_new_incident(triggers, database, clock):
    """It names what somebody saw, and a closed incident grows no more: it was tried for ever, and nobody was told."""
    first = triggers.keep("gitlab", alarm("a", delivery="d-1"), b"")
    closed = incident_of(database, triggers.take().incident)
    triggers.declared(first.id, closed)
    late = [triggers.keep("gitlab", alarm("a", delivery=each), b"").id for each in ("d-2", "d-3", "d-4")]
    assert triggers.take().again
    with database.write() as connection:
        connection.execute(update(tables.incident).values(closed_at=clock.now))
    triggers.everything_is_due()
    taken = triggers.take()
    assert (taken.id in late, taken.again, triggers.take()) == (True, False, None)
    assert taken.incident != closed
    triggers.declared(taken.id, incident_of(database, taken.incident))
    listed = {each.id: each for each in triggers.listed()}
    assert {each.incident for name, each in listed.items() if name in late} == {taken.incident}
    assert [each["act"] for each in acts(database, taken.incident)] == ["triggered", "told again", "told again"]
    assert listed[first.id].incident == closed


def test_one_alarm_that_comes_many_times_at_once_is_kept_once(triggers):
    told = [alarm("a", delivery=f"d-{number % 4}") for number in range(16)]
    with ThreadPoolExecutor(8) as pool:
        kept = list(pool.map(lambda each: triggers.keep("gitlab", each, b""), told))
    assert sorted(each.state for each in triggers.listed()) == ["received", "same", "same", "same"]
    assert sum(not each.again for each in kept) == 4


def test_an_id_too_long_to_be_kept_is_known_all_the_same(triggers):
    kept = [triggers.keep("pagerduty", alarm(missing=[MISSING], delivery="x" * 300), b"") for _ in range(2)]
    assert [each.again for each in kept] == [False, True]


def test_what_an_alarm_names_is_sealed_until_it_is_declared(triggers, database):
    kept = triggers.keep(
        "gitlab", alarm("glpat-canary", title="glpat-canary is out", missing=[MISSING]), b"glpat-canary"
    )
    with database.read() as connection:
        [row] = connection.execute(select(tables.trigger)).all()
    assert "canary" not in repr(row)
    taken = triggers.take()
    exposures, missing = triggers.contents(taken)
    assert (exposures[0].leaked.secret, missing) == (Secret("glpat-canary"), (MISSING,))
    with pytest.raises(BadInput, match="cannot be opened"):
        Triggers(database, Seal(b"x" * 32)).contents(taken)
    triggers.declared(kept.id, incident_of(database, taken.incident))
    with database.read() as connection:
        assert connection.execute(select(tables.trigger.c.blob)).scalars().all() == [None]


def test_who_takes_an_alarm_has_it_for_a_while_and_whoever_comes_after_declares_the_same_incident(triggers, clock):
    triggers.keep("gitlab", alarm("a"), b"")
    taken = triggers.take()
    assert triggers.take() is None
    clock.now += TAKEN_S
    assert triggers.take().incident == taken.incident
    triggers.everything_is_due()
    assert triggers.take().incident == taken.incident


def test_the_short_are_taken_beside_the_long_and_none_that_is_in_hand(triggers, clock):
    long = triggers.keep("gitlab", alarm(*(f"token {number}" for number in range(50))), b"long")
    clock.now += 1
    short = triggers.keep("gitlab", alarm("a"), b"short")
    assert triggers.next_due_at() == clock.now - 1
    assert triggers.next_due_at(2000) == clock.now
    assert [triggers.take(2000).id, triggers.take(2000), triggers.take().id] == [short.id, None, long.id]
    clock.now += TAKEN_S
    assert triggers.take(but=[long.id, short.id]) is None
    assert triggers.next_due_at(but=[long.id, short.id]) is None
    assert triggers.take(but=[short.id]).id == long.id


def test_a_long_alarm_waits_for_short_ones_and_not_for_ever(triggers, clock):
    long = triggers.keep("gitlab", alarm(*(f"acme_{number:0100}" for number in range(500))), b"1").id
    clock.now += 60.0
    short = [triggers.keep("gitlab", alarm(f"acme_{number}"), str(number).encode()).id for number in range(2)]
    first = triggers.take().id
    assert first in short
    clock.now += 100.0
    triggers.keep("gitlab", alarm("acme_last"), b"last")
    assert [triggers.take().id for _ in range(2)] == [*(each for each in short if each != first), long]


def test_what_cannot_be_declared_is_tried_later_and_later_and_says_why(triggers, clock):
    kept = triggers.keep("gitlab", alarm("a"), b"")
    waits = []
    for _ in range(9):
        triggers.take()
        triggers.put_off(kept.id, "vault_unreachable")
        waits.append(triggers.next_due_at() - clock.now)
        clock.now = triggers.next_due_at()
    assert waits == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]
    [listed] = triggers.listed()
    assert (listed.state, listed.reason, listed.incident) == ("waiting", "vault_unreachable", None)


def test_an_alarm_is_declared_once(triggers, database):
    kept = triggers.keep("gitlab", alarm("a"), b"")
    name = incident_of(database, triggers.take().incident)
    assert triggers.is_declared(name)
    for _ in range(2):
        triggers.declared(kept.id, name)
    triggers.put_off(kept.id, "too late")
    assert [each.state for each in triggers.listed()] == ["declared"]
    assert len(acts(database, name)) == 1
    assert triggers.next_due_at() is None


def test_when_it_was_exposed_is_a_time_that_a_clock_can_show(triggers):
    for at, kept in ((-6.3e10, 0.0), (1.7e9, 1.7e9), (3.0e11, Time.now)):
        triggers.keep("generic", replace(alarm(f"glpat-{at}"), exposed_at=at), str(at).encode())
        assert triggers.take().exposed_at == kept


def test_who_takes_none_that_points_elsewhere_takes_the_others(triggers):
    triggers.keep("github", alarm(missing=[MISSING]), b"1")
    assert triggers.take(not_of={"github"}) is None
    assert triggers.next_due_at(not_of={"github"}) is None
    triggers.keep("gitlab", alarm("glpat-canary"), b"2")
    assert triggers.take(not_of={"github"}).sender == "gitlab"
    assert triggers.take().sender == "github"
