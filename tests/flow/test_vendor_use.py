"""How grave a use is follows from what is so now, whatever was read first; and what is too little to say is said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotator.credential import CredentialRef
from rotator.flow.access import Seen, Sign
from rotator.flow.vendor_use import (
    DAY_S,
    NEAR_S,
    ODD,
    STANDS_S,
    UNUSUAL,
    USED_DEAD,
    USED_PAUSED,
    After,
    Cut,
    Death,
    Log,
    Use,
    caveats,
    grounds,
    together,
)

REF, OTHER = (CredentialRef("aws_iam_access_key", "aws", "ci", f"AKIA{n}") for n in (1, 2))
AT = 1_800_000_000.0


def log(name="a", *, begins=AT - 20 * DAY_S, ends=AT, since=AT - DAY_S, read_at=AT):
    return Log(f"{name}.json", name, begins, ends, since, read_at)


def use(ref=REF, name="a", *signs, accepted_at=AT, at=AT):
    told = tuple(Seen(sign, f"{sign.name} there", at, f"{name}.json") for sign in signs)
    words = "GetObject by curl" if accepted_at else ""
    return Use(ref, name, 2, 0 if accepted_at else 2, AT - 9, AT, accepted_at, words, told)


def one(*uses, cuts=(), dead=None, logs=()):
    [found] = together(uses, [log(), *logs], cuts, {REF: dead} if dead else {})
    return found


@pytest.mark.parametrize(
    ("accepted_at", "cuts", "dead", "after"),
    [
        (AT, [], None, None),
        (AT, [Cut(AT - 1, None, frozenset({str(REF)}))], None, After.PAUSED),
        (AT, [Cut(AT - 1, None, frozenset({str(OTHER)}))], None, None),
        (AT, [Cut(AT + 1, None, frozenset({str(REF)}))], None, None),
        (AT, [Cut(AT - 9, AT - 1, frozenset({str(REF)}))], None, None),
        (AT, [Cut(AT - 99, None, frozenset({str(REF)}))], Death(AT - NEAR_S, "proven"), After.PAUSED),
        (AT, [Cut(AT - 99, None, frozenset({str(REF)}))], Death(AT - NEAR_S - 1, "proven"), After.DEAD),
        (AT, [], Death(AT - 99, "stated"), After.DEAD),
        (None, [Cut(AT - 99, None, frozenset({str(REF)}))], Death(AT - 99, "proven"), None),
    ],
)
def test_a_use_is_grave_where_its_issuer_took_what_was_to_be_dead(accepted_at, cuts, dead, after):
    found = one(use(accepted_at=accepted_at), cuts=cuts, dead=dead)
    assert found.after is after
    assert bool(found.grave) == bool(after)
    assert "GetObject by curl" in found.grave or not after


def test_a_sign_counts_until_the_logs_reach_far_beyond_it():
    assert one(use(REF, "a", Sign.NEW_CALL, at=AT - STANDS_S)).sorts == ("new call",)
    assert one(use(REF, "a", Sign.NEW_CALL, at=AT - STANDS_S - 1)).sorts == ()
    assert one(use(REF, "a", Sign.NEW_CALL), logs=[log("b", ends=AT + STANDS_S + 1)]).sorts == ()


USES = st.lists(
    st.builds(
        lambda ref, name, signs, at: use(ref, name, *signs, accepted_at=at),
        st.sampled_from([REF, OTHER]),
        st.sampled_from("abc"),
        st.sets(st.sampled_from(list(Sign)), max_size=2),
        st.sampled_from([None, AT - 50, AT]),
    ),
    unique_by=lambda each: (each.ref, each.digest),
)


@given(USES, st.randoms())
def test_the_order_in_which_logs_were_read_changes_nothing_and_the_gravest_stands_first(uses, random):
    logs, cuts = [log(name) for name in "abc"], [Cut(AT - 99, None, frozenset({str(REF)}))]
    dead = {OTHER: Death(AT - 20, "proven")}
    found = together(uses, logs, cuts, dead)
    mixed = random.sample(uses, len(uses))
    assert [(each.ref, each.calls, set(each.signs), each.after) for each in together(mixed, logs, cuts, dead)] == [
        (each.ref, each.calls, set(each.signs), each.after) for each in found
    ]
    assert sum(each.calls for each in found) == 2 * len(uses)
    ranks = [{After.DEAD: 0, After.PAUSED: 1, None: 2}[each.after] for each in found]
    assert ranks == sorted(ranks)


def test_the_likelihood_is_by_the_gravest_and_each_ground_says_whose_and_by_which_log():
    cuts = [Cut(AT - 99, None, frozenset({str(REF)}))]
    found = together([use(), use(OTHER, "a", Sign.NEW_CALL, Sign.NEW_REGION)], [log()], cuts, {})
    paused, odd = grounds("acme", found)
    assert (paused.likelihood, odd.likelihood, paused.source) == (USED_PAUSED, UNUSUAL, "a.json")
    assert "unusual use of aws_iam_access_key AKIA2: new call and new region" in odd.why
    assert [each.likelihood for each in grounds("acme", [one(use(REF, "a", Sign.VOLUME))])] == [ODD]
    assert [each.likelihood for each in grounds("acme", [one(use(), dead=Death(AT - 99, "proven"))])] == [USED_DEAD]
    assert list(grounds("acme", [one(use())])) == []


@pytest.mark.parametrize(("evidence", "likelihoods"), [("proven", [ODD]), ("stated", [USED_PAUSED])])
def test_what_was_used_between_the_pause_and_its_proven_death_is_told_and_counts_as_no_more_than_its_signs(
    evidence, likelihoods
):
    cuts = [Cut(AT - 99, None, frozenset({str(REF)}))]
    found = one(use(REF, "a", Sign.VOLUME), cuts=cuts, dead=Death(AT + 60, evidence))
    assert (found.after, found.grave[:20]) == (After.PAUSED, "USED AFTER THE PAUSE")
    assert [each.likelihood for each in grounds("acme", [found])] == likelihoods


@pytest.mark.parametrize(
    ("logs", "says"),
    [
        ([], []),
        ([log()], []),
        ([log(begins=AT - 4 * DAY_S)], ["3 days before", "little is known of what is usual"]),
        ([log(begins=AT - DAY_S - 7200)], ["2 hours before"]),
        ([log(begins=AT - 3600)], ["what is usual is not known, and nothing of them is called new"]),
        ([log(begins=None)], ["no single uses"]),
        ([log(since=None)], ["no single uses"]),
        ([log(begins=AT - 2 * DAY_S, read_at=AT - 1), log("b")], []),
        ([log(begins=AT - 2 * DAY_S), log("b")], []),
    ],
)
def test_what_is_too_little_to_say_is_said_of_the_logs_that_were_read_last(logs, says):
    told = " ".join(caveats(logs))
    assert all(each in told for each in says)
    assert bool(told) == bool(says)
