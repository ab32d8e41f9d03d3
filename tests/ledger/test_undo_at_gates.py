"""An undo takes no leaked replacement away behind a gate that keeps another run from destroying just that."""

from __future__ import annotations

import pytest

from rotator.flow.approval import Scope
from rotator.flow.playbook_words import Strategy
from rotator.ledger.approvals import Approvals
from rotator.ports.provider import State
from rotator.report.incident import build
from tests.fakes.company import CONSUMER
from tests.fakes.deployment import broken_chains
from tests.ledger.test_hands import hold, undone
from tests.ledger.test_revisions import added, leaked_again

KEY = "aws_iam_access_key"
RUN = "inc-1.r1"


class Died(BaseException):
    """The worker is gone."""


@pytest.fixture(params=["inc-1", "inc-2"])
def leaked(request, house):
    """Replace a key, and stop what replaced it, which leaked, in the same incident or another, its destruction apart.

    Return the deployment, what tells how the leaked one stands, its incident, and what approves its destruction.
    """
    company, deployment = house
    stolen, secret = company.stolen(KEY)
    hold(company, stolen, secret)
    deployment.start([stolen])
    deployment.rest(patience_s=600.0)
    again, _ = leaked_again(company, deployment, RUN, stolen)
    if request.param == "inc-1":
        digest = added(deployment, again, wanted=Strategy.REVOKE_ONLY).revision.digest
    else:
        digest = deployment.declare([again], wanted=Strategy.REVOKE_ONLY, incident="inc-2").digest
    approvals = Approvals(deployment.database, deployment.enrolment, None, deployment.world.now)

    def approve(*scopes):
        return approvals.approve(request.param, digest, "bob", frozenset(scopes))

    def state():
        return company.credential(again.ref.id)["state"]

    assert company.holders() == {CONSUMER: again.ref.id}
    return deployment, state, request.param, approve, digest


def reported(deployment):
    return next(each for each in build(deployment.record())["credentials"] if each["run"] == RUN)


def test_it_waits_for_the_yes_to_the_destruction_and_names_the_command(leaked):
    deployment, state, incident, approve, digest = leaked
    approve(Scope.CONTAINMENT)
    deployment.rest(patience_s=600.0)
    undone(deployment, "contain")
    deployment.rest(patience_s=600.0)
    assert (state(), deployment.steps()["undo_issue"]) == (State.SUSPENDED, "held")
    # The rest is taken back all the same, and nobody is stuck: what is waited for is said.
    assert deployment.steps()["open_again"] == "done"
    command = f"rotator approve {incident} --digest {digest} --scope destruction"
    assert command in [each["command"] for each in reported(deployment)["next"]]
    approve(Scope.DESTRUCTION)
    deployment.rest(patience_s=600.0)
    assert (state(), deployment.steps()["undo_issue"]) == (State.ABSENT, "done")
    assert broken_chains(deployment) == []


def test_it_waits_for_a_legal_hold_which_came_while_its_worker_died(leaked):
    deployment, state, incident, approve, _ = leaked
    approve(Scope.CONTAINMENT, Scope.DESTRUCTION)
    deployment.rest(patience_s=600.0)
    undone(deployment, "contain")

    def die(phase, what, _changes):
        if (phase, what) == ("before", "issuer.revoke"):
            raise Died

    deployment.world.meet = die
    with pytest.raises(Died):
        deployment.rest(patience_s=600.0)
    deployment.world.meet = lambda *_: None
    deployment.gates.set(incident, "no_legal_hold", "ann", "the police asks for it", is_open=False)
    deployment.rest(deployment.recover(), patience_s=600.0)
    assert (state(), deployment.steps()["undo_issue"]) == (State.SUSPENDED, "held")
    command = f"rotator gate open {incident} no_legal_hold --reason …"
    assert [each["command"] for each in reported(deployment)["next"]] == [command]
    deployment.gates.set(incident, "no_legal_hold", "ann", "they are through", is_open=True)
    deployment.rest(patience_s=600.0)
    assert (state(), deployment.steps()["undo_issue"]) == (State.ABSENT, "done")


def test_nothing_waits_where_no_gate_is_shut(leaked):
    deployment, state, incident, approve, _ = leaked
    approve(Scope.CONTAINMENT, Scope.DESTRUCTION)
    if incident != "inc-1":
        deployment.gates.set("inc-1", "no_legal_hold", "ann", "of what was stolen first", is_open=False)
    deployment.rest(patience_s=600.0)
    undone(deployment, "contain")
    deployment.rest(patience_s=600.0)
    assert (state(), deployment.steps()["undo_issue"]) == (State.ABSENT, "done")
