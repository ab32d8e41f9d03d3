"""Whole drills on fakes: minted, leaked, answered, measured and taken away, wherever they are killed."""

from __future__ import annotations

import contextlib
import itertools
import json

import pytest

from rotator import drilling, leaking
from rotator.credential import Leaked
from rotator.errors import BadInput, Unavailable, Uncertain
from rotator.flow.drill import took_s
from rotator.flow.exercise import Outcome, Trigger
from rotator.flow.exposure import Exposure
from rotator.flow.inventory import Entry
from rotator.flow.registry import Said, Sort
from rotator.ledger import tables
from tests.drills.world import KEY, TOKEN, exercise, ground
from tests.fakes.company import founded
from tests.fakes.deployment import broken_chains
from tests.fakes.issuer import MarkedIssuer
from tests.fakes.vendors_paused import pause

LOST_S = 200.0
"""After which a call that was lost can land no more."""


class KilledError(BaseException):
    """The process is gone."""


@pytest.fixture
def here(house, monkeypatch):
    return ground(*house, monkeypatch)


def stand(here):
    """Give others credentials; return their ids."""
    return {here.company.stolen(kind, owner)[0].ref.id for kind in (KEY, TOKEN) for owner in ("ci", "data")}


def hold(here, of, **more):
    return drilling.run(here.parts, of, "jana", here.work, here.wait, **more)


def clean(here):
    """Do what the next start does: take over from whoever is gone, and end what was left."""
    here.deployment.recover()
    return [drilling.follow(here.parts, each.incident, here.work, here.wait) for each in drilling.left(here.parts, 0.0)]


@pytest.mark.parametrize(("kind", "trigger"), [(TOKEN, Trigger.SCANNER), (KEY, Trigger.ALARM), (TOKEN, Trigger.MANUAL)])
def test_a_canary_is_answered_as_what_leaks_is_and_nothing_of_it_is_left(here, kind, trigger):
    standing = stand(here)
    held = hold(here, exercise(kind, trigger=trigger))
    [answer] = held.responses
    assert (held.row.outcome, held.slow) == (Outcome.PROVEN, ())
    assert None not in {answer.acknowledged_at, answer.contained_at, answer.dead_at, answer.replaced_at}
    assert took_s(answer) > 0
    assert here.alive() == standing
    assert len(here.made()) == len(standing) + 2
    assert {state for _, state, _ in here.deployment.branches()} == {"done"}  # nothing is left for a week
    assert broken_chains(here.deployment) == []
    told = [each for each in here.deployment.evidence(held.row.incident) if each["act"].startswith("drill")]
    assert [each["act"] for each in told] == ["drill", "drill_ended"]
    assert {each["credential"] for each in here.deployment.rows("run")} == {told[0]["canaries"][0]["id"]}


def test_of_what_lay_within_reach_nobody_has_the_secret_so_its_death_is_stated(here):
    standing = stand(here)
    held = hold(here, exercise(TOKEN, trigger=Trigger.ADVISORY))
    assert held.row.outcome == Outcome.STATED
    assert here.alive() == standing


def test_several_canaries_of_several_owners_are_one_drill(here):
    held = hold(here, exercise(TOKEN, owners=("drill-1", "drill-2"), count=3, like=""))
    assert (len(held.responses), held.row.outcome) == (3, Outcome.PROVEN)
    assert here.alive() == set()


def test_a_hostile_report_that_names_a_real_credential_is_refused_and_the_canary_taken_away(here, monkeypatch):
    standing, leak = stand(here), leaking.leak
    real, secret = here.company.plant(TOKEN, "drill")
    told = Exposure("list", TOKEN, Leaked(id=real.id, secret=secret, connection="acme"))
    monkeypatch.setattr(leaking, "leak", lambda *asked: [*leak(*asked), told])
    with pytest.raises(BadInput, match=f"names .*{real.id}, which no drill has minted.*nothing of it is left"):
        hold(here, exercise(TOKEN))
    assert here.alive() == standing | {real.id}
    assert here.deployment.rows("run") == []
    assert drilling.left(here.parts, 0.0) == []


