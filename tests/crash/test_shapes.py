"""No shipped playbook and strategy is without a case whose run has its shape: so a new shape fails until it has one."""

from __future__ import annotations

from collections import Counter

import pytest

from rotator.flow.playbook_check import capabilities
from tests.crash.__main__ import heard, told
from tests.crash.case import PLAYED, Case, Twist, every_case, met_by_the_four
from tests.crash.everywhere import Count
from tests.crash.shipped import provider_of, shipped, stands_for
from tests.fakes.actors import ACTORS
from tests.fakes.deployment import PLAYBOOKS


def test_every_shipped_playbook_and_strategy_has_a_case_of_its_own_shape():
    shapes = {case.shape for case in stands_for()}
    without = [f"{kind}, {strategy}: {'; '.join(shape)}" for kind, strategy, shape in shipped() if shape not in shapes]
    assert without == [], "give it, or one like it, an actor in tests/fakes/actors.py and a place in PLAYED"


def test_each_case_is_the_run_of_its_own_kind_and_no_two_are_alike():
    stood = stands_for()
    assert {case.name for case, kinds in stood.items() if f"{case.kind}, {case.strategy}" not in kinds} == set()
    assert len({case.shape for case in stood}) == len(stood)
    assert sum(map(len, stood.values())) == sum(len(each.strategies) for each in PLAYBOOKS.values())


@pytest.mark.parametrize("kind", PLAYED)
def test_an_actor_can_do_what_the_real_one_can_and_no_more(kind):
    assert capabilities(Case(kind, PLAYED[kind][0]).provider) == capabilities(provider_of(kind))


def test_the_short_form_meets_every_step_that_any_shipped_kind_takes():
    short = {shape for case in every_case() if case.short for shape in case.shape}
    assert {each for _, _, shape in shipped() for each in shape} - short == set()
    assert [case for case in every_case() if case.kind in PLAYED and case.short and case.twist is not Twist.NONE] == []
    assert met_by_the_four() < short
    assert set(ACTORS) == set(PLAYED)


def test_what_several_processes_counted_is_one_count():
    counts = [Count(1, 2, Counter(kill=3), 4, 0), Count(1, 1, Counter(kill=1, lose=2), 1, 1)]
    assert sum((heard(told(each)) for each in counts), Count()) == Count(2, 3, Counter(kill=4, lose=2), 5, 1)
