"""Mint the canaries of a drill, each written down before it is asked for, and take away whatever is left of them."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable, Iterable

from rotator import clock
from rotator.bootstrap import Rotator
from rotator.canary import Calls, Canary, ids_of, remove
from rotator.credential import CredentialRef, Issued
from rotator.errors import BadInput, Rejected, RotatorError, Unavailable, Uncertain
from rotator.flow.exercise import Exercise
from rotator.flow.playbook import Playbook
from rotator.flow.playbook_words import Verb, meant
from rotator.ledger import drills, stops
from rotator.ledger.drills import DrillRow, Minted
from rotator.ledger.routines import refuse_busy
from rotator.lost_issue import marked_by
from rotator.nothing_new import refuse_paused
from rotator.ports.abilities import Issuing, Preserving, Settable, Unknockable
from rotator.ports.provider import Answer, Provider, State

OPENS_S, AGAIN_S = 120.0, 1.0
"""How long a canary may take until it opens, and the seconds between two looks."""
Wait = Callable[[float], None]
"""Lets seconds pass."""


def refuse(parts: Rotator, exercise: Exercise) -> None:
    """Raise BadInput where a drill could not be held, or could touch what it did not mint."""
    where = f"drill {exercise.name}"
    playbook = _playbook(parts, exercise, where)
    refuse_stopped(parts, [exercise.connection])
    provider = parts.outside.provider_of(exercise.kind, exercise.connection)
    if not isinstance(provider, Issuing):
        what = f"no canary of {exercise.kind} can be minted: its issuer makes none"
        raise BadInput(what, where, "`rotator provider list` shows other kinds")
    _refuse_places(parts, exercise, where)
    path = playbook.path(exercise.strategy or playbook.strategies[0])
    cuts = any(line.do.verb is Verb.END_SESSIONS for line in path)
    for owner in dict.fromkeys(exercise.owners):
        ref = CredentialRef(exercise.kind, exercise.connection, owner, "")
        refuse_paused(parts, ref)
        with parts.database.read() as connection:
            refuse_busy(connection, [ref])
            ours = drills.of_owner(connection, ref)
        try:
            others = {each.id for each in provider.siblings(ref)} - ours if cuts else set()
        except RotatorError as error:
            raise BadInput(f"nobody can say what {owner} has: {error}", where, "see `rotator provider check`") from None
        if others:
            what = f"{owner} has {min(others)} too, and the answer ends every session of its owner"
            raise BadInput(what, where, "name an owner that has nothing else")


def refuse_stopped(parts: Rotator, names: Iterable[str]) -> None:
    """Raise BadInput where a person has stopped one of these connections: a drill asks nothing of it then."""
    with parts.database.read() as connection:
        for name in names:
            stops.refuse(connection, name)


def _playbook(parts: Rotator, exercise: Exercise, where: str) -> Playbook:
    """Return what answers the kind. Raises BadInput for one that is not there, or not on that connection."""
    playbook = parts.playbooks.get(exercise.kind)
    if playbook is None:
        raise BadInput(f"no kind is called {exercise.kind}", where, meant(exercise.kind, parts.playbooks))
    family, serving = parts.outside.family(exercise.kind), [each.name for each in parts.connections]
    known = {each.name: each for each in parts.connections}.get(exercise.connection)
    if known is None:
        raise BadInput(f"no connection is called {exercise.connection}", where, meant(exercise.connection, serving))
    if known.family != family or (known.kinds is not None and exercise.kind not in known.kinds):
        raise BadInput(
            f"{known.name} does not serve {exercise.kind}", where, f"name a connection of {family} that does"
        )
    if exercise.strategy is not None and exercise.strategy not in playbook.strategies:
        raise BadInput(f"{exercise.kind} has no {exercise.strategy}", where, f"one of {', '.join(playbook.strategies)}")
    return playbook


def _refuse_places(parts: Rotator, exercise: Exercise, where: str) -> None:
    """Raise BadInput for a place or a consumer that is anybody else's."""
    own = {str(each) for each in exercise.deliver}, {each.name for each in exercise.consumers}
    for each in parts.entries:
        there = {str(place) for place in each.custody.deliver}, {told.name for told in each.custody.consumers}
        if taken := [name for mine, theirs in zip(own, there, strict=True) for name in sorted(mine & theirs)]:
            what = f"{taken[0]} is the inventory's ({each.origin}): a drill would change what is used there"
            raise BadInput(what, where, "give it places and consumers of its own")
    parts.outside.check_places(exercise.deliver, where)


