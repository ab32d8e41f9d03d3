"""What is only revoked is delivered nowhere, and nobody is told of a new one that does not come."""

from __future__ import annotations

import pytest

from rotator.credential import CredentialRef, Leaked
from rotator.flow.plan import make
from rotator.flow.playbook_words import Strategy
from rotator.flow.scope import ConsumerAddress, Custody, Scoped
from rotator.playbook_file import load_all
from rotator.ports import Place

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
