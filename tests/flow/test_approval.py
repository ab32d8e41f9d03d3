"""Who may say yes to what: nobody alone under four eyes, never too few, and broken glass is always to be reviewed."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotator.errors import BadInput, NotAllowed
from rotator.flow.approval import (
    BOTH,
    Facts,
    Person,
    Policy,
    Role,
    Said,
    Scope,
    decide,
    enough,
    may_review,
    scopes_of,
    wanted,
)

NAMES = ("ann", "bob", "cyd", "dan", "eve")
PEOPLE = st.dictionaries(st.sampled_from(NAMES), st.sets(st.sampled_from(Role), min_size=1), max_size=5)
SCOPES = st.sampled_from([frozenset({scope}) for scope in Scope] + [BOTH])
MAKERS = st.frozensets(st.sampled_from(NAMES), min_size=1, max_size=3)
ACTS = st.lists(st.tuples(st.sampled_from(NAMES), SCOPES, st.sampled_from(["", "", "", "2 am"])), max_size=8)


def policy_of(people, **rule):
    return Policy({name: Person(name, frozenset(roles)) for name, roles in people.items()}, **rule)


@st.composite
def policies(draw):
    rule = {name: draw(st.booleans()) for name in ("four_eyes", "apart")}
    return policy_of(draw(PEOPLE), approvals=draw(st.sampled_from([1, 2])), **rule)


def played(policy, acts, facts):
    """Let people act one after the other; return what was written down."""
    said: list[Said] = []
    for who, scopes, glass in acts:
        try:
            found = decide(policy, who, said, facts, scopes, glass)
        except BadInput:
            continue
        said += [Said(who, scope, glass) for scope in found.written]
        assert enough(policy, said) == found.enough
    return said


@given(policies(), ACTS, MAKERS)
def test_nothing_begins_on_fewer_than_enough_other_people_unless_the_glass_is_broken(policy, acts, makers):
    said = played(policy, acts, Facts(makers, 1))
    for scope in enough(policy, said):
        of_scope = [each for each in said if each.scope is scope]
        if any(each.glass for each in of_scope):
            continue
        by = {each.by for each in of_scope}
        assert len(by) >= policy.approvals
        assert all(policy.people[name].approves for name in by)
        assert not (makers & by) or not policy.four_eyes


@given(policies(), ACTS, MAKERS, st.booleans())
def test_whoever_is_named_may_and_nobody_else_brings_it_further(policy, acts, makers, destroys):
    facts = Facts(makers, int(destroys))
    said = played(policy, acts, facts)
    for each in wanted(policy, said, facts):
        assert each.more > 0
        for name in NAMES:
            try:
                found = decide(policy, name, said, facts, frozenset({each.scope}))
            except NotAllowed:
                found = None
            assert (found is not None and bool(found.written)) == (name in each.of)


@given(policies(), ACTS, MAKERS)
def test_more_said_never_takes_back_what_was_enough(policy, acts, makers):
    facts = Facts(makers, 1)
    before = [enough(policy, played(policy, acts[:count], facts)) for count in range(len(acts) + 1)]
    assert all(earlier <= later for earlier, later in pairwise(before))


@given(policies(), st.sampled_from(NAMES), SCOPES)
def test_the_glass_is_broken_by_a_responder_and_looked_at_by_another_approver(policy, who, scopes):
    try:
        found = decide(policy, who, (), Facts(frozenset({who}), 1), scopes, "2 am")
    except NotAllowed:
        assert who not in policy.people or not policy.people[who].responds
        return
    assert found.enough == scopes
    assert all(Said(who, scope, "2 am").alone for scope in found.written)
    reviewers = {name for name in NAMES if not may_review(policy, name, who)}
    assert reviewers <= {name for name, person in policy.people.items() if person.approves}
    assert who not in reviewers or not policy.four_eyes


@given(st.sampled_from(NAMES), SCOPES)
def test_with_no_rule_one_person_does_everything(who, scopes):
    assert decide(None, who, (), Facts(frozenset({who}), 1), scopes).enough == scopes
    assert may_review(None, who, who) == ""


def test_a_refusal_is_one_line_that_names_who_may():
    policy = policy_of({"ann": {Role.APPROVER}, "bob": {Role.ADMIN}, "eve": {Role.VIEWER}})
    for who, word in (("ann", "four eyes"), ("eve", "viewer"), ("zoe", "nobody in")):
        with pytest.raises(NotAllowed, match=word) as refused:
            decide(policy, who, (), Facts(frozenset({"ann"}), 1), BOTH)
        assert "bob" in str(refused.value)
        assert "\n" not in str(refused.value)


def test_what_nobody_can_give_says_so_and_where_no_rule_is_nobody_is_missed():
    alone = policy_of({"ann": {Role.APPROVER}, "bob": {Role.ADMIN}}, approvals=2)
    [both, _] = wanted(alone, (), Facts(frozenset({"ann"}), 1))
    assert "by bob (ann may not: made this plan; too few: name another approver in [[people]])" in str(both)
    [last] = wanted(None, [Said("ann", Scope.CONTAINMENT)], Facts(frozenset({"ann"}), 1))
    assert str(last) == "destruction wants 1 more approval"


def test_what_destroys_nothing_wants_no_approval_of_it():
    policy = policy_of({"ann": {Role.APPROVER}})
    assert decide(policy, "ann", (), Facts(frozenset({"bob"}), 0), BOTH).written == (Scope.CONTAINMENT,)
    with pytest.raises(BadInput, match="nothing in it is destroyed"):
        decide(policy, "ann", (), Facts(frozenset({"bob"}), 0), frozenset({Scope.DESTRUCTION}))


@pytest.mark.parametrize(
    ("word", "apart", "glass", "scopes"),
    [
        (None, True, False, {Scope.CONTAINMENT}),
        (None, False, False, set(BOTH)),
        (None, False, True, {Scope.CONTAINMENT}),
        ("all", True, True, set(BOTH)),
        ("destruction", True, False, {Scope.DESTRUCTION}),
    ],
)
def test_which_scope_a_yes_is_for(word, apart, glass, scopes):
    assert scopes_of(word, policy_of({}, apart=apart), glass=glass) == scopes
