"""No new secret is made where an excluded credential is known to read, before a named person takes that risk."""

from __future__ import annotations

import pytest

from rotator.flow.choice import MINTING
from rotator.flow.constraint import Constraints
from rotator.flow.exclusion import exclusions
from rotator.flow.incident import Incident, Severity
from rotator.flow.plan import make
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
