"""Real servers whose answers are lost, cut, reset, late or failures, at any call: the end is right, the report true.

CRASH=all tries every fault at every call of every strategy; otherwise half of the calls that change something are
lost, each once, and seeded faults fall on all others, several in one response.
"""

from __future__ import annotations

import os
import random

import pytest

from rotator.flow.playbook_words import Strategy
from tests.crash.real import CONNECTIONS, respond, shorten_deadlines
from tests.e2e.company import AWS
from tests.fakes.fault_proxy import FAILED, HALF, LOST_ANSWER, QUICK, STALLED

FAULTS = (*QUICK, STALLED)
READS = ("GET", "LIST", "POST / Get", "POST / List", "POST /v1/auth/token/lookup", "POST / secretsmanager.Get",
         "POST / secretsmanager.Describe")  # fmt: skip
EVERY = 4
KNOCKS = ("POST / GetCallerIdentity", "GET /v1/auth/token/lookup-self", "GET /me")


@pytest.fixture
def attempt(servers, tmp_path, monkeypatch):
    """Return a function that responds once, with these faults, and returns the calls it took."""
    shorten_deadlines(monkeypatch)
    number = 0

    def once(kind, strategy, faults=None):
        nonlocal number
        number += 1
        ended = respond(tmp_path / str(number), servers, kind, strategy, faults)
        told = {at: fault.name for at, fault in (faults or {}).items()}
        assert (kind, strategy.value, told, ended.wrong) == (kind, strategy.value, told, []), ended.calls
        return ended.calls

    return once


@pytest.mark.parametrize("kind", CONNECTIONS)
def test_a_lost_answer_to_any_change_ends_well(attempt, is_tried, kind):
    calls = attempt(kind, Strategy.CONTAIN_FIRST)
    changes = [at for at, call in enumerate(calls) if not call.startswith(READS)]
    assert len(changes) >= 5
    for at in filter(is_tried, changes):
        attempt(kind, Strategy.CONTAIN_FIRST, {at: LOST_ANSWER})


@pytest.mark.parametrize("kind", CONNECTIONS)
def test_seeded_faults_at_all_calls_end_well(attempt, kind, seed):
    die = random.Random(f"{seed} {kind}")
    calls = attempt(kind, Strategy.REPLACE_FIRST)
    for first in range(EVERY):
        chosen = {at: die.choice(FAULTS) for at in range(first, len(calls), EVERY)}
        attempt(kind, Strategy.REPLACE_FIRST, chosen)


@pytest.mark.skipif(os.environ.get("CRASH") != "all", reason="takes half an hour: make crash")
@pytest.mark.parametrize("strategy", [Strategy.CONTAIN_FIRST, Strategy.REPLACE_FIRST, Strategy.REVOKE_ONLY])
@pytest.mark.parametrize("kind", CONNECTIONS)
def test_any_fault_at_any_call_ends_well(attempt, kind, strategy):
    calls = attempt(kind, strategy)
    for at in range(len(calls)):
        for fault in FAULTS:
            attempt(kind, strategy, {at: fault})


@pytest.mark.parametrize("kind", CONNECTIONS)
def test_a_pairing_knock_that_is_not_answered_once_is_tried_again(attempt, kind):
    pairing = next(number for number, call in enumerate(attempt(kind, Strategy.CONTAIN_FIRST)) if call in KNOCKS)
    attempt(kind, Strategy.CONTAIN_FIRST, {pairing: FAILED})


def test_half_an_answer_of_aws_is_none(attempt):
    calls = attempt(AWS, Strategy.CONTAIN_FIRST)
    read = max(number for number, call in enumerate(calls) if call.endswith("GetSecretValue"))
    attempt(AWS, Strategy.CONTAIN_FIRST, {read: HALF})
