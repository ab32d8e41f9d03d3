"""Compare the world with the ledger before a run closes: what of ours is left over, what did another hand change.

A worker that froze in a call may have minted after its successor had looked; nobody else would ever see that. Such a
mint is known to be ours by its worker's own note, or by a marker of ours. Any other new sibling may be the attacker's,
and a place that holds what no run of the ledger delivered is somebody else's doing: both are held.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rotator.claims import Ours
from rotator.credential import CredentialRef, read_document
from rotator.effects import World, replacement_of
from rotator.flow.choice import MINTING
from rotator.flow.playbook import Verb
from rotator.flow.run import Step, StepState, Work
from rotator.flow.step import Move, ask_about, discarded, possible_persistence, surplus_accepted
from rotator.lost_issue import Finding, marked_by
from rotator.ports import Place


def compare(world: World, work: Work, step: Step, ours: Ours) -> Finding:
    """Compare siblings and places, and say what becomes of the step, and what of ours is left over.

    Raises the three errors when the other side cannot be asked; whoever asks again finds the same.
    """
    minted = next((each for each in work.steps if each.verb in MINTING and each.state is StepState.DONE), None)
    if minted is None:
        return Finding(Move(StepState.DONE, reason="nothing was made"))
    left_over: list[CredentialRef] = []
    if minted.verb is Verb.ISSUE and not work.facts_of(Verb.DEMOTE):
        replacement, siblings = replacement_of(work), world.provider(work.run.ref).siblings(work.run.ref)
        if replacement not in siblings and replacement.id not in surplus_accepted(step):
            reason = f"replacement_gone: the issuer knows no {replacement.id} any more, and consumers were given it"
            return Finding(ask_about(step, [replacement.id], reason))
        left_over, strange = _siblings(world, work, minted, ours, siblings)
        if unknown := [each.id for each in strange if each.id not in surplus_accepted(step)]:
            return Finding(possible_persistence(step, unknown), tuple(left_over))
    changed = [str(place) for place in work.run.deliver if _changed(world, work, place, ours)]
    if changed := [each for each in changed if each not in surplus_accepted(step)]:
        reason = f"store_changed: {', '.join(changed)} holds what no run of this ledger delivered"
        return Finding(ask_about(step, changed, reason), tuple(left_over))
    if not left_over:
        return Finding(Move(StepState.DONE, reason="nothing is left over"))
    names = ", ".join(each.id for each in left_over)
    return Finding(Move(StepState.DONE, reason=f"{names} was minted under a lost claim: revoked"), tuple(left_over))


def _siblings(
    world: World, work: Work, minted: Step, ours: Ours, siblings: Iterable[CredentialRef]
) -> tuple[list[CredentialRef], list[CredentialRef]]:
    """Return the new siblings that are ours and not in use, and those that nobody here knows."""
    ref, provider = work.run.ref, world.provider(work.run.ref)
    before = minted.facts.get("siblings_before")
    seen = {*(before if isinstance(before, Sequence) else ()), *surplus_accepted(minted)}
    known = {ref.id, replacement_of(work).id, *ours.known, *seen}
    new = sorted(each for each in siblings if each.id not in known)
    if not new:
        return [], []
    certain = {each.id for each in marked_by(provider, ref, minted)} | ours.late | discarded(minted)
    return [each for each in new if each.id in certain], [each for each in new if each.id not in certain]


def _changed(world: World, work: Work, place: Place, ours: Ours) -> bool:
    """Tell whether consumers read something else there than what this run, or another of the ledger, delivered."""
    if work.facts_of(Verb.DEMOTE):
        return False  # an undo gave back what stood there before
    promoted = work.facts_of(Verb.PROMOTE).get("promoted")
    expected = promoted.get(str(place)) if isinstance(promoted, dict) else None
    store = world.store(place)
    current = store.current(place.name)
    if expected is None or current == expected:
        return False
    if current is None:
        return True
    try:
        found, _, _ = read_document(store.read(place.name, current), world.provider(work.run.ref).secret_field)
    except ValueError:
        return True
    return found not in ours.replacements
