"""The time of a process goes on evenly, whatever becomes of the wall clock."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rotator.clock import SteadyClock

jumps = st.lists(st.tuples(st.floats(0, 1e5), st.floats(-1e5, 1e5)), max_size=20)


@given(jumps)
def test_a_wall_clock_that_jumps_moves_nothing(moves):
    wall, passed = [1_800_000_000.0], [50.0]
    clock = SteadyClock(lambda: wall[0], lambda: passed[0])
    began = clock()
    assert began == wall[0]
    set_ahead = 0.0
    for waited, jump in moves:
        passed[0] += waited
        wall[0] += waited + jump
        set_ahead += jump
        assert abs(clock() - began - (passed[0] - 50.0)) < 1e-3
        assert abs(clock.wall_is_ahead_s - set_ahead) < 1e-3
