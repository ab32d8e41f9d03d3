"""The person that a run waits for: does what he is asked to by hand, says so, and says that the host is isolated."""

from __future__ import annotations

from rotator.credential import CredentialRef
from rotator.engine import Engine
from rotator.flow.playbook_words import Subject, Until, Verb
from rotator.flow.run import Step, StepState
from rotator.ports.provider import State
from tests.crash.case import INCIDENT, Scene
from tests.fakes.company import PROPAGATION_S

WHO = "ann"
STOPS = frozenset({Verb.SUSPEND, Verb.UNINSTALL, Verb.REVOKE})


def carry_on(scene: Scene, worker: Engine) -> None:
    """Let a worker go on until nothing is due and nobody is asked for anything."""
    scene.deployment.rest(worker)
    while _lend_a_hand(scene):
        scene.deployment.rest(worker)


def _lend_a_hand(scene: Scene) -> bool:
    """Do what the report asks for; whoever finds it done and not said does it again."""
    runs = scene.deployment.record(INCIDENT).runs
    waiting = [(run, step) for run in runs for step in run.steps if step.state is StepState.HELD]
    world = scene.company.world
    for run, step in waiting:
        if step.asks:
            if step.verb in STOPS and step.subject is Subject.EXPOSED:
                _revoke(scene, run.run.ref, tuple(run.steps))
            scene.deployment.hands.done(run.run.id, step.name, WHO, "as I was asked")
            world.meet("after", "person.done", True)
    if any(step.reason == f"gate: {Until.HOST_ISOLATED}" for _, step in waiting):
        scene.deployment.gates.set(INCIDENT, Until.HOST_ISOLATED, WHO, "the cable is out", is_open=True)
        world.meet("after", "person.isolated", True)
        return True
    return any(step.asks for _, step in waiting)


def _revoke(scene: Scene, ref: CredentialRef, steps: tuple[Step, ...]) -> None:
    """Revoke it at its issuer; where a machine is to stop it, what is asked for is done elsewhere."""
    if any(step.verb in STOPS and step.subject is Subject.EXPOSED and step.by_hand is None for step in steps):
        return
    world, at = scene.company.world, scene.deployment.outside.provider(ref).at

    def act(state: dict) -> None:
        at.turn(state, state["credentials"][ref.id], State.ABSENT)

    world.exchange("person.revoke", ref.id, act, changes=True)
    world.wait_until(world.now() + PROPAGATION_S)  # he looks before he says so
