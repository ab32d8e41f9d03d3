"""Sessions in the ledger: the hash alone is kept, each lives while it is used, and its ends are evidence."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from rotator.errors import BadInput
from rotator.flow.approval import Role
from rotator.ledger.sessions import LIVE_OF_ONE, Person, Sessions
from tests.ledger.test_tokens import Time, chain

ANA = Person("ana", Role.APPROVER, "token laptop", "laptop")
IDLE, LONGEST = 1800.0, 43200.0


@pytest.fixture
def time():
    return Time()


@pytest.fixture
def sessions(database, time):
    return Sessions(database, IDLE, LONGEST, clock=time)


def test_a_session_is_known_by_its_cookie_alone_and_the_cookie_is_kept_nowhere(sessions, database):
    cookie, made = sessions.open(ANA)
    assert sessions.known(cookie.reveal()) == made
    assert (made.by, made.role, made.token, made.state(made.opened_at)) == ("ana", Role.APPROVER, "laptop", "active")
    name, _, material = cookie.reveal().partition(".")
    other = sessions.open(ANA)[0].reveal()
    assert sessions.known(f"{name}.{other.partition('.')[2]}") is None
    with database.read() as connection:
        kept = [
            str(row) for table in ("session", "evidence") for row in connection.execute(text(f"SELECT * FROM {table}"))
        ]
    assert not any(material in row for row in kept)


@given(text=st.one_of(st.text(), st.from_regex(r"[0-9a-f]{8}\.[A-Za-z0-9_-]{43}", fullmatch=True)))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=30)
def test_whatever_else_is_shown_is_no_session(sessions, text):
    assert sessions.known(text) is None


@given(pauses=st.lists(st.floats(0, 1.2 * IDLE), max_size=40))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=20)
def test_it_lives_while_it_is_used_and_never_longer_than_the_longest(sessions, time, pauses):
    cookie, _ = sessions.open(ANA)
    last = begun = time.now
    for pause in pauses:
        time.now += pause
        found = sessions.known(cookie.reveal())
        state = found.state(time.now)
        if state != "active":
            assert state == ("expired" if time.now >= begun + LONGEST else "idle")
            assert time.now - last > IDLE - 61 or time.now - begun >= LONGEST
            return
        assert time.now - last < IDLE
        assert time.now - begun < LONGEST
        sessions.used(found)
        last = time.now


def test_who_signs_out_or_is_ended_by_an_admin_is_out_and_it_is_evidence(sessions, database, time):
    mine, theirs = sessions.open(ANA), sessions.open(Person("bo", Role.VIEWER, "oidc"))
    sessions.sign_out(mine[1])
    ended = sessions.revoke(theirs[1].id, "cy", "left a screen open")
    assert (ended.by, ended.ended_by, ended.ended_reason) == ("bo", "cy", "left a screen open")
    assert [sessions.known(cookie.reveal()).state(time.now) for cookie, _ in (mine, theirs)] == ["ended", "ended"]
    told = [(each["act"], each["by"], each["session"]) for each in chain(database)]
    assert told == [
        ("signed_in", "ana", mine[1].id),
        ("signed_in", "bo", theirs[1].id),
        ("signed_out", "ana", mine[1].id),
        ("session_revoked", "cy", theirs[1].id),
    ]
    with pytest.raises(BadInput, match="it is ended already"):
        sessions.revoke(theirs[1].id, "cy", "again")
    with pytest.raises(BadInput, match="no session is called so"):
        sessions.revoke("nobody", "cy", "why")
    with pytest.raises(BadInput, match="a reason is needed"):
        sessions.revoke(theirs[1].id, "cy", " ")


def test_of_one_person_so_many_live_at_once_and_the_oldest_ends_and_it_is_evidence(sessions, database, time):
    other = sessions.open(Person("bo", Role.VIEWER, "oidc"))[0]
    gone = sessions.open(ANA)[1]
    sessions.sign_out(gone)
    sessions.open(ANA)
    time.now += IDLE  # the one before is over by itself, and no place is wasted on it
    found = []
    for _ in range(LIVE_OF_ONE + 1):
        time.now += 1
        found.append(sessions.open(ANA))
    states = [sessions.known(cookie.reveal()).state(time.now) for cookie, _ in found]
    assert states == ["ended", *["active"] * LIVE_OF_ONE]
    assert sessions.known(other.reveal()).ended_at is None
    [ended] = [each for each in chain(database) if each["act"] == "session_revoked"]
    assert (ended["by"], ended["session"]) == ("ana", found[0][1].id)
    assert ended["reason"] == "more than 10 at once: the oldest ends"


def test_a_list_shows_those_that_live_and_forgets_a_day_after_they_are_over(sessions, time):
    sessions.open(ANA)
    time.now += LONGEST + 86401
    sessions.open(ANA)
    assert [each.opened_at for each in sessions.listed()] == [time.now]
