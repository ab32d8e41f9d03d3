"""What the played kinds showed of the engine: a look that nobody can take, a mint that cannot be taken back."""

from __future__ import annotations

from rotator.errors import Unavailable
from rotator.flow.playbook_words import Strategy
from tests.crash import verdict
from tests.crash.case import Case, Twist, opened, prepare
from tests.crash.person import carry_on


def scene_of(folder, kind, strategy, twist=Twist.NONE):
    case = Case(kind, strategy, twist=twist)
    prepare(folder, case)
    return opened(folder, case)


def steps_of(scene):
    return {step.name: step for step in scene.deployment.record().runs[0].steps}


def test_a_proven_death_stands_where_its_issuer_shows_nothing_and_its_secret_is_destroyed(tmp_path):
    scene = scene_of(tmp_path, "azure_refresh_token", Strategy.REVOKE_ONLY)
    carry_on(scene, scene.deployment.engine())
    late = steps_of(scene)["outlived"]
    assert (late.state.value, late.attempts) == ("done", 1)
    assert late.reason.startswith("not looked at again (no_view: ")
    assert verdict.wrong(scene, 0) == []


def test_where_nothing_was_proven_a_look_that_nobody_can_take_is_open_for_all_to_see(tmp_path):
    scene = scene_of(tmp_path, "auth0_client_secret", Strategy.REVOKE_ONLY, Twist.ID_ONLY)
    carry_on(scene, scene.deployment.engine())
    refused = steps_of(scene)["refused"]
    assert (refused.state.value, refused.reason.partition(":")[0]) == ("failed", "no_view")
    assert scene.deployment.record().runs[0].run.evidence.value == "none"


def test_a_person_is_told_which_mint_cannot_be_taken_back(tmp_path):
    scene = scene_of(tmp_path, "vault_transit_key", Strategy.REPLACE_FIRST)
    world = scene.company.world

    def lost(phase, what, _changes):
        if (phase, what) == ("before", "store.stage"):
            world.meet = lambda *_: None
            raise Unavailable("down")

    world.meet = lost
    carry_on(scene, scene.deployment.engine())
    issue = steps_of(scene)["issue"]
    [left] = scene.company.living(scene.thefts[0].ref) - scene.planted
    assert (issue.state.value, issue.waits_for_person) == ("held", True)
    assert f"{left} was minted in vain, and is left over: versions" in issue.reason
    assert verdict.wrong(scene, 1) == []
