"""What is wrong in the end: the world is asked first, then whether the ledger and the report say the same."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from rotator.flow.apart import LOST
from rotator.flow.playbook_words import Verb
from rotator.flow.step import WORKER_LOST
from rotator.ledger.plan_rows import KEEP_MATERIAL_S
from rotator.ledger.records import RunRecord
from rotator.ports.abilities import Unknockable
from rotator.report.incident import build
from tests.crash.case import INCIDENT, Scene, Theft, Twist
from tests.crash.witness import lives
from tests.fakes.deployment import WEEK, broken_chains
from tests.fakes.world import START

DEAD = ("proven_dead", "stated_dead")


def wrong(scene: Scene, faults: int) -> list[str]:
    """Return everything that is not as it should be after so many kills or lost answers."""
    record = scene.deployment.record(INCIDENT)
    report = {entry["id"]: entry for entry in build(record)["credentials"]}
    runs = {each.run.ref.id: each for each in record.runs}
    found = broken_chains(scene.deployment)
    found += _untold(scene)
    found += [f"a reservation stays: {dict(row)}" for row in scene.deployment.rows("mint")]
    found += _made_too_often(scene, faults)
    found += _orphans(scene, runs)
    found += _not_compared(scene, runs)
    for theft in scene.thefts:
        found += _lies(scene, theft, report[theft.ref.id])
        run = runs[theft.ref.id]
        found += _stuck(scene, run) if _left_to_a_person(scene, run, faults) else _unfinished(scene, theft, run)
    return found


def _left_to_a_person(scene: Scene, found: RunRecord, faults: int) -> bool:
    """Tell whether it need not have ended: so it is from the beginning, or since something was lost."""
    asks = scene.case.may_ask and faults > 0 and any(step.waits_for_person for step in found.steps)
    return scene.case.stuck or asks


def _unfinished(scene: Scene, theft: Theft, found: RunRecord) -> Iterator[str]:
    case, company = scene.case, scene.company
    yield from (
        f"{step.name}{step.target and '@'}{step.target} is {step.state} ({step.reason})"
        for step in found.steps
        if step.state not in {"done", "skipped"}
    )
    if company.sessions(theft.ref):
        yield "a thief's session lives"
    if case.kills:
        told = case.twist is Twist.ID_ONLY or isinstance(company.outside.provider(theft.ref), Unknockable)
        wanted = "stated" if told else "proven"
        if company.opens(theft.ref, theft.secret) or lives(company.credential(theft.ref.id)):
            yield "the stolen one still opens doors"
        if found.run.evidence != wanted:
            yield f"its death is {found.run.evidence}"
        if _is_kept(scene, found, told):
            yield "the stolen secret is still kept"
    elif not lives(company.credential(theft.ref.id)):
        yield "cut_only stopped it"
    if case.replaces:
        yield from _not_replaced(scene, theft, found.run.replacement)
    yield from _destroyed_early(scene, theft, found)


def _is_kept(scene: Scene, found: RunRecord, told: bool) -> bool:
    """Tell whether its secret is kept although it is proven dead, or its time is over."""
    if told:
        scene.company.world.wait_until(START + KEEP_MATERIAL_S + 1.0)
        scene.deployment.due.forget_expired()
    return any(row["run"] == found.run.id for row in scene.deployment.rows("sealed"))


def _not_replaced(scene: Scene, theft: Theft, replacement: str | None) -> Iterator[str]:
    company = scene.company
    for place in theft.places:
        ref, new = company.delivered(theft.ref, place)
        if ref.id != replacement:
            yield f"{place} holds {ref.id}, not {replacement}"
        elif not company.opens(ref, new):
            yield f"what {place} holds opens nothing"
    if (held := company.holders().get(theft.consumer)) != replacement:
        yield f"its consumer holds {held}"


def _destroyed_early(scene: Scene, theft: Theft, found: RunRecord) -> Iterator[str]:
    """Yield a destruction before its week was over, unless its room was needed or nothing else can stop it."""
    holds = [step.name for step in found.steps if step.hold_for_s and step.verb is Verb.REVOKE]
    if not holds or any(step.name == "make_room" for step in found.steps):
        return
    with scene.company.world.open() as state:
        at = [
            entry["at"] for entry in state["log"] if (entry["what"], entry["about"]) == ("issuer.revoke", theft.ref.id)
        ]
    if at and min(at) < START + WEEK:
        yield f"it was destroyed {min(at) - START:.0f} s after the start, before its hold was over"


def _stuck(scene: Scene, found: RunRecord) -> Iterator[str]:
    """Yield what is hidden of a run that waits for a person."""
    if not any(step.state == "failed" or step.waits_for_person for step in found.steps):
        yield f"it cannot be finished, and nobody is told: {[(step.name, step.state.value) for step in found.steps]}"
    theft = next(each for each in scene.thefts if each.ref.id == found.run.ref.id)
    if scene.company.opens(theft.ref, theft.secret) and found.run.evidence != "none":
        yield f"it opens doors, and its death is {found.run.evidence}"


def _lies(scene: Scene, theft: Theft, entry: dict[str, Any]) -> Iterator[str]:
    """Yield what the report says that the world denies."""
    if entry["state"] in DEAD and (scene.company.opens(theft.ref, theft.secret) or scene.company.sessions(theft.ref)):
        yield f"the report calls it {entry['state']}, and it is not"
    if entry["converged_at"] and scene.company.holders().get(theft.consumer) != entry["replacement"]:
        yield "the report says that its consumer has the new one, and it does not"


def _orphans(scene: Scene, runs: dict[str, RunRecord]) -> Iterator[str]:
    """Yield every living credential that is nobody's: not planted, not a replacement, not shown to a person."""
    company, known = scene.company, {each.run.replacement for each in runs.values()}
    shown = " ".join(step.reason or "" for each in runs.values() for step in each.steps if step.waits_for_person)
    alive = company.living(scene.thefts[0].ref)
    yield from (f"{name} is an orphan" for name in alive - scene.planted - known if name not in shown)
    if scene.innocent and scene.innocent not in alive:
        yield f"{scene.innocent} was not stolen, and it was stopped"
    if not scene.case.replaces and alive - scene.planted:
        yield f"{alive - scene.planted} live, and nothing was to be made"


