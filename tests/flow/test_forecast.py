"""What a plan costs and whom it leaves without a credential, told before anybody says yes: never less than is true."""

from __future__ import annotations

import json

import pytest

from rotator.flow.access import User, Uses
from rotator.flow.budget import Limit
from rotator.flow.constraint import Constraints, is_held
from rotator.flow.forecast import forecast
from rotator.flow.outage import Outage, expected
from rotator.flow.playbook_words import Strategy
from rotator.flow.scope import ConsumerAddress
from rotator.flow.segments import calls_until_dead
from rotator.ports.store import Place
from rotator.report.planned import document
from tests.flow.scopes import PLACE, ours, planned, stolen

FIRST, CONTAIN, REVOKE, CUT = Strategy.REPLACE_FIRST, Strategy.CONTAIN_FIRST, Strategy.REVOKE_ONLY, Strategy.CUT_ONLY
SLOW = Limit(2.0, 1)


def many(count, **custody):
    return [
        stolen(name=str(n), owner=f"o{n}", deliver=(Place("vault_kv", "vault", str(n)),), **custody)
        for n in range(count)
    ]


def outage_of(plan, *found, uses=None, answered=None, user=None):
    told = expected(plan, found, forecast(plan, {}), uses or {}, answered or {})
    return [each for each in told if user is None or each.user == user]


def test_an_account_is_bounded_by_its_calls_above_a_full_bucket():
    plan = planned(*many(10), wanted=REVOKE)
    [account] = forecast(plan, {"prod": SLOW}).accounts
    calls = sum(calls_until_dead(run.segments) for run in plan.runs)
    assert account.calls_until_dead == calls
    assert account.dead_at_least_s == (calls - SLOW.holds) / SLOW.calls_per_second
    assert (account.calls_until_replaced, account.replaced_at_least_s) == (0, 0.0)
    assert account.calls > calls  # the destruction, later


def test_accounts_are_asked_side_by_side_and_those_of_one_account_share_its_budget():
    found = [stolen(name=f"{n}", owner=f"{n}", at=at, deliver=()) for n, at in enumerate(("a", "b", "c"))]
    plan = planned(*found)
    apart = forecast(plan, {"a": SLOW, "b": SLOW})
    assert apart.without_budget == ("c",)
    assert [each.dead_at_least_s is None for each in apart.accounts] == [False, False, True]
    shared = forecast(plan, {"one": SLOW}, lambda _connection: "one")
    assert shared.dead_at_least_s > apart.dead_at_least_s
    assert shared.calls == apart.calls


def test_who_is_replaced_first_dies_after_that_and_whoever_is_contained_first_before():
    for wanted, first in ((FIRST, "replaced_s"), (CONTAIN, "dead_s")):
        plan = planned(*many(3), wanted=wanted)
        for times in forecast(plan, {"prod": SLOW}).times.values():
            assert min(("dead_s", "replaced_s"), key=lambda name: getattr(times, name)) == first


def test_what_rides_along_with_others_is_no_call_of_its_own():
    plan = planned(*(stolen("github_token", str(n), deliver=()) for n in range(10)))
    alone = forecast(plan, {}).accounts[0]
    together = forecast(plan, {}, together=lambda _kind, _connection: 1000).accounts[0]
    assert (alone.calls - together.calls, together.calls_until_dead) == (9, alone.calls_until_dead - 9)


def test_what_waits_for_the_rotators_own_is_through_no_sooner_than_that_is_replaced():
    plan = planned(ours(), *many(2))
    found = forecast(plan, {"glass": Limit(0.1, 1)})
    own = found.times[plan.runs[0].ref].replaced_s
    assert own > 0
    assert all(found.times[run.ref].dead_s >= own for run in plan.runs[1:])


