"""On time, late or overdue: by hand on few, and by drawn ones that all are counted once."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from rotator.flow.hygiene import Known
from rotator.flow.punctuality import BUCKETS, STATES, Duty, ages, by_policy, duty, figures, owed, state_of
from tests.flow.test_hygiene import POLICY, known

DAY = 86400.0
DUE = 1_790_000_000.0
ONE = Duty("keys", "aws_iam_access_key", "prod", "ci", "AKIA1", DUE - 90 * DAY, DUE, DUE + 7 * DAY, DUE)
DONE = replace(ONE, of="inc-1.r1")


def test_the_share_is_over_what_is_decided_and_what_is_overdue_counts_for_as_long_as_it_is():
    until = DUE + 10 * DAY
    found = figures(
        [
            *[replace(DONE, replaced_at=DUE + days * DAY) for days in (1, 7, 8)],
            ONE,
            replace(ONE, replace_by=until + 1.0),
            replace(ONE, settled_at=until),
            replace(ONE, of="inc-1.m1", is_task=True),
            replace(ONE, of="inc-1.m2", is_task=True, dismissed=True),
            replace(ONE, of="inc-1.m3", is_task=True, settled_at=until),
            replace(DONE, dismissed=True),
        ],
        until,
    )
    lateness = found.pop("lateness")
    assert found == {
        "due": 10,
        "on_time": 2,
        "late": 1,
        "overdue": 2,
        "open": 1,
        "by_hand": 2,
        "taken_over": 1,
        "elsewhere": 1,
        "tasks": 3,
        "decided": 5,
        "on_time_share": 0.4,
    }
    assert (lateness["n"], lateness["ended"], lateness["open"]) == (3, 1, 2)
    assert (lateness["max_s"], lateness["longest_open_s"], lateness["p95_s"]) == (DAY, 3 * DAY, None)
    nothing = figures([], until)
    assert (nothing["on_time_share"], nothing["lateness"]["p50_s"]) == (None, None)


_AT = st.none() | st.floats(DUE - DAY, DUE + 20 * DAY)
_DUTIES = st.builds(
    Duty,
    *(st.sampled_from(names) for names in (("a", "b"), ("p",), ("c",), ("o",), ("x", "y"))),
    _AT,
    st.just(DUE),
    st.floats(DUE, DUE + 10 * DAY),
    st.just(DUE),
    st.just(""),
    st.booleans(),
    st.booleans(),
    _AT,
    _AT,
)


@given(st.lists(_DUTIES), st.floats(DUE, DUE + 30 * DAY))
def test_each_is_counted_in_one_state_and_the_policies_add_up_to_all(drawn, until):
    found = figures(drawn, until)
    assert sum(found[name] for name in STATES) == found["due"] == len(drawn)
    assert found["lateness"]["n"] == found["late"] + found["overdue"]
    assert all(span >= 0 for span in (found["lateness"]["max_s"] or 0, found["lateness"]["longest_open_s"] or 0))
    groups = by_policy(drawn, until)
    for name in ("due", "tasks", "decided", *STATES):
        assert sum(each[name] for each in groups) == found[name]
    assert {state_of(each, until) for each in drawn} <= set(STATES)


def test_what_is_due_is_owed_in_any_window_and_is_to_be_replaced_within_the_deadline():
    keys = POLICY
    old, young = known("old", made_at=DUE - 91 * DAY), known("young", made_at=DUE - 89 * DAY)
    ends = replace(known("ends", made_at=None), ends_at=DUE + DAY)
    found = [duty(keys, each, DUE) for each in owed([keys], [old, young, ends, known("?", made_at=None)], DUE)]
    assert [(each.credential, each.due_at, each.replace_by) for each in found] == [
        ("old", DUE - DAY, DUE + 6 * DAY),
        ("ends", DUE - 6 * DAY, DUE + DAY),
    ]


@given(st.lists(st.none() | st.floats(0, 500)))
def test_each_that_a_policy_selects_is_in_one_bucket_or_of_an_unknown_age(drawn):
    keys = POLICY
    credentials: list[Known] = [
        known(str(number), made_at=None if age is None else DUE - age * DAY) for number, age in enumerate(drawn)
    ]
    [found] = ages([keys], credentials, DUE)
    assert sum(found[name] for name in BUCKETS) + found["unknown"] == found["credentials"] == len(drawn)


def test_ages_are_counted_below_each_bound_and_over_the_policys_own():
    days = (0, 29, 30, 59, 60, 89, 90, 91, 179, 180, 364, 365, 4000)
    keys = POLICY
    [found] = ages([keys], [known(str(each), made_at=DUE - each * DAY) for each in days], DUE)
    assert [found[name] for name in BUCKETS] == [2, 2, 2, 3, 2, 2]
    assert found["over_max_age"] == 6
