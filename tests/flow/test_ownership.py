"""What is shared, or nobody's, waits for its owners: before the first harm, never too long, never under abuse."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotator.flow.access import Seen, Sign, Uses
from rotator.flow.constraint import Constraints
from rotator.flow.incident import Severity
from rotator.flow.outage import STOPS, Outage, between
from rotator.flow.ownership import Ownership, Whose, ask_owners, whose
from rotator.flow.planned import OWNER_ASKED
from rotator.flow.playbook_words import Strategy, Subject
from rotator.flow.scope import Custody
from tests.flow.test_plan import PATHS, planned, scopes, stolen, wishes

RULES = Ownership(1800.0, {"low": 7200.0, "critical": 0.0})
USED = {"x": Uses("x", 1, None, None, signs=(Seen(Sign.NEW_NETWORK, "a new network", 1.0, "log"),))}


def named(each, **custody):
    return replace(each, custody=replace(each.custody, **custody))


def without_owner(each, **custody):
    return replace(each, ref=replace(each.ref, owner=""), custody=Custody({"provider": each.kind}, **custody))


def test_it_is_shared_where_an_entry_says_so_or_names_several_and_nobodys_where_nobody_says_whose():
    key = stolen("aws_iam_access_key")
    assert whose(key) is None
    assert whose(named(key, shared=True)) is Whose.SHARED
    assert whose(named(key, contact="a@acme.test, b@acme.test")) is Whose.SHARED
    assert whose(named(key, contact="a@acme.test")) is None
    assert whose(without_owner(key)) is Whose.UNKNOWN
    assert whose(without_owner(key, contact="a@acme.test")) is None


flags = st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans()), min_size=8, max_size=8)


@given(scopes, wishes, flags, st.sampled_from(Severity))
def test_only_what_harms_users_waits_at_its_first_stop_and_no_longer_than_its_deadline(found, wanted, told, severity):
    found = [named(each, shared=shared) for each, (shared, _, _) in zip(found, told, strict=False)]
    plan = planned(*found, wanted=wanted)
    uses = {each.ref.id: USED["x"] for each, (_, abused, _) in zip(found, told, strict=False) if abused}
    busy = {each.ref for each, (_, _, made) in zip(found, told, strict=False) if made}
    asked = ask_owners(plan, found, RULES, severity=severity, uses=uses, busy=busy)
    of = {each.ref: each for each in found}
    for before, after in zip(plan.runs, asked.runs, strict=True):
        one = of[before.ref]
        waits_s = RULES.wait_s(one.custody.criticality)
        urgent = severity is Severity.CRITICAL or one.ref.id in uses or one.ref in busy
        steps = [step for segment in after.segments for step in segment.steps]
        waiting = [step for step in steps if OWNER_ASKED in step.facts]
        harmed = between(before, before)[0] in {Outage.GAP, Outage.FOR_GOOD}
        assert bool(waiting) == (one.custody.shared and not urgent and waits_s > 0 and harmed)
        assert [step.hold_for_s for step in waiting] == [waits_s] * len(waiting)
        stops = [step for step in steps if step.subject is Subject.EXPOSED and step.verb in STOPS]
        assert waiting in ([], stops[:1])
        unasked = [replace(step, facts={}, hold_for_s=0) if step in waiting else step for step in steps]
        planned_ = [step for segment in before.segments for step in segment.steps]
        assert unasked == [
            replace(step, facts={}, hold_for_s=0) if step.name in {each.name for each in waiting} else step
            for step in planned_
        ]


@pytest.mark.parametrize(("kind", "strategy"), PATHS)
def test_every_path_of_what_nobody_owns_can_wait_before_it_is_cut_and_none_that_leaves_it_in_use_does(kind, strategy):
    each = named(stolen(kind), shared=True)
    [run] = ask_owners(planned(each, wanted=strategy), [each], RULES, severity=Severity.HIGH).runs
    steps = [step for segment in run.segments for step in segment.steps]
    waits = any(OWNER_ASKED in step.facts for step in steps)
    assert waits == (run.strategy not in {Strategy.CUT_ONLY, Strategy.REPLACE_FIRST})


def test_without_the_table_nothing_waits_and_the_plan_is_the_same():
    each = named(stolen("vault_token"), shared=True)
    plan = planned(each)
    assert ask_owners(plan, [each], Ownership(), severity=Severity.HIGH) == plan


def test_the_plan_says_who_is_asked_and_until_when():
    each = named(stolen("aws_iam_access_key", criticality="low"), contact="a@acme.test; b@acme.test")
    plan = ask_owners(planned(each), [each], RULES, severity=Severity.LOW)
    constraints = Constraints(plan)
    [said] = [line for line in constraints.waits(plan.runs[0]) if "owners" in line]
    assert "shared; a@acme.test, b@acme.test" in said
    assert "2 h later" in said
    assert any(line.startswith("owners: 1 are shared") for line in constraints.in_all())
    assert plan.digest != planned(each).digest