@pytest.mark.parametrize(
    ("kind", "wanted", "outage", "stops", "again"),
    [
        ("aws_iam_access_key", CONTAIN, Outage.GAP, "contain", "converged"),
        ("aws_iam_access_key", FIRST, Outage.NONE, "retire", "converged"),
        ("aws_iam_access_key", REVOKE, Outage.FOR_GOOD, "contain", ""),
        ("aws_iam_access_key", CUT, Outage.CUT, "", ""),
        ("rabbitmq_user", CONTAIN, Outage.GAP, "contain", "converged"),
        ("vault_transit_key", FIRST, Outage.NONE, "retire", "converged"),
    ],
)
def test_the_strategy_says_from_when_to_when_a_consumer_has_nothing(kind, wanted, outage, stops, again):
    found = stolen(kind)
    [told] = outage_of(planned(found, wanted=wanted), found)
    assert (told.outage, told.stops, told.again) == (outage, stops, again)


def test_where_no_user_is_known_that_is_said_and_so_is_who_was_seen():
    found = stolen(consumers=())
    uses = {"1": Uses("1", 2, 1.0, 5.0, (User("10.0.0.0/24", "boto3", 2, 1.0, 5.0),))}
    [told] = outage_of(planned(found), found, uses=uses)
    assert (told.user, told.outage, told.last_used_at) == ("", Outage.GAP, 5.0)
    assert told.sources == ("boto3 at 10.0.0.0/24",)


def test_users_of_a_place_wait_for_the_run_that_delivers_there():
    found = [stolen(), stolen(name="2", consumers=())]
    told = outage_of(planned(*found), *found)
    assert {(each.ref.id, each.outage, each.by, each.user) for each in told} == {
        ("1", Outage.GAP, "", "http://127.0.0.1:9"),
        ("2", Outage.GAP, "1", "http://127.0.0.1:9"),
    }
    [known] = outage_of(
        planned(found[0], answered={found[0].ref: "inc-0.r1"}), found[0], answered={found[0].ref: "inc-0.r1"}
    )
    assert (known.outage, known.by) == (Outage.NONE, "inc-0.r1")


def test_a_new_secret_waits_for_those_that_may_read_where_it_passes():
    reader = stolen("vault_token", "2", "web", reads=("vault:kv",), deliver=())
    plan = planned(stolen(), reader)
    waiting = Constraints(plan)
    by_id = {run.ref.id: run for run in plan.runs}
    assert (waiting.readers(by_id["1"]).count, waiting.readers(by_id["1"]).first) == (1, ("2",))
    assert waiting.readers(by_id["2"]).count == 0
    assert any("1 new secret passes vault" in each and each.endswith(": 2") for each in waiting.in_all())


def test_waves_gates_and_the_rotators_own_are_told():
    found = [ours(), *many(150, environment="production"), stolen("github_token", "g", at="hub", deliver=())]
    plan = planned(*found)
    waiting = Constraints(plan)
    last = max(plan.runs, key=lambda run: run.wave)
    assert waiting.begins(last) == (
        "after own, the rotator's own, is replaced",
        "wave 3 of 3: when nothing of wave 2 is at work",
    )
    told = " ".join(waiting.in_all())
    for words in (
        "in waves: 2, then 13, then 135",
        "gate host_isolated: `contain` of 1 github_token",
        "150 wait until own",
    ):
        assert words in told
    assert [run.ref.id for run in plan.runs if is_held(run)] == ["g"]


def test_the_document_counts_everything_once_and_holds_no_material():
    found = [ours(), *many(3), stolen("github_token", "g", at="hub", deliver=())]
    plan = planned(*found)
    costs = forecast(plan, {"prod": SLOW})
    told = document(plan, found, costs, expected(plan, found, costs))
    totals = told["totals"]
    parts = ("own", "contain", "replace_first", "only_revoke", "only_cut", "held", "manual", "excluded")
    assert (sum(totals[name] for name in parts), totals["credentials"], totals["held"]) == (5, 5, 1)
    assert all(each["included"] for each in told["credentials"])
    assert "canary" not in json.dumps(told)


def test_a_command_of_two_places_is_told_once():
    found = stolen(consumers=(ConsumerAddress("webhook", "http://a"),) * 2, deliver=(PLACE, Place("file", "disk", "x")))
    assert len(outage_of(planned(found), found)) == 1
