"""A standing order covers what was agreed and nothing else; the parts of a plan are the plan."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from rotator.credential import CredentialRef, Leaked
from rotator.flow.approval import Scope
from rotator.flow.exposure import Exposure
from rotator.flow.plan import make
from rotator.flow.reversibility import is_reversible, stops_by_destroying
from rotator.flow.scope import Custody, Scoped
from rotator.flow.standing_order import Order, split
from rotator.playbook_file import load_all

PLAYBOOKS = load_all()
KINDS = ("aws_iam_access_key", "vault_token", "ssh_authorized_key", "acme_api_token")
NOW = 1_700_000_000.0


def stolen(number, kind, owner):
    ref = CredentialRef(kind, kind.partition("_")[0], owner, f"{kind}-{number}")
    seen = (Exposure("list", kind, Leaked(id=ref.id)),)
    return Scoped(ref, kind, Leaked(id=ref.id), seen, Custody({}, reads=()), "seen")


PLANS = st.lists(st.tuples(st.sampled_from(KINDS), st.sampled_from(["ci", "shop", "ops"])), min_size=1, max_size=8).map(
    lambda told: make(
        [stolen(number, *each) for number, each in enumerate(told)],
        (),
        PLAYBOOKS,
        {stolen(number, *each).ref: ("host",) for number, each in enumerate(told) if each[0].startswith("ssh")},
    )
)
ORDERS = st.lists(
    st.builds(
        Order,
        name=st.sampled_from(["a", "b", "c"]),
        triggers=st.sets(st.sampled_from(["siem", "cli"])).map(frozenset),
        environments=st.sets(st.sampled_from(["staging", "production"])).map(frozenset),
        approved_by=st.just("bob"),
        expires=st.sampled_from([NOW - 1, NOW + 1]),
        verified=st.booleans(),
        reversible=st.booleans(),
    ),
    max_size=3,
)
OF = {"ci": "staging", "shop": "production", "ops": None}


@settings(max_examples=50)
@given(PLANS, ORDERS, st.sets(st.integers(0, 7)))
def test_what_is_covered_was_agreed_on_and_nothing_is_lost_or_doubled(plan, orders, living):
    alive = {run.ref for run in plan.runs if int(run.ref.id.rpartition("-")[2]) in living}
    parts = split(plan, orders, "siem", lambda ref: OF[ref.owner], lambda refs: alive & set(refs), NOW)
    assert sorted(run.ref for part in parts for run in part.plan.runs) == sorted(run.ref for run in plan.runs)
    assert [part for part in parts[:-1] if not part.orders] == []
    for part in parts:
        named = [each for each in orders if each.name in part.orders and "siem" in each.triggers and each.expires > NOW]
        for run in part.plan.runs if part.orders else ():
            fits = [each for each in named if OF[run.ref.owner] in each.environments]
            assert any(
                (is_reversible(run) or not each.reversible) and (run.ref in alive or not each.verified) for each in fits
            )
            assert (Scope.DESTRUCTION in part.scopes) == stops_by_destroying(run)


def test_an_order_covers_nothing_that_the_rotator_itself_uses_nor_what_waits_for_that():
    order = Order("o", frozenset({"siem"}), frozenset({"staging"}), "bob", NOW + 1, verified=False)
    plan = make([stolen(1, KINDS[0], "ci"), stolen(2, KINDS[3], "ci")], (), PLAYBOOKS, {})
    own, other = plan.runs
    cut = replace(plan, runs=(replace(own, cuts=("aws",)), replace(other, awaits=(own.ref,))))
    [part] = split(cut, [order], "siem", lambda _ref: "staging", frozenset, NOW)
    assert part.orders == ()
    assert len(split(plan, [order], "siem", lambda _ref: "staging", frozenset, NOW)) == 1


def test_issuers_are_asked_only_of_what_an_order_would_cover():
    asked = []
    order = Order("o", frozenset({"siem"}), frozenset({"staging"}), "bob", NOW + 1)
    plan = make([stolen(1, KINDS[0], "ci"), stolen(2, KINDS[0], "shop")], (), PLAYBOOKS, {})

    def lives(refs):
        asked.extend(refs)
        return frozenset(refs)

    first, rest = split(plan, [order], "siem", lambda ref: OF[ref.owner], lives, NOW)
    assert [ref.owner for ref in asked] == ["ci"]
    assert [run.ref.owner for run in (*first.plan.runs, *rest.plan.runs)] == ["ci", "shop"]
