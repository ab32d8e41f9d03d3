"""No new secret is made where an excluded credential is known to read, before a named person takes that risk."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rotator.flow.constraint import Constraints
from rotator.flow.exclusion import exclusions
from rotator.flow.incident import Incident, Severity
from rotator.flow.order import Elsewhere, Left
from rotator.flow.plan import make
from rotator.flow.planned import BY_HAND
from rotator.flow.playbook_words import MINTING
from rotator.flow.unguarded import STEP, ask_for_readers
from tests.fakes.company import founded
from tests.fakes.deployment import PLAYBOOKS
from tests.flow.test_plan import doors, stolen

LEFT_OUT = exclusions(["owner:canary"], ["it is our canary"], "jo")


def planned(*found, exclude=LEFT_OUT):
    return ask_for_readers(make(found, (), PLAYBOOKS, doors(*found), exclusions=exclude))


def named(run):
    return [step.name for segment in run.segments for step in segment.steps]


@pytest.mark.parametrize(
    ("reads", "asks"), [(("vault:ci",), True), (("elsewhere:ci",), False), ((), False), (None, False)]
)
def test_a_person_is_asked_right_before_the_mint_where_the_excluded_is_known_to_read(reads, asks):
    reader = stolen("vault_token", "2", owner="canary", reads=reads)
    plan = planned(stolen("aws_iam_access_key"), reader)
    [run] = plan.runs
    assert (STEP in named(run)) == asks
    if asks:
        steps = [step for segment in run.segments for step in segment.steps]
        [at] = [n for n, step in enumerate(steps) if step.name == STEP]
        assert steps[at + 1].verb in MINTING
        assert any("reads vault" in line and "2" in line for line in Constraints(plan).waits(run))
    else:
        assert bool(plan.warnings) == (reads is None)


OUT = Left("inc-1", "vault_token", "prod", "2", frozenset({"vault", "prod"}), excluded=True, known=frozenset({"vault"}))


@pytest.mark.parametrize(
    ("left", "asks"),
    [
        (OUT, True),
        (replace(OUT, known=frozenset()), False),  # nobody wrote down what it reads: the warning is all
        (replace(OUT, known=frozenset({"elsewhere"})), False),
        (replace(OUT, excluded=False), False),  # a person is to stop it
    ],
)
def test_a_person_is_asked_too_where_an_earlier_revision_or_another_incident_excluded_the_reader(left, asks):
    key = stolen("aws_iam_access_key")
    plan = make([key], (), PLAYBOOKS, doors(key), elsewhere=Elsewhere(left=(left,)))
    assert plan.warnings
    [run] = ask_for_readers(plan, (left,)).runs
    assert (STEP in named(run)) == asks
    steps = {step.name: step for segment in run.segments for step in segment.steps}
    assert not asks or steps[STEP].facts[BY_HAND].startswith("2 of inc-1 reads vault, is excluded and lives on")


def test_nobody_is_asked_about_what_this_plan_stops_itself():
    reader = stolen("vault_token", "2", owner="canary", reads=("vault:ci",))
    found = stolen("aws_iam_access_key"), reader
    plan = ask_for_readers(make(found, (), PLAYBOOKS, doors(*found)), (OUT,))
    assert not any(STEP in named(run) for run in plan.runs)


def test_nothing_is_made_before_somebody_says_so_and_then_all_is(tmp_path):
    company, deployment = founded(tmp_path)
    found, secret = company.stolen("aws_iam_access_key")
    reader, _ = company.stolen("vault_token", owner="canary")
    told = [found, stolen("vault_token", reader.ref.id, owner="canary", reads=("kv:all",))]
    plan = planned(*told)
    now = company.world.now()
    incident = Incident("inc-1", "stolen", Severity.HIGH, detected_at=now, declared_at=now)
    exposures = {found.ref: found.exposures}
    deployment.enrolment.declare(incident, plan, {found.ref: secret}, exposures, by="test", approved=True)
    deployment.rest()
    assert not company.opens(found.ref, secret)  # the stolen one is stopped all the same
    assert company.living(found.ref) == set()
    assert deployment.steps()[STEP] == "held"
    deployment.hands.done("inc-1.r1", STEP, "jo", "the canary reads nothing of worth")
    deployment.rest()
    assert len(company.living(found.ref)) == 1
    [act] = [each for each in deployment.evidence("inc-1") if each.get("act") == "done_by_hand"]
    assert (act["by"], act["reason"]) == ("jo", "the canary reads nothing of worth")