def test_an_owner_whose_sessions_would_end_with_the_canarys_must_have_nothing_else(here):
    other = here.company.stolen(KEY, "drill")[0].ref.id
    with pytest.raises(BadInput, match=f"drill has {other} too, and the answer ends every session"):
        hold(here, exercise(KEY))
    assert here.alive() == {other}


def test_an_owner_that_is_answered_for_real_is_left_alone(here):
    here.deployment.declare([here.company.stolen(TOKEN, "drill")[0]])
    with pytest.raises(BadInput, match=r"inc-1\.r1 answers it"):
        hold(here, exercise(TOKEN))


def test_a_place_that_others_read_is_not_overwritten(here):
    real, _ = here.company.stolen(TOKEN, "ci")
    here.parts.__dict__["entries"] = [Entry(real.custody, "rotator.toml")]
    with pytest.raises(BadInput, match=r"is the inventory's \(rotator.toml\)"):
        hold(here, exercise(TOKEN, deliver=real.custody.deliver))
    assert here.made() == {real.ref.id}


def test_a_kind_whose_issuer_makes_none_says_so(here):
    with pytest.raises(BadInput, match="no canary of ssh_authorized_key can be minted"):
        hold(here, exercise("ssh_authorized_key"))


def test_a_window_has_one_drill(here):
    row = drilling.begin(here.parts, exercise(TOKEN), "rotator", here.wait, slot=7.0)
    with pytest.raises(BadInput, match="begun in this window already"):
        drilling.begin(here.parts, exercise(TOKEN, owners=("other",)), "rotator", here.wait, slot=7.0)
    drilling.follow(here.parts, row.incident, here.work, here.wait)
    assert here.alive() == set()


@pytest.mark.parametrize(("kind", "number"), [*((KEY, each) for each in range(1, 9)), (TOKEN, 1), (TOKEN, 2)])
def test_killed_as_something_is_made_or_ends_it_leaves_no_canary_when_it_is_started_again(
    tmp_path, monkeypatch, kind, number
):
    here = ground(*founded(tmp_path), monkeypatch)
    standing, calls = stand(here), itertools.count(1)

    def meet(_phase, what, changes):
        if changes and what in {"issuer.issue", "issuer.revoke"} and next(calls) == number:
            raise KilledError(what)

    here.world.meet = meet
    with pytest.raises(KilledError):
        hold(here, exercise(kind, trigger=Trigger.ALARM))
    here.world.meet = lambda *_: None
    here.wait(LOST_S)
    clean(here)
    assert (here.alive(), drilling.left(here.parts, 0.0)) == (standing, [])


def lose(here, phase):
    """Have the answer of a mint be lost, before it was made or after."""

    def meet(now, what, _changes):
        if (now, what) == (phase, "issuer.issue"):
            raise Uncertain("timeout")

    here.world.meet = meet


def test_a_mint_whose_answer_is_lost_is_found_and_taken_away_at_once(here):
    standing = stand(here)
    lose(here, "after")
    with pytest.raises(BadInput, match=r"timeout .*nothing of it is left"):
        hold(here, exercise(KEY, trigger=Trigger.ALARM))
    assert (here.alive(), len(here.made())) == (standing, len(standing) + 1)


def test_what_may_still_be_made_is_waited_for(here):
    standing = stand(here)
    lose(here, "before")
    with pytest.raises(BadInput, match=r"timeout .*a canary may be left .*`rotator drill clean` looks again"):
        hold(here, exercise(KEY, trigger=Trigger.ALARM))
    here.world.meet = lambda *_: None
    here.company.plant(KEY, "drill")  # by another hand, long before
    with pytest.raises(Unavailable, match="may still land"):
        clean(here)
    here.wait(LOST_S)
    [ended] = clean(here)
    assert (len(here.alive() - standing), ended.row.outcome) == (1, Outcome.ABANDONED)


