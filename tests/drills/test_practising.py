"""Scheduled drills: once in each window, and whatever was left is ended."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

import pytest

from rotator import drill_lock, drilling
from rotator.errors import BadInput
from rotator.ledger import drill_rule
from rotator.ledger.closing import Closing, Left
from rotator.practising import Practising
from tests.drills.world import TOKEN, exercise, ground
from tests.fakes.company import founded

WEEK_S = 7 * 86400.0
EXERCISE = {
    "name": "tokens",
    "connection": "acme",
    "kind": TOKEN,
    "owners": ["drill"],
    "trigger": "alarm",
    "schedule": {"cron": "0 9 * * tue", "window": "4h", "approved_by": "Jana", "expires": "2026-12-31"},
}
TUESDAY = datetime(2026, 11, 24, 10, tzinfo=UTC).timestamp()


@pytest.fixture
def here(tmp_path, monkeypatch):
    connections = [{"name": "acme", "family": "http", "endpoint_url": "http://127.0.0.1:1", "kinds": [TOKEN]}]
    told = {"data_dir": tmp_path, "connections": connections, "drills": {"exercises": [EXERCISE]}}
    found = ground(*founded(tmp_path), monkeypatch, **told)
    found.world.wait_until(TUESDAY)
    return found


def look(here, times=1):
    """Look as often, and have done in between what is due."""
    for _ in range(times):
        held = Practising(here.parts, lambda: True)
        held._wait = here.wait
        held.look()
        here.work("")


def begun(here):
    return [(each["name"], each["slot"]) for each in here.deployment.rows("drill")]


def test_a_window_has_one_drill_and_a_missed_one_is_caught_up_once(here):
    look(here, 6)
    assert begun(here) == [("tokens", TUESDAY - 3600)]
    assert here.deployment.rows("drill")[0]["outcome"] == "proven"
    here.wait(3 * WEEK_S)
    look(here, 6)
    assert begun(here) == [("tokens", TUESDAY - 3600), ("tokens", TUESDAY - 3600 + 3 * WEEK_S)]
    assert here.alive() == set()


@pytest.mark.parametrize("moment", [TUESDAY + 4 * 3600, TUESDAY + 6 * WEEK_S])
def test_outside_of_a_window_or_when_nobody_agrees_any_more_none_begins(here, moment):
    here.world.wait_until(moment)
    look(here)
    assert begun(here) == []


def test_who_agreed_is_evidence(here):
    look(here)
    [row] = here.deployment.rows("drill")
    told = {each["act"]: each for each in here.deployment.evidence(row["incident"])}
    assert (told["drill"]["agreed_by"], told["agreed"]["scope"]) == ("Jana", ["containment", "destruction"])


def test_what_was_left_is_ended_by_who_leads(here):
    here.world.wait_until(TUESDAY + 86400)
    drilling.begin(here.parts, exercise(TOKEN), "jana", here.wait)
    assert here.alive() != set()
    look(here, 5)
    assert here.alive() == set()


def test_while_a_drill_is_held_by_hand_nothing_is_looked_at(here):
    with drill_lock.held(here.parts.settings.data_dir):
        look(here)
    assert begun(here) == []


def test_an_issuer_that_is_down_keeps_the_others_from_nothing(here, caplog):
    provider = here.parts.outside.providers[TOKEN, "acme"]
    here.parts.outside.providers[TOKEN, "acme"] = None
    with caplog.at_level(logging.WARNING, "rotator"):  # whatever a quiet command in this process set before
        look(here)
    here.parts.outside.providers[TOKEN, "acme"] = provider
    assert any(each.startswith("drill_") for each in caplog.messages)
    look(here, 6)
    assert [each["outcome"] for each in here.deployment.rows("drill")] == ["proven"]


@pytest.mark.parametrize(("of", "name"), [(Closing, "close"), (drill_rule, "end")])
def test_killed_before_it_is_closed_or_ended_it_is_both_in_the_end_and_stays_so(here, monkeypatch, of, name):
    class KilledError(BaseException):
        pass

    def killed(*_):
        raise KilledError

    with monkeypatch.context() as dying:
        dying.setattr(of, name, killed)
        with pytest.raises(KilledError):
            look(here, 6)
    look(here, 6)
    [drill], [incident] = here.deployment.rows("drill"), here.deployment.rows("incident")
    assert (drill["outcome"], incident["closed_by"]) == ("proven", "drill tokens")
    with pytest.raises(BadInput, match="it is the drill tokens, and over"):
        Closing(here.parts.database, lambda _: Left()).reopen(incident["id"], "eve", "once more")
