"""All processes of a machine go by one clock, whatever its wall clock is set to between them."""

from __future__ import annotations

import pytest

from rotator.clock import SteadyClock
from rotator.flow.playbook_words import Strategy
from rotator.ledger.timekeeping import JUMP_S, keep

HOUR = 3600.0
BOOT = "a-machine"


class Machine:
    """A wall clock that can be set, and one that cannot."""

    def __init__(self) -> None:
        self.wall, self.elapsed = 1_800_000_000.0, 500.0

    def passes(self, seconds: float) -> None:
        self.wall += seconds
        self.elapsed += seconds

    def process(self, database) -> SteadyClock:
        clock = SteadyClock(lambda: self.wall, lambda: self.elapsed)
        keep(database, clock, BOOT)
        return clock


@pytest.fixture
def machine():
    return Machine()


def under_way(house):
    company, deployment = house
    deployment.start([company.stolen("aws_iam_access_key")[0]], wanted=Strategy.REVOKE_ONLY)


@pytest.mark.parametrize("jump", [HOUR, -HOUR])
def test_a_process_that_starts_after_a_jump_goes_by_the_clock_of_what_is_under_way(house, machine, jump):
    _, deployment = house
    first = machine.process(deployment.database)
    under_way(house)
    machine.passes(10.0)
    machine.wall += jump
    second = machine.process(deployment.database)
    machine.passes(1.0)
    assert second() == first() == pytest.approx(1_800_000_011.0)


def test_a_scheduled_wait_is_not_shortened_by_a_clock_that_is_put_right(house, machine):
    _, deployment = house
    first = machine.process(deployment.database)
    under_way(house)
    deployment.rest(patience_s=3600)
    assert {row["state"] for row in deployment.rows("branch")} == {"held"}
    machine.wall += HOUR
    assert machine.process(deployment.database)() == first()


@pytest.mark.parametrize("jump", [HOUR, -HOUR])
def test_a_clock_that_was_wrong_is_put_right_while_nothing_is_under_way(house, machine, jump):
    _, deployment = house
    first = machine.process(deployment.database)
    machine.wall += jump
    second = machine.process(deployment.database)
    assert second() == pytest.approx(machine.wall)
    keep(deployment.database, first, BOOT)
    assert first() == second()


def test_a_small_difference_is_no_jump(house, machine):
    _, deployment = house
    first = machine.process(deployment.database)
    machine.wall += JUMP_S - 1.0
    assert machine.process(deployment.database)() == first()


def test_another_machine_has_a_clock_of_its_own(house, machine):
    _, deployment = house
    machine.process(deployment.database)
    other = Machine()
    other.elapsed = 7.0
    clock = SteadyClock(lambda: other.wall, lambda: other.elapsed)
    keep(deployment.database, clock, "another-machine")
    assert clock() == pytest.approx(other.wall)
