"""Gates keep waiting what waits for them, and nothing else; a legal hold destroys neither credential nor secret."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import insert, update

from rotator.errors import BadInput
from rotator.flow.playbook_words import Strategy
from rotator.ledger import leak_safe, tables
from rotator.ledger.growing import stand_on
from rotator.report.incident import build
from tests.fakes.deployment import WEEK, broken_chains

KEY = "aws_iam_access_key"
MONTH = 31 * 86400.0


def gated(house, step="contain"):
    """Respond with a step that waits until the host is isolated, as for a key that carries a tripwire."""
    company, deployment = house
    stolen, secret = company.stolen(KEY)
    plan = deployment.declare([stolen], wanted=Strategy.REVOKE_ONLY)
    with deployment.database.write() as connection:
        connection.execute(update(tables.step).where(tables.step.c.name == step).values(hold_until="host_isolated"))
    deployment.enrolment.approve("inc-1", plan.digest, by="test")
    deployment.rest(patience_s=3600)
    return company, deployment, stolen, secret


def gate(deployment, name, *, is_open=True, reason="because"):
    return deployment.gates.set("inc-1", name, "ann", reason, is_open=is_open)


def stands(deployment):
    return {each.name: (each.is_open, each.waiting) for each in deployment.gates.of("inc-1")}


def acts(deployment):
    return [record["act"] for record in deployment.evidence("inc-1")]


def test_a_step_waits_until_its_gate_is_opened_and_goes_on_by_itself(house):
    company, deployment, stolen, secret = gated(house)
    assert deployment.steps()["contain"] == "held"
    assert company.opens(stolen.ref, secret)
    assert stands(deployment) == {"host_isolated": (False, 1), "no_legal_hold": (True, 0)}
    [entry] = build(deployment.record())["credentials"]
    [waits] = entry["next"]
    assert waits["command"] == "rotator gate open inc-1 host_isolated --reason …"
    with pytest.raises(BadInput, match="rotator gate open inc-1 host_isolated"):
        deployment.hands.decide("inc-1.r1", "contain", skip=False, by="ann", reason="go on")
    assert gate(deployment, "host_isolated", reason="unplugged") == 1
    deployment.rest(patience_s=2 * WEEK)
    assert set(deployment.steps().values()) == {"done"}
    [told] = [record for record in deployment.evidence("inc-1") if record["act"] == "opened"]
    assert (told["gate"], told["by"], told["reason"]) == ("host_isolated", "ann", "unplugged")
    assert broken_chains(deployment) == []


def test_a_gate_that_was_opened_just_as_a_step_began_to_wait_keeps_nobody(house):
    _, deployment, _, _ = gated(house)
    with deployment.database.write() as connection:
        spoken = {"open": 1, "at": 0.0, "by": "ann", "reason": "in the same moment"}
        connection.execute(insert(tables.gate).values(incident="inc-1", name="host_isolated", **spoken))
    assert deployment.due.wake_at_gates() == 1
    assert deployment.due.wake_at_gates() == 0
    deployment.rest(patience_s=3600)
    assert deployment.steps()["contain"] == "done"


def test_a_legal_hold_keeps_the_credential_and_its_sealed_secret(house):
    company, deployment = house
    stolen, _ = company.stolen(KEY)
    deployment.start([stolen], wanted=Strategy.REVOKE_ONLY)
    deployment.rest(patience_s=0)
    gate(deployment, "no_legal_hold", is_open=False, reason="the prosecutor asks")
    deployment.rest(patience_s=2 * WEEK)
    states = deployment.steps()
    assert (states["refused"], states["destroy"]) == ("done", "held")
    assert [(each["state"], each["evidence"]) for each in build(deployment.record())["credentials"]] == [
        ("proven_dead", "proven")
    ]
    assert len(deployment.rows("sealed")) == 1
    deployment.world.wait_until(deployment.world.now() + MONTH)
    deployment.due.forget_expired()
    assert len(deployment.rows("sealed")) == 1
    assert company.world.done("issuer.revoke") == []
    # Its time is over, so it waits for the gate alone: to release it does not pass the hold.
    with pytest.raises(BadInput, match="rotator gate open inc-1 no_legal_hold"):
        deployment.hands.release("inc-1.r1", "destroy", by="ann", reason="now")
    assert gate(deployment, "no_legal_hold", reason="the trial is over") == 1
    assert deployment.rows("sealed") == []
    deployment.rest(patience_s=3600)
    assert company.world.done("issuer.revoke") == [stolen.ref.id]
    assert acts(deployment) == ["declared", "approved", "shut", "opened"]


def test_a_wait_that_is_over_does_not_begin_again_when_the_hold_is_lifted(house):
    company, deployment = house
    stolen, _ = company.stolen(KEY)
    deployment.start([stolen], wanted=Strategy.REVOKE_ONLY)
    deployment.rest(patience_s=0)
    gate(deployment, "no_legal_hold", is_open=False, reason="the prosecutor asks")
    deployment.rest(patience_s=WEEK + 60)
    assert company.world.done("issuer.revoke") == []
    gate(deployment, "no_legal_hold", reason="the trial is over")
    deployment.rest(patience_s=3600)
    assert company.world.done("issuer.revoke") == [stolen.ref.id]


def test_what_is_released_early_still_waits_for_a_legal_hold(house):
    company, deployment = house
    deployment.start([company.stolen(KEY)[0]], wanted=Strategy.REVOKE_ONLY)
    deployment.rest(patience_s=3600)
    gate(deployment, "no_legal_hold", is_open=False)
    deployment.hands.release("inc-1.r1", "destroy", by="ann", reason="now")
    deployment.rest(patience_s=3600)
    assert company.world.done("issuer.revoke") == []
    gate(deployment, "no_legal_hold")
    deployment.rest(patience_s=3600)
    assert set(deployment.steps().values()) == {"done"}


@pytest.mark.parametrize(
    ("name", "is_open", "said"),
    [
        ("host_isolate", True, "did you mean `host_isolated`"),
        ("no_legal_hold", True, "it is open already"),
        ("host_isolated", False, "it is shut already"),
    ],
)
def test_what_a_gate_cannot_be_is_told_in_one_line(house, name, is_open, said):
    _, deployment, _, _ = gated(house)
    with pytest.raises(BadInput, match=said):
        gate(deployment, name, is_open=is_open)
    gate(deployment, "host_isolated", reason="unplugged")
    with pytest.raises(BadInput, match="it is open already, says ann: unplugged"):
        gate(deployment, "host_isolated")
    assert acts(deployment) == ["declared", "approved", "opened"]


def test_the_last_isolated_foothold_opens_the_gate(house):
    _, deployment, _, _ = gated(house)
    with pytest.raises(BadInput, match="none was named"):
        deployment.gates.isolate("inc-1", "web-1", "ann", "unplugged")
    with deployment.database.write() as connection:
        for host in ("web-1", "web-2"):
            said = {"state": "open", "at": 0.0, "by": "test", "reason": "declared"}
            connection.execute(insert(tables.foothold).values(incident="inc-1", host=host, **said))
    assert deployment.gates.isolate("inc-1", "web-1", "ann", "unplugged") == ["web-2"]
    assert stands(deployment)["host_isolated"] == (False, 1)
    with pytest.raises(BadInput, match="isolated already, says ann: unplugged"):
        deployment.gates.isolate("inc-1", "web-1", "ann", "again")
    with pytest.raises(BadInput, match="did you mean `web-2`"):
        deployment.gates.isolate("inc-1", "web2", "ann", "unplugged")
    assert deployment.gates.isolate("inc-1", "web-2", "ben", "firewalled") == []
    assert stands(deployment)["host_isolated"] == (True, 0)
    deployment.rest(patience_s=2 * WEEK)
    assert set(deployment.steps().values()) == {"done"}
    assert acts(deployment) == ["declared", "approved", "isolated", "isolated", "opened"]
    assert [each.state for each in deployment.record().footholds] == ["isolated", "isolated"]
    assert broken_chains(deployment) == []


def test_a_foothold_names_the_runs_that_it_holds_up_until_it_is_cut_off(house):
    company, deployment = house
    stolen, _ = company.stolen(KEY)
    there = tuple(replace(each, host="web-1") for each in stolen.custody.consumers)
    stolen = replace(stolen, custody=replace(stolen.custody, consumers=there))
    deployment.start([stolen], footholds=["web-1", "bastion"])
    deployment.rest(patience_s=3600)
    assert deployment.steps()["issue"] == "held"
    found = {each.host: each.holds_up for each in deployment.record().footholds}
    assert found == {"web-1": ("inc-1.r1",), "bastion": ()}
    deployment.gates.isolate("inc-1", "web-1", "ann", "unplugged")
    assert {each.holds_up for each in deployment.record().footholds} == {()}


def test_a_foothold_that_is_known_later_shuts_the_gate_again(house):
    _, deployment, _, _ = gated(house)
    gate(deployment, "host_isolated", reason="unplugged")
    with deployment.database.write() as connection:
        assert stand_on(connection, "inc-1", ["web-2"], 5.0, "ben", "seen there too") == ("web-2",)
    assert stands(deployment)["host_isolated"] == (False, 0)
    deployment.gates.isolate("inc-1", "web-2", "ben", "firewalled")
    assert stands(deployment)["host_isolated"] == (True, 0)
    assert acts(deployment)[2:] == ["opened", "shut", "isolated", "opened"]
    assert broken_chains(deployment) == []


def test_no_room_is_made_by_destroying_what_a_legal_hold_keeps(house):
    company, deployment = house
    stolen, _ = company.stolen(KEY)
    company.plant(KEY, "ci")  # the quota is full
    plan = deployment.declare([stolen])
    gate(deployment, "no_legal_hold", is_open=False)
    deployment.enrolment.approve("inc-1", plan.digest, by="test")
    deployment.rest(patience_s=3600)
    assert (deployment.steps()["make_room"], company.world.done("issuer.revoke")) == ("held", [])
    gate(deployment, "no_legal_hold")
    deployment.rest(patience_s=3600)
    assert (deployment.steps()["converged"], company.world.done("issuer.revoke")) == ("done", [stolen.ref.id])


def test_a_person_accepts_the_footholds_of_the_moment_and_no_later_one(house):
    company, deployment = house
    stolen, _ = company.stolen(KEY)
    there = tuple(replace(each, host="web-1") for each in stolen.custody.consumers)
    deployment.start([replace(stolen, custody=replace(stolen.custody, consumers=there))], footholds=["web-1"])
    deployment.rest(patience_s=3600)
    said = deployment.hands.release("inc-1.r1", "issue", by="ann", reason="a honeypot of ours")
    assert said.endswith("is accepted, of the foothold web-1 and of nobody later")
    with deployment.database.write() as connection:
        assert not connection.execute(leak_safe.IS_BLOCKED, {"run_id": "inc-1.r1"}).scalar()
        connection.execute(insert(tables.stands).values(run="inc-1.r1", host="web-2"))
        later = {"state": "open", "at": 0.0, "by": "", "reason": ""}
        connection.execute(insert(tables.foothold).values(incident="inc-1", host="web-2", **later))
        assert connection.execute(leak_safe.IS_BLOCKED, {"run_id": "inc-1.r1"}).scalar()
    [record] = deployment.record().runs
    assert record.accepted == ("the foothold web-1",)
    [released] = [each for each in deployment.evidence("inc-1") if each["act"] == "released"]
    assert released["accepts_footholds"] == ["web-1"]
