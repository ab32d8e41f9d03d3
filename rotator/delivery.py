"""A new secret on its way: staged in every place and read back, promoted, or what was there before given back.

A place that nobody can read follows those that can be read: it is written from them once they are promoted, and the
facts say that nothing there was read back. Each returns plain facts for the step that did it. What a store raises is
marked as such.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from rotator.credential import CredentialRef, Issued, Secret, read_document
from rotator.errors import Rejected
from rotator.flow.playbook_words import Verb
from rotator.flow.run import Run, Step, Work
from rotator.flow.step import attempts_named
from rotator.ports.provider import Provider
from rotator.ports.store import Place, Store, WriteOnly
from rotator.world import World, elsewhere


def replacement_of(work: Work) -> CredentialRef:
    """Name the replacement. Raises Rejected when there is none yet."""
    if "replacement" not in work.minted:
        raise Rejected("no_replacement", "nothing was issued on this run")
    return work.run.ref.with_id(str(work.minted["replacement"]))


def attempt_token(step: Step) -> str:
    """Name what an attempt mints and stages.

    A mint that was revoked again may leave its copy behind, and a lost one may be made after its successor: so each
    attempt has a name of its own.
    """
    return f"{step.id}.{attempts_named(step)}" if step.verb is Verb.ISSUE else step.id


def attempt_tokens(step: Step) -> list[str]:
    """Return the names of every attempt, the last one first."""
    if step.verb is not Verb.ISSUE:
        return [step.id]
    return [f"{step.id}.{attempt}" for attempt in range(attempts_named(step), 0, -1)]


@elsewhere()
def stage(  # noqa: PLR0917 - what is kept, where, and by whom
    world: World, provider: Provider, run: Run, step: Step, issued: Issued, pulse: Callable[[], None]
) -> dict[str, object]:
    """Keep the new secret in every place where it is to be delivered, and read each back.

    `pulse` is called between two places: who lost the claim, or was stopped, goes no further.
    """
    document = issued.document(provider.secret_field)
    staged: dict[str, str] = {}
    previous: dict[str, str | None] = {}
    for place, blind in _unreadable(world, run):
        previous[str(place)] = blind.current(place.name)
    for place, store in _readable(world, run):
        if staged:
            pulse()
        previous[str(place)] = store.current(place.name)
        staged[str(place)] = store.stage(place.name, document, attempt_token(step))
        if store.read(place.name, staged[str(place)]) != document:
            raise Rejected("read_back", f"{place} answered something else than what was staged")
    if run.deliver and not staged:
        raise Rejected("no_readable_place", "a new secret is kept where it can be read back, and then written here")
    return {
        "replacement": issued.ref.id,
        "public": dict(issued.public),
        "staged": staged,
        "previous": previous,
    }


def find_staged(world: World, provider: Provider, run: Run, step: Step, pulse: Callable[[], None]) -> Iterator[Issued]:
    """Yield what this step staged anywhere before its answer was lost, the last attempt's first.

    `pulse` is called between two questions.
    """
    asked = False
    for token in attempt_tokens(step):
        for place, store in _readable(world, run):
            with elsewhere():
                if asked:
                    pulse()
                asked = True
                version = store.staged(place.name, token)
                document = None if version is None else store.read(place.name, version)
            if document is not None:
                try:
                    credential_id, secret, public = read_document(document, provider.secret_field)
                except ValueError as error:
                    raise Rejected("foreign_document", f"{place}: {error}") from None
                yield Issued(run.ref.with_id(credential_id), secret, public)
                break


@elsewhere()
def replacement_secret(world: World, provider: Provider, work: Work) -> tuple[CredentialRef, Secret]:
    """Read the new secret back from the first place that keeps it: it lives nowhere else."""
    replacement = replacement_of(work)
    versions = {**versions_of(work.minted, "staged"), **versions_of(work.facts_of(Verb.PROMOTE), "promoted")}
    for place, store in _readable(world, work.run):
        document = store.read(place.name, versions[str(place)])
        try:
            return replacement, read_document(document, provider.secret_field)[1]
        except ValueError as error:
            raise Rejected("foreign_document", f"{place}: {error}") from None
    raise Rejected("no_place", "nothing says where the replacement is kept")


def _readable(world: World, run: Run) -> Iterator[tuple[Place, Store]]:
    for place in run.deliver:
        store = world.store(place)
        if not isinstance(store, WriteOnly):
            yield place, store


def _unreadable(world: World, run: Run) -> Iterator[tuple[Place, WriteOnly]]:
    for place in run.deliver:
        store = world.store(place)
        if isinstance(store, WriteOnly):
            yield place, store


def versions_of(facts: Mapping[str, object], name: str) -> dict[str, str]:
    """Return the versions, by place, that a step noted under that name."""
    found = facts.get(name)
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, Mapping) else {}


def _previous(work: Work) -> dict[str, str | None]:
    found = work.minted.get("previous")
    if not isinstance(found, Mapping):
        return {}
    return {str(key): None if value is None else str(value) for key, value in found.items()}


@elsewhere()
def promote(world: World, work: Work, pulse: Callable[[], None]) -> dict[str, object]:
    """Let consumers read the new secret in every place, where nobody has changed it meanwhile.

    Places that nobody can read come last: `not_read_back` names them, each with when it says that it was written.
    `pulse` is called between two places: who lost the claim, or was stopped, goes no further.
    """
    staged, previous = versions_of(work.minted, "staged"), _previous(work)
    promoted: dict[str, str] = {}
    for place, store in _readable(world, work.run):
        if promoted:
            pulse()
        promoted[str(place)] = store.promote(place.name, staged[str(place)], previous[str(place)])
    written: dict[str, str] = {}
    for place, blind in _unreadable(world, work.run):
        pulse()
        source, store = next(_readable(world, work.run))
        document = store.read(source.name, promoted[str(source)])
        written[str(place)] = blind.write(place.name, document)
    return {"promoted": {**promoted, **written}, **({"not_read_back": written} if written else {})}


@elsewhere()
def demote(world: World, provider: Provider, work: Work, pulse: Callable[[], None]) -> dict[str, object]:
    """Give consumers back what they read before, and name it, so that they can be told which it is.

    `pulse` is called between two places.
    """
    promoted, previous = versions_of(work.facts_of(Verb.PROMOTE), "promoted"), _previous(work)
    staged = versions_of(work.minted, "staged")
    names: set[str | None] = set()
    for place, store in _readable(world, work.run):
        if str(place) not in staged:
            continue  # nothing was kept there, so nothing was promoted
        if names:
            pulse()
        before = previous[str(place)]
        names.add(None if before is None else _named(store.read(place.name, before), provider, work))
        version = promoted.get(str(place)) or _reached(store, place, staged[str(place)], before)
        if version is not None:
            store.demote(place.name, version, before)
    for place, blind in _unreadable(world, work.run):
        if staged and blind.current(place.name) != previous.get(str(place)):  # else it was never written
            pulse()
            _follow_back(world, work, place, blind)
    return {"given_back": names.pop() if len(names) == 1 else None}


def _follow_back(world: World, work: Work, place: Place, blind: WriteOnly) -> None:
    """Let a place that nobody can read have again what the first readable one holds again; else it is left as it is.

    Raises Rejected("cannot_be_given_back") where something stood there before, and nothing in the readable one.
    """
    previous = _previous(work)
    source, store = next(_readable(world, work.run))
    before, now = previous[str(source)], store.current(source.name)
    if previous.get(str(place)) is None:
        blind.erase(place.name)
    elif before is None:
        raise Rejected("cannot_be_given_back", f"{place} held what nobody could read: write it again by hand")
    elif now is not None and store.read(source.name, now) == store.read(source.name, before):
        blind.write(place.name, store.read(source.name, before))


def _reached(store: Store, place: Place, staged: str, before: str | None) -> str | None:
    """Return the current version if a promotion that never said so made it, or None: it is left as it is.

    A store may number anew what it promotes; what was staged is then known by its document, which holds a new secret.
    """
    current = store.current(place.name)
    if current is None or current == before:
        return None
    is_ours = current == staged or store.read(place.name, current) == store.read(place.name, staged)
    return current if is_ours else None


def _named(document: Secret, provider: Provider, work: Work) -> str | None:
    """Return which credential a document is of.

    None where it names none that is known of this owner: who wrote it may have put anything there, a secret even.
    """
    try:
        found = read_document(document, provider.secret_field)[0]
    except ValueError:
        return None
    before = work.minted.get("siblings_before")
    return found if found in {work.run.ref.id, *(before if isinstance(before, list) else ())} else None
