"""What is only revoked is delivered nowhere, and nobody is told of a new one that does not come."""

from __future__ import annotations

import pytest

from rotator.credential import CredentialRef, Leaked
from rotator.flow.plan import make
from rotator.flow.playbook_words import Strategy
from rotator.flow.scope import ConsumerAddress, Custody, Lifeline, Scoped
from rotator.playbook_file import load_all
from rotator.ports.store import Place

KIND = "vault_token"
PLACE = Place("vault_kv", "vault", "ci")
CONSUMER = ConsumerAddress("webhook", "http://127.0.0.1:9/reload")


def planned(strategy):
    ref = CredentialRef(KIND, "vault", "ci", "accessor")
    custody = Custody({"owner": "ci"}, deliver=(PLACE,), consumers=(CONSUMER,))
    [run] = make([Scoped(ref, KIND, Leaked(id="accessor"), (), custody, "")], [], load_all(), {}, wanted=strategy).runs
    return run


def test_a_run_that_replaces_nothing_promises_no_delivery():
    run = planned(Strategy.REVOKE_ONLY)
    assert (run.deliver, run.consumers) == ((), ())


@pytest.mark.parametrize("strategy", [Strategy.CONTAIN_FIRST, Strategy.REPLACE_FIRST])
def test_a_run_that_replaces_says_where_and_who_is_told(strategy):
    run = planned(strategy)
    assert (run.deliver, run.consumers) == ((PLACE,), (CONSUMER,))


@pytest.mark.parametrize("strategy", [None, *Strategy])
def test_of_what_nothing_new_is_made_the_end_is_planned_alone_whatever_is_asked_for(strategy):
    ref = CredentialRef(KIND, "vault", "ci", "accessor")
    custody = Custody({"owner": "ci"}, deliver=(PLACE,), consumers=(CONSUMER,))
    scoped = Scoped(ref, KIND, Leaked(id="accessor"), (), custody, "")
    [run] = make([scoped], [], load_all(), {}, wanted=strategy, unreplaced={ref: "acme is paused"}).runs
    assert run.strategy in {Strategy.REVOKE_ONLY, Strategy.CUT_ONLY}
    assert (run.deliver, run.passes) == ((), ())
    assert run.why == ("acme is paused" if strategy not in {Strategy.REVOKE_ONLY, Strategy.CUT_ONLY} else run.why)


def test_the_rotators_own_that_a_paused_vendor_holds_is_left_to_a_person():
    """To cut it and make nothing new would take the rotator's hand there."""
    ref = CredentialRef(KIND, "around", "ci", "accessor")
    custody = Custody({"owner": "ci"}, deliver=(PLACE,), consumers=(CONSUMER,))
    scoped = Scoped(ref, KIND, Leaked(id="accessor"), (), custody, "", lifeline=Lifeline("vault", ("vault",)))
    plan = make([scoped], [], load_all(), {}, unreplaced={ref: "acme is paused"})
    assert plan.runs == ()
    assert plan.manual[0].reason == "this is what the rotator itself uses, and acme is paused"
