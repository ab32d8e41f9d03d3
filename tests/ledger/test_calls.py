"""An act over HTTP is done once for one key, whole or not at all; what it did, its evidence and its answer agree."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from rotator.errors import BadInput
from rotator.ledger.calls import KEPT_S, Answer, Call, Calls, OtherRequest
from rotator.ledger.stopping import Stops
from tests.ledger.test_tokens import Time, chain

STOP = Call("ci", "ana", "stop", "everything", "key-1", "fp:1")


@pytest.fixture
def time():
    return Time()


@pytest.fixture
def calls(database, time):
    return Calls(database, time)


def stopping(ledger):
    stopped, waiting = Stops(ledger).stop(None, "ana", "too fast", [])
    return Answer(200, {"stopped": stopped.what, "waiting": waiting})


def stops(database):
    return len(Stops(database).in_force())


def test_who_asks_again_is_answered_the_same_and_nothing_is_done(calls, database):
    assert calls.answered(STOP) is None
    first = calls.do(STOP, stopping)
    again = calls.do(STOP, stopping)
    assert (first.again, again.again, calls.answered(STOP)) == (False, True, again)
    assert (again.status, again.body) == (first.status, first.body)
    assert stops(database) == 1
    assert [(each["act"], each["what"], each["by"], each["token"]) for each in chain(database)] == [
        ("called", "stop", "ana", "ci")
    ]


def test_a_key_stands_for_one_request_alone(calls, database):
    calls.do(STOP, stopping)
    changed = replace(STOP, request="fp:2")
    for asks in (calls.answered, lambda call: calls.do(call, stopping)):
        with pytest.raises(OtherRequest):
            asks(changed)
    assert stops(database) == 1


def test_the_key_of_another_token_is_another_key(calls):
    calls.do(STOP, stopping)
    assert calls.answered(Call("other", "bo", "stop", "everything", "key-1", "fp:1")) is None


def test_what_fails_half_way_leaves_nothing_not_even_its_key(calls, database):
    def fails(ledger):
        stopping(ledger)
        raise BadInput("no")

    with pytest.raises(BadInput):
        calls.do(STOP, fails)
    assert (stops(database), calls.answered(STOP), chain(database)) == (0, None, [])
    assert not calls.do(STOP, stopping).again


def test_two_at_once_under_one_key_act_once(calls, database):
    entered, answers = threading.Barrier(2), []

    def asks():
        entered.wait(30)
        answers.append(calls.do(STOP, stopping))

    threads = [threading.Thread(target=asks) for _ in range(2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    assert sorted(each.again for each in answers) == [False, True]
    assert answers[0].body == answers[1].body
    assert stops(database) == 1


def test_an_answer_is_kept_a_day(calls, database, time):
    calls.do(STOP, stopping)
    time.now += KEPT_S - 1
    assert calls.answered(STOP).again
    time.now += 2
    assert calls.answered(STOP) is None
    Stops(database).lift(None, "ana", "go on", [])
    assert not calls.do(STOP, stopping).again


def test_without_a_key_each_is_an_act_of_its_own(calls, database):
    bare = Call("ci", "ana", "stop", "everything")
    calls.do(bare, stopping)
    with pytest.raises(BadInput, match="already"):
        calls.do(bare, stopping)
    assert len(chain(database)) == 1


def test_what_was_refused_is_evidence(calls, database):
    calls.refused(STOP, "role")
    assert [(each["act"], each["what"], each["reason"]) for each in chain(database)] == [("refused", "stop", "role")]