def _not_compared(scene: Scene, runs: dict[str, RunRecord]) -> Iterator[str]:
    """Yield each run that lost a worker in its mint and was not compared once more: that call may land yet."""
    for run in runs.values():
        mints = {step.branch: step.name for step in run.steps if step.verb is Verb.ISSUE}
        for branch, name in mints.items():
            told = scene.deployment.evidence(branch)
            lost = any(each["step"] == name and each["reason"] == WORKER_LOST for each in told)
            if lost and all(step.name != LOST for step in run.steps):
                yield f"{run.run.id} lost a worker in {name}, and is not compared again"


def _made_too_often(scene: Scene, faults: int) -> Iterator[str]:
    made = len(scene.company.world.done("issuer.issue"))
    if made > len(scene.thefts) + faults:
        yield f"{made} were made for {len(scene.thefts)} stolen and {faults} faults"


def _acts(scene: Scene) -> list[dict[str, Any]]:
    """Return what a person said of steps: it stands in the incident's own chain."""
    return [each for each in scene.deployment.evidence(INCIDENT) if each.get("act") == "done_by_hand"]


def _untold(scene: Scene) -> Iterator[str]:
    """Yield each step whose evidence is not complete: its last record is its state, and each intent stands before."""
    last: dict[tuple[str, str, str], str] = {}
    said = {(body["run"], body["step"]) for body in _acts(scene)}
    for row in sorted(scene.deployment.rows("evidence"), key=lambda row: (row["chain"], row["seq"])):
        body = json.loads(row["body"])
        if "step" not in body or "attempt" not in body:
            continue  # it is of the incident, or a person's act
        key = (row["chain"], body["step"], body["target"])
        by_hand = body["from"] == "pending" and last.get(key) == "held" and (key[0].rsplit(".", 2)[0], key[1]) in said
        if key in last and body["from"] != last[key] and not by_hand:
            yield f"{key} went from {body['from']}, and was {last[key]}"
        if body["state"] == "done" and body["from"] not in {"running", "uncertain"}:
            yield f"{key} was done without an intent"
        last[key] = body["state"]
    for step in scene.deployment.rows("step"):
        key = (step["branch"], step["name"], step["target"])
        if last.get(key, "pending") != step["state"]:
            yield f"{key} is {step['state']}, and its evidence ends with {last.get(key)}"