def mint(parts: Rotator, exercise: Exercise, row: DrillRow, number: int, wait: Wait) -> Issued:
    """Mint one, which is written down before it is asked for, and wait until it opens."""
    refuse_stopped(parts, [exercise.connection])
    provider = parts.outside.provider_of(exercise.kind, exercise.connection)
    owner = exercise.owners[number % len(exercise.owners)]
    like = CredentialRef(exercise.kind, exercise.connection, owner, exercise.like)
    refuse_paused(parts, like)
    preserved = _facts(provider, like) if exercise.like else {}
    before, marker = tuple(sorted(ids_of(provider, like, Calls(clock.now)))), f"drill-{secrets.token_hex(8)}"
    kept = Minted(parts.database, row.incident)
    canary = Canary(exercise.kind, exercise.connection, owner, marker, clock.now(), before)
    assert isinstance(provider, Issuing)  # noqa: S101 - else it was refused
    kept.intend(canary)
    try:
        issued = provider.issue(like, marker, preserved)
    except (Rejected, Unavailable) as error:
        kept.gone(marker)  # what was refused, or never sent, has made nothing
        if exercise.like or isinstance(error, Unavailable):
            raise
        mend = "most kinds are made like another credential of the owner: name one as `like`"
        raise BadInput(str(error), "", mend) from None
    kept.made(marker, issued.ref.id)
    if isinstance(provider, Settable):
        provider.set_secret(issued.ref, issued.secret, preserved)
    _opens(provider, issued, wait)
    return issued


def _facts(provider: Provider, like: CredentialRef) -> dict[str, str]:
    """Return what a replacement of this credential would be made by. Raises BadInput where it is not there."""
    status = provider.inspect(like)
    if status.state is State.ABSENT:
        raise BadInput(f"{like.owner} has no credential {like.id} to make one like", "like", "name one that it has")
    kept = provider.preserve(like) if isinstance(provider, Preserving) else {}
    return {**status.facts, **kept}


def _opens(provider: Provider, issued: Issued, wait: Wait) -> None:
    """Wait until its door knows it: a thief's copy opens that too, and a refusal before would prove nothing."""
    if isinstance(provider, Unknockable):
        return
    until = clock.now() + OPENS_S
    while True:
        with contextlib.suppress(Unavailable, Uncertain):  # then it is asked again
            if provider.verify(issued.ref, issued.secret).answer is Answer.ACCEPTED:
                return
        if clock.now() >= until:
            raise Rejected("never_opened", f"{issued.ref.id} did not open within {OPENS_S:.0f} s")
        wait(AGAIN_S)


def clear(parts: Rotator, row: DrillRow) -> list[str]:
    """Take away every canary of a drill, and what was made to replace them; return what was there of them.

    Raises one of the three errors where that cannot be done, or told, now: nothing is forgotten then.
    """
    with parts.database.read() as connection:
        minted = drills.canaries(connection, [row.incident])
        left = drills.canaries(connection, [row.incident], left=True)
        made = drills.replacements(connection, row.incident)
    kept, calls = Minted(parts.database, row.incident), Calls(clock.now)
    for ref in {*made, *_unnoted(parts, row)} - {each.ref for each in minted}:
        own = Canary(ref.provider, ref.connection, ref.owner, f"of {ref.id}", row.at, credential=ref.id)
        remove(parts.outside.provider(ref), own, kept, calls)
    for canary in left:
        remove(parts.outside.provider(canary.ref), canary, kept, calls)
    return sorted({*(each.id for each in made), *(each.credential for each in minted if each.credential)})


def _unnoted(parts: Rotator, row: DrillRow) -> list[CredentialRef]:
    """Return replacements whose answer was lost and that nobody has looked for yet: by the marks that they carry."""
    with parts.database.read() as connection:
        if not drills.is_declared(connection, row.incident):
            return []
    found: list[CredentialRef] = []
    for each in parts.reading.incident(row.incident).runs:
        provider = parts.outside.provider(each.run.ref)
        for step in each.steps:
            if step.verb is Verb.ISSUE and step.attempts:
                found += marked_by(provider, each.run.ref, step)
    return found
