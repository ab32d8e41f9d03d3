"""Compare the world with the ledger before a run closes: what of ours is left over, what did another hand change.

A worker that froze in a call may have minted after its successor had looked; nobody else would ever see that. Such a
mint is known to be ours by its worker's own note, or by a marker of ours. Any other new sibling may be the attacker's,
and a place that holds what no run of the ledger delivered is somebody else's doing: both are held.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rotator.claims import Ours
from rotator.credential import CredentialRef, read_document
from rotator.flow.apart import is_long_after
from rotator.flow.playbook_words import MINTING, Verb
from rotator.flow.run import Step, StepState, Work
from rotator.flow.step import Move, ask_about, attempts_named, discarded, possible_persistence, surplus_accepted
from rotator.lost_issue import Finding, marked_by
from rotator.ports.store import Place, WriteOnly
from rotator.world import World


def compare(world: World, work: Work, step: Step, ours: Ours) -> Finding:
    """Compare siblings and places, and say what becomes of the step, and what of ours is left over.

    Raises the three errors when the other side cannot be asked; whoever asks again finds the same.
    """
    tried = next((each for each in work.steps if each.verb in MINTING and attempts_named(each)), None)
    if tried is None:
        return Finding(Move(StepState.DONE, reason="nothing was made"))
    left_over: tuple[CredentialRef, ...] = ()
    settles: tuple[str, ...] = ()
    if tried.verb is Verb.ISSUE:
        siblings = world.provider(work.run.ref).siblings(work.run.ref)
        left_over, strange = _siblings(world, work, tried, ours, siblings)
        settles = tuple(sorted(ours.late))
        watched = work.run.replaced_at is not None and not is_long_after(step)
        # One that leaked itself is another run's to stop: that it is gone is no loss.
        given = work.run.replacement if watched and work.run.replacement not in ours.exposed else None
        if given not in {None, *(each.id for each in siblings), *surplus_accepted(step)}:
            reason = f"replacement_gone: the issuer knows no {given} any more, and consumers were given it"
            return Finding(ask_about(step, [str(given)], reason), left_over, settles)
        if unknown := [each.id for each in strange if each.id not in surplus_accepted(step)]:
            return Finding(possible_persistence(step, unknown), left_over, settles)
    places = () if is_long_after(step) else work.run.deliver
    changed = [str(place) for place in places if _changed(world, work, place, ours)]
    if changed := [each for each in changed if each not in surplus_accepted(step)]:
        reason = f"store_changed: {', '.join(changed)} holds what no run of this ledger delivered"
        return Finding(ask_about(step, changed, reason), left_over, settles)
    names = ", ".join(each.id for each in left_over)
    reason = f"{names} was minted under a lost claim: revoked" if left_over else "nothing is left over"
    return Finding(Move(StepState.DONE, reason=reason), left_over, settles)


def _siblings(
    world: World, work: Work, tried: Step, ours: Ours, siblings: Iterable[CredentialRef]
) -> tuple[tuple[CredentialRef, ...], list[CredentialRef]]:
    """Return the new siblings that are ours and not in use, and those that nobody here knows."""
    ref, provider = work.run.ref, world.provider(work.run.ref)
    before = tried.facts.get("siblings_before")
    made = str(work.minted["replacement"]) if "replacement" in work.minted else ref.id
    compared = (each for each in work.steps if each.verb is Verb.COMPARE and each.state is StepState.DONE)
    seen = {*(before if isinstance(before, Sequence) else ()), *surplus_accepted(tried)}.union(
        *map(surplus_accepted, compared)
    )
    new = sorted(each for each in siblings if each.id not in {ref.id, made, *ours.known, *seen})
    # A note is beyond doubt, and the issuer may list what it made only later.
    noted = {ref.with_id(name) for name in ours.late - ours.replacements - {made}}
    certain = {each.id for each in (*marked_by(provider, ref, tried), *noted)} | discarded(tried) if new else set()
    mine = noted | {each for each in new if each.id in certain}
    return tuple(sorted(mine)), [each for each in new if each not in mine]


def _changed(world: World, work: Work, place: Place, ours: Ours) -> bool:
    """Tell whether consumers read something else there than what this run, or another of the ledger, delivered."""
    if any(each.verb is Verb.DEMOTE and each.state is not StepState.SKIPPED for each in work.steps):
        return False  # an undo gives back what stood there before
    promoted = work.facts_of(Verb.PROMOTE).get("promoted")
    expected = promoted.get(str(place)) if isinstance(promoted, dict) else None
    store = world.store(place)
    current = store.current(place.name)
    if expected is None or current == expected or (str(place), current) in ours.promoted:
        return False
    if current is None or isinstance(store, WriteOnly):
        return True
    try:
        found, _, _ = read_document(store.read(place.name, current), world.provider(work.run.ref).secret_field)
    except ValueError:
        return True
    return found not in ours.replacements
