"""What no machine can do: a person is asked, the clock runs, and the machine proves what a knock can show."""

from __future__ import annotations

import pytest

from rotator.errors import BadInput
from rotator.flow.playbook import Playbook
from rotator.flow.proof import Evidence
from rotator.flow.standing import CredentialState, state_of
from rotator.report.incident import build
from tests.fakes import deployment as fakes
from tests.fakes.deployment import broken_chains

KIND, RUN = "vault_token", "inc-1.r1"
WORK, LOOK = "Delete the token in the vendor's console.", "Sign in with it: it must be refused."
PAIRED = {"id": "paired", "do": "verify exposed"}
CONTAIN = {"id": "contain", "do": "revoke exposed", "by_hand": WORK}
REFUSED = {"id": "refused", "do": "verify exposed", "expect": "rejected", "retry_for": "5m"}
SEEN = {"id": "seen", "do": "verify exposed", "expect": "rejected", "by_hand": LOOK}


@pytest.fixture
def asked(house, monkeypatch):
    """Respond to one stolen token by a playbook of these steps, up to where it rests; return what is needed after."""
    company, deployment = house

    def respond(*steps):
        told = {
            "playbook": KIND,
            "provider": KIND,
            "summary": "By hand.",
            "strategies": ["revoke_only"],
            "steps": steps,
        }
        monkeypatch.setattr(fakes, "PLAYBOOKS", {KIND: Playbook.model_validate(told)})
        stolen, secret = company.stolen(KIND)
        deployment.start([stolen])
        deployment.rest(patience_s=3600)
        return company, deployment, stolen, secret

    return respond


def entry(deployment):
    [found] = build(deployment.record())["credentials"]
    return found


def test_the_run_waits_for_the_person_with_the_words_of_the_playbook(asked):
    _, deployment, _, _ = asked(PAIRED, CONTAIN, REFUSED)
    [run] = deployment.record().runs
    assert state_of(run.run, run.steps, run.proofs) is CredentialState.MANUAL
    assert f"contain: held (by hand: {WORK})" in str(entry(deployment)["open"])
    assert f"rotator run done {RUN} contain" in str(entry(deployment))


def test_what_a_person_did_is_proven_by_a_knock(asked):
    company, deployment, stolen, _ = asked(PAIRED, CONTAIN, REFUSED)
    company.outside.provider(stolen.ref).revoke(stolen.ref)  # at the vendor's console
    deployment.hands.done(RUN, "contain", "ann", "deleted it")
    deployment.rest(patience_s=3600)
    [run] = deployment.record().runs
    assert run.run.evidence is Evidence.PROVEN
    assert entry(deployment)["open"] == []
    assert not broken_chains(deployment)


def test_a_persons_word_alone_proves_nothing_while_the_door_is_open(asked):
    _, deployment, _, _ = asked(PAIRED, CONTAIN, REFUSED)
    deployment.hands.done(RUN, "contain", "ann", "deleted it, I think")
    deployment.rest(patience_s=3600)
    [run] = deployment.record().runs
    assert run.run.evidence is Evidence.NONE
    assert deployment.steps()["refused"] == "failed"


def test_where_nobody_but_a_person_can_look_the_death_is_stated_by_him(asked):
    _, deployment, _, _ = asked(CONTAIN, SEEN)
    deployment.hands.done(RUN, "contain", "ann", "deleted it")
    deployment.rest(patience_s=3600)
    assert deployment.steps() == {"contain": "done", "seen": "held"}
    deployment.hands.done(RUN, "seen", "bob", "refused, tried it")
    deployment.rest(patience_s=3600)
    [run] = deployment.record().runs
    assert run.run.evidence is Evidence.STATED
    assert [(record["act"], record["by"]) for record in deployment.evidence("inc-1")][-2:] == [
        ("done_by_hand", "ann"),
        ("done_by_hand", "bob"),
    ]


def test_only_what_asks_for_a_person_can_be_said_to_be_done(asked):
    _, deployment, _, _ = asked(PAIRED, CONTAIN, REFUSED)
    with pytest.raises(BadInput, match="asks nothing of a person"):
        deployment.hands.done(RUN, "refused", "ann", "saw it")
    with pytest.raises(BadInput, match="no step of that name"):
        deployment.hands.done(RUN, "nothing", "ann", "saw it")
    with pytest.raises(BadInput, match="nothing to do again"):
        deployment.hands.decide(RUN, "contain", skip=False, by="ann", reason="again")
    with pytest.raises(BadInput, match="a reason is needed"):
        deployment.hands.done(RUN, "contain", "ann", " ")
