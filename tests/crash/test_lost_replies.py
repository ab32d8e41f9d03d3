"""Real servers whose answers are lost, cut, reset, late or failures, at any call: the end is right, the report true.

CRASH=all tries every fault at every call of every strategy; otherwise each call that changes something is lost once,
and seeded faults fall on all others, several in one response.
"""

from __future__ import annotations

import random

import pytest

from rotator.flow.playbook import Strategy
from tests.crash.real import CONNECTIONS, respond, shorten_deadlines
from tests.fakes.deployment import PLAYBOOKS
from tests.fakes.fault_proxy import LOST_ANSWER, QUICK, STALLED

FAULTS = (*QUICK, STALLED)
READS = ("GET", "LIST", "POST / Get", "POST / List", "POST /v1/auth/token/lookup", "POST / secretsmanager.Get",
         "POST / secretsmanager.Describe")  # fmt: skip
EVERY = 4


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
def test_a_lost_answer_to_any_change_ends_well(attempt, kind):
    calls = attempt(kind, Strategy.CONTAIN_FIRST)
    changes = [at for at, call in enumerate(calls) if not call.startswith(READS)]
    assert len(changes) >= 5
    for at in changes:
        attempt(kind, Strategy.CONTAIN_FIRST, {at: LOST_ANSWER})


@pytest.mark.parametrize("kind", CONNECTIONS)
def test_seeded_faults_at_all_calls_end_well(attempt, kind, seed):
    die = random.Random(f"{seed} {kind}")
    length = len(attempt(kind, Strategy.REPLACE_FIRST))
    for first in range(EVERY):
        attempt(kind, Strategy.REPLACE_FIRST, {at: die.choice(FAULTS) for at in range(first, length, EVERY)})


@pytest.mark.parametrize("kind", CONNECTIONS)
def test_any_fault_at_any_call_ends_well(attempt, kind, everything):
    strategies = [each for each in PLAYBOOKS[kind].strategies if each is not Strategy.CUT_ONLY] if everything else []
    calls = {strategy: attempt(kind, strategy) for strategy in strategies or [Strategy.REVOKE_ONLY]}
    assert all(calls.values())
    for strategy in strategies:
        for at in range(len(calls[strategy])):
            for fault in FAULTS:
                attempt(kind, strategy, {at: fault})