def test_what_does_not_end_is_stopped_and_its_canaries_are_taken_away_all_the_same(here):
    standing = stand(here)

    def meet(_phase, what, _changes):
        if what == "issuer.suspend":
            raise Unavailable("down")

    here.world.meet = meet
    row = drilling.begin(here.parts, exercise(KEY, trigger=Trigger.ALARM), "jana", here.wait)
    assert drilling.settle(here.parts, row.incident) is None
    here.work("")
    here.wait(drilling.PATIENCE_S + 1)
    ended = drilling.follow(here.parts, row.incident, lambda _: None, here.wait)
    assert (ended.row.outcome, here.alive()) == (Outcome.OPEN, standing)
    assert [each["name"] for each in here.deployment.rows("stop")] == [row.incident]
    assert ended.slow == (f"{KEY} {ended.responses[0].credential} was not proven dead",)


def test_people_hear_of_a_quiet_drill_if_its_canary_died_too_late_and_only_then(here):
    of = exercise(TOKEN, trigger=Trigger.MANUAL)
    hold(here, of)
    assert here.deployment.rows("notice") == []
    late = here.parts.settings.drills.model_copy(update={"target": 0.5})
    here.parts.settings.drills = late
    held = hold(here, of)
    [told] = here.deployment.rows("notice")
    assert (told["event"], told["incident"]) == ("drill_late", held.row.incident)
    assert json.loads(told["facts"])["because"] == list(held.slow)


def test_a_drill_that_pages_is_told_as_a_leak_is(here):
    hold(here, exercise(TOKEN, trigger=Trigger.MANUAL, page=True))
    assert {"declared", "approved"} <= {each["event"] for each in here.deployment.rows("notice")}


def test_no_secret_of_a_canary_is_kept_in_the_clear(here):
    drilling.begin(here.parts, exercise(TOKEN, trigger=Trigger.SCANNER), "jana", here.wait)
    with here.world.open() as state:
        [material] = [each["material"] for each in state["credentials"].values()]
    kept = [str(row) for table in tables.metadata.sorted_tables for row in here.deployment.rows(table.name)]
    assert not [each for each in kept if material in each]


def test_at_a_connection_that_a_person_stopped_nothing_is_minted_and_nothing_taken_away(here):
    row = drilling.begin(here.parts, exercise(TOKEN), "jana", here.wait)
    minted = here.alive()
    here.parts.stops.stop("acme", "ben", "the vendor asks", ("acme",))
    with pytest.raises(BadInput, match="connection acme is stopped by ben: the vendor asks"):
        drilling.follow(here.parts, row.incident, here.work, here.wait)
    with pytest.raises(BadInput, match="connection acme is stopped by ben"):
        hold(here, exercise(TOKEN, owners=("other",)))
    assert here.made() == minted == here.alive()
    here.parts.stops.lift("acme", "ben", "they are done", ("acme",))
    assert ([each.row.outcome for each in clean(here)], here.alive()) == ([Outcome.PROVEN], set())


@pytest.mark.parametrize("asleep", [(drilling.canaries, "mint"), (MarkedIssuer, "issue"), (drilling, "_prepared")])
def test_a_process_that_slept_until_another_ended_its_drill_leaves_nothing(here, monkeypatch, asleep):
    standing, calls, act = stand(here), itertools.count(), getattr(*asleep)

    def sleeping(*asked):
        if next(calls) == (asleep[1] == "mint"):
            here.wait(5000.0)
            clean(here)
        return act(*asked)

    monkeypatch.setattr(*asleep, sleeping)
    with contextlib.suppress(BadInput):
        hold(here, exercise(TOKEN, owners=("one", "two"), count=2))
    here.work("")
    clean(here)
    assert (here.alive(), drilling.left(here.parts, 0.0)) == (standing, [])


def test_no_canary_is_minted_that_a_paused_vendor_would_hold(here):
    said = [Said(Sort.VENDOR, each, {"holds": [{"owner": "drill"}]}, "vendors.yaml") for each in ("a-first", "acme")]
    here.parts.vendors.take(said, "ana")
    pause(here.parts, "acme")
    with pytest.raises(BadInput, match=r"acme, which holds what drill has, is paused.*nothing new is made for it"):
        hold(here, exercise())
    assert here.made() == set()
