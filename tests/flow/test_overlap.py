"""Routine work stops the old credential when nobody uses it any more; else a person is asked, and both live."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotator.credential import CredentialRef, Secret
from rotator.flow.overlap import STEP, after_watch, routine
from rotator.flow.plan import make
from rotator.flow.planned import Lane
from rotator.flow.playbook_words import Strategy, Subject, Verb
from rotator.flow.run import Step, StepState
from rotator.flow.step import STOPS
from rotator.ports.store import Place
from tests.fakes.deployment import PLAYBOOKS, scoped

DAY = 86400.0
NOW = 1_790_000_000.0
REPLACING = sorted(name for name, each in PLAYBOOKS.items() if Strategy.REPLACE_FIRST in each.strategies)


def iso(at):
    return datetime.fromtimestamp(at, UTC).isoformat()


def watch(began):
    return Step(
        id="s", branch="b", position=1, name=STEP, target="", verb=Verb.WATCH, subject=Subject.EXPOSED,
        lane=Lane.HYGIENE, state=StepState.RUNNING, started_at=began, hold_for_s=DAY, retry_for_s=6 * DAY,
    )  # fmt: skip


@pytest.mark.parametrize("kind", REPLACING)
def test_no_routine_run_of_a_shipped_kind_stops_the_old_credential_before_it_is_seen_unused(kind):
    ref = CredentialRef(kind, "at", "ci", "old")
    plan = make([scoped(ref, Secret("x"), Place("fake", "kv", "ci"))], (), PLAYBOOKS, {ref: ("web-1", "web-2")},
                wanted=Strategy.REPLACE_FIRST)  # fmt: skip
    tidy = routine(plan, DAY, 7 * DAY)
    steps = [step for segment in tidy.runs[0].segments for step in segment.steps]
    assert {step.lane for step in steps} == {Lane.HYGIENE}
    ends = [n for n, step in enumerate(steps) if step.subject is Subject.EXPOSED and step.verb in STOPS]
    watched = [n for n, step in enumerate(steps) if step.verb is Verb.WATCH]
    before = [step.name for segment in plan.runs[0].segments for step in segment.steps]
    assert [step.name for step in steps if step.verb is not Verb.WATCH] == before
    if ends:
        assert len(watched) == 1
        assert watched[0] < ends[0]


@given(used=st.none() | st.floats(-10 * DAY, 8 * DAY), after=st.floats(0, 8 * DAY), converged=st.booleans())
def test_it_is_over_only_when_nobody_used_it_for_the_overlap_or_none_tells_and_every_consumer_moved(
    used, after, converged
):
    now = NOW + after
    told = {} if used is None else {"last_used_at": iso(min(NOW + used, now))}
    move = after_watch(watch(NOW), told, now, converged=converged)
    over = converged if used is None else datetime.fromisoformat(told["last_used_at"]).timestamp() <= now - DAY
    wanted = StepState.DONE if over else StepState.HELD if after >= 6 * DAY else StepState.PENDING
    assert move.state is wanted
    if move.state is StepState.PENDING:
        assert now < move.due_at <= NOW + 6 * DAY


def test_a_person_reads_who_still_used_it_and_when():
    told = {"last_used_at": iso(NOW + 6 * DAY)}
    move = after_watch(watch(NOW), told, NOW + 6 * DAY, converged=True)
    assert move.reason == f"still in use: last used {told['last_used_at']}; both live on"
    assert after_watch(watch(NOW), {"last_used_at": "never"}, NOW, converged=False).state is StepState.DONE
    assert after_watch(watch(NOW), {"last_used_at": "soon"}, NOW, converged=False).reason.startswith("nobody can tell")


def test_of_a_day_alone_nobody_knows_when_in_it_the_old_one_was_used():
    noon = datetime(2026, 11, 23, 12, tzinfo=UTC).timestamp()
    told = {"last_used_at": "2026-11-22"}
    move = after_watch(watch(noon - DAY), told, noon, converged=True)
    assert (move.state, move.reason) == (StepState.PENDING, "still in use: last used 2026-11-22")
    assert after_watch(watch(noon - DAY), told, noon + DAY / 2, converged=True).state is StepState.DONE
    assert (
        after_watch(watch(noon), {"last_used_at": "9999-12-31"}, noon, converged=False).reason
        == "nobody can tell who still uses it"
    )
