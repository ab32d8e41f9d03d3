"""Tokens in the ledger: the hash alone is kept, each opens until it ends, and making and ending one is evidence."""

from __future__ import annotations

import hashlib
import json

import pytest
from sqlalchemy import select, text

from rotator import api_token
from rotator.errors import BadInput, NotAllowed
from rotator.flow.approval import Policy, Role
from rotator.ledger import approved, service, tables
from rotator.ledger.tokens import Tokens

DAY = 86400.0


class Time:
    """What the clock says; a test moves it on."""

    now = 1_900_000_000.5

    def __call__(self):
        return self.now


@pytest.fixture
def time():
    return Time()


@pytest.fixture
def tokens(database, time):
    return Tokens(database, clock=time)


def of(secret):
    return api_token.read(secret.reveal())


def chain(database):
    """Return the service's records, each held against its hash and the one before."""
    evidence, found, previous = tables.evidence, [], ""
    with database.read() as connection:
        query = select(evidence).where(evidence.c.chain == service.CHAIN).order_by(evidence.c.seq)
        for row in connection.execute(query).mappings():
            body = json.loads(row["body"])
            assert (body["seq"], body["previous"]) == (len(found) + 1, previous)
            assert hashlib.sha256(row["body"].encode()).hexdigest() == row["hash"]
            previous = row["hash"]
            found.append(body)
    return found


def test_a_token_is_known_by_itself_alone_and_kept_nowhere(tokens, database):
    secret, made = tokens.create("ci", Role.RESPONDER, "ana", DAY, "cy")
    assert tokens.known(of(secret)).name == "ci"
    assert (made.by, made.role, made.state(made.created_at)) == ("ana", Role.RESPONDER, "active")
    assert tokens.known(of(api_token.minted())) is None
    with database.read() as connection:
        kept = [
            str(row) for table in ("token", "evidence") for row in connection.execute(text(f"SELECT * FROM {table}"))
        ]
    assert not any(secret.reveal()[4:] in row or secret.reveal()[12:] in row for row in kept)


def test_one_that_only_begins_alike_is_not_believed(tokens):
    secret, _ = tokens.create("ci", Role.ADMIN, "", DAY, "cy")
    forged = api_token.ApiToken(of(secret).lookup, hashlib.sha256(b"guess").hexdigest())
    assert tokens.known(forged) is None


def test_a_token_ends_with_its_time_or_with_a_persons_word_from_the_next_request_on(tokens, time):
    short, _ = tokens.create("short", Role.VIEWER, "", DAY, "cy")
    long, _ = tokens.create("long", Role.VIEWER, "", 9 * DAY, "cy")
    time.now += DAY
    assert [tokens.known(of(each)).state(time.now) for each in (short, long)] == ["expired", "active"]
    assert tokens.revoke("long", "bo", "leaked").by == "token long"
    assert tokens.known(of(long)).state(time.now) == "revoked"


def test_to_end_a_token_again_changes_nothing_and_is_no_second_act(tokens, database, time):
    tokens.create("ci", Role.VIEWER, "", DAY, "cy")
    tokens.revoke("ci", "bo", "leaked")
    time.now += 60
    again = tokens.revoke("ci", "cy", "to be sure")
    assert (again.revoked_by, again.revoked_reason, again.revoked_at) == ("bo", "leaked", time.now - 60)
    assert [each["act"] for each in chain(database)] == ["token_created", "token_revoked"]


def test_making_and_ending_are_evidence_in_a_chain_of_the_services_own(tokens, database):
    secret, made = tokens.create("ci", Role.RESPONDER, "ana", DAY, "cy")
    tokens.revoke("ci", "bo", "the laptop was stolen")
    told = [(each["act"], each["by"], each["name"]) for each in chain(database)]
    assert told == [("token_created", "cy", "ci"), ("token_revoked", "bo", "ci")]
    assert chain(database)[0]["lookup"] == made.lookup
    assert secret.reveal() not in json.dumps(chain(database))


def test_when_it_was_used_last_is_kept_to_the_hour(tokens, time):
    secret, _ = tokens.create("ci", Role.VIEWER, "", 9 * DAY, "cy")
    first = time.now
    tokens.known(of(secret))
    time.now += 1800
    tokens.known(of(secret))
    assert [each.used_at for each in tokens.listed()] == [first]
    time.now += 1801
    tokens.known(of(secret))
    assert [each.used_at for each in tokens.listed()] == [time.now]


def test_a_name_is_used_once_and_a_reason_is_asked_for(tokens):
    tokens.create("ci", Role.VIEWER, "", DAY, "cy")
    with pytest.raises(BadInput, match="called so before"):
        tokens.create("ci", Role.VIEWER, "", DAY, "cy")
    with pytest.raises(BadInput, match="a reason is needed"):
        tokens.revoke("ci", "cy", " ")
    with pytest.raises(BadInput, match="did you mean `ci`"):
        tokens.revoke("cii", "cy", "x")
    assert len(tokens.listed()) == 1


def test_who_may_not_make_one_leaves_nothing_behind(database, time):
    ruled = Tokens(database, Policy({}), time)
    with pytest.raises(NotAllowed):
        ruled.create("mine", Role.ADMIN, "", DAY, "thief")
    assert (ruled.listed(), chain(database)) == ([], [])


def test_who_stands_behind_a_token_that_a_token_made_is_found_through_all_of_them(tokens, database):
    tokens.create("first", Role.ADMIN, "", DAY, "ana")
    tokens.create("second", Role.ADMIN, "", DAY, "token first")
    tokens.create("third", Role.RESPONDER, "", DAY, "token second")
    with database.read() as connection:
        assert approved.behind(connection, {"token third", "bo"}) == {"token second", "token first", "ana"}
