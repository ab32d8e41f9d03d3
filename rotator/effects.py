"""What each verb asks of the world: one exchange (for a minted kind: mint, stage, read back) and what it answered.

Nothing here decides or records; `engine.py` does, with the flow's decisions and the ledger.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from rotator.credential import CredentialRef, Issued, Secret, read_document
from rotator.errors import BadInput, Rejected, RotatorError, Unavailable, Uncertain
from rotator.flow.playbook import Subject, Verb
from rotator.flow.run import Run, Step, Work
from rotator.flow.scope import ConsumerAddress
from rotator.ports import (
    Choosing,
    Consumer,
    Installable,
    Issuing,
    Notice,
    Place,
    Preserving,
    Provider,
    SessionEnding,
    State,
    Status,
    Store,
    Suspendable,
    Verdict,
)


class World(Protocol):
    """Where the engine finds the other sides: made once, thread-safe."""

    def provider(self, ref: CredentialRef) -> Provider: ...
    def store(self, place: Place) -> Store: ...
    def consumer(self, address: ConsumerAddress) -> Consumer: ...


@contextlib.contextmanager
def elsewhere() -> Iterator[None]:
    """Mark what a store or a consumer raises: it says nothing of the credential's own account."""
    try:
        yield
    except RotatorError as error:
        error.elsewhere = True
        raise


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came back: plain facts, and the one answer that the verb is about."""

    facts: Mapping[str, object] = field(default_factory=dict)
    verdict: Verdict | None = None
    status: Status | None = None
    using: Mapping[str, str | None] | None = None


def perform(  # noqa: C901, PLR0912
    world: World, work: Work, step: Step, material: Secret | None, pulse: Callable[[], None] = lambda: None
) -> Outcome:
    """Do what the step says. `material` is the exposed secret, needed by `verify exposed` alone.

    `pulse` is called between the calls of a step that makes many, each of which may take its whole deadline.
    """
    provider, ref = world.provider(work.run.ref), work.run.ref
    match step.verb, step.subject:
        case Verb.PRESERVE, _:
            return _preserve(provider, ref, step.target)
        case Verb.VERIFY, Subject.EXPOSED:
            return _verify_exposed(provider, ref, step.target, material)
        case Verb.VERIFY, Subject.REPLACEMENT:
            replacement, secret = _replacement_secret(world, provider, work)
            return Outcome(verdict=_knock(provider, replacement, secret, step.target))
        case Verb.VERIFY, _:
            return _ask_consumers(world, work, pulse)
        case Verb.RELOAD, _:
            return _tell_consumers(world, work, pulse)
        case Verb.SUSPEND, _ if isinstance(provider, Suspendable):
            provider.suspend(ref)
        case Verb.RESUME, _ if isinstance(provider, Suspendable):
            provider.resume(ref)
        case Verb.END_SESSIONS, _ if step.target and isinstance(provider, Installable):
            return Outcome(facts=dict(provider.end_sessions_at(step.target, ref)))
        case Verb.END_SESSIONS, _ if isinstance(provider, SessionEnding):
            return Outcome(facts=dict(provider.end_sessions(ref)))
        case Verb.ISSUE, _ if isinstance(provider, Issuing):
            return _issue(world, provider, work, step)
        case Verb.GENERATE, _ if isinstance(provider, Choosing):
            return _generate(world, provider, work, step)
        case Verb.INSTALL, _ if isinstance(provider, Installable):
            public = _public(work)
            provider.install(step.target, replacement_of(work), public, work.preserved(step.target))
        case Verb.UNINSTALL, _ if isinstance(provider, Installable):
            provider.uninstall(step.target, _subject(work, step))
        case Verb.REVOKE, _:
            provider.revoke(_subject(work, step))
        case Verb.PROMOTE, _:
            return _promote(world, work)
        case Verb.DEMOTE, _:
            return _demote(world, provider, work)
        case _:
            raise Rejected("unsupported", f"{ref.provider} cannot {step.do}")
    return Outcome()


def replacement_of(work: Work) -> CredentialRef:
    """Name the replacement. Raises Rejected when there is none yet."""
    if "replacement" not in work.minted:
        raise Rejected("no_replacement", "nothing was issued on this run")
    return work.run.ref.with_id(str(work.minted["replacement"]))


def _subject(work: Work, step: Step) -> CredentialRef:
    return work.run.ref if step.subject is Subject.EXPOSED else replacement_of(work)


def _public(work: Work) -> dict[str, str]:
    public = work.minted.get("public")
    return {str(key): str(value) for key, value in public.items()} if isinstance(public, Mapping) else {}


def _preserve(provider: Provider, ref: CredentialRef, target: str) -> Outcome:
    if target and isinstance(provider, Installable):
        status = provider.inspect_at(target, ref)
        return Outcome(facts={**status.facts, "issuer_says": status.state.value}, status=status)
    status = provider.inspect(ref)
    facts: dict[str, object] = {**status.facts, "issuer_says": status.state.value}
    if status.state is not State.ABSENT and isinstance(provider, Preserving):
        facts |= provider.preserve(ref)
    return Outcome(facts=facts, status=status)


def _verify_exposed(provider: Provider, ref: CredentialRef, target: str, material: Secret | None) -> Outcome:
    if material is not None:
        return Outcome(verdict=_knock(provider, ref, material, target))
    if target and isinstance(provider, Installable):
        return Outcome(status=provider.inspect_at(target, ref))
    return Outcome(status=provider.inspect(ref))


def _knock(provider: Provider, ref: CredentialRef, secret: Secret, target: str) -> Verdict:
    if target and isinstance(provider, Installable):
        return provider.verify_at(target, ref, secret)
    return provider.verify(ref, secret)


class Unstaged(Uncertain):
    """A credential was minted and its secret could not be kept everywhere: nobody can ever use it, so it must go."""

    def __init__(self, ref: CredentialRef, failure: RotatorError) -> None:
        super().__init__("unstaged", f"{ref.id} could not be staged ({failure.reason})")
        self.ref, self._failure = ref, failure

    @property
    def once_revoked(self) -> RotatorError:
        """Return what became of the mint once its credential is gone again."""
        kind = Rejected if isinstance(self._failure, Rejected | BadInput) else Unavailable
        return kind("store_failed", f"{self._failure.reason}; the new {self.ref.id} was revoked again")


def _issue(world: World, provider: Provider, work: Work, step: Step) -> Outcome:
    """Mint, then stage everywhere before anything else can go wrong. Raises Unstaged for what must be revoked again."""
    assert isinstance(provider, Issuing)  # noqa: S101 - the caller matched it; mypy does not carry it over
    for place in work.run.deliver:
        world.store(place)  # a place that cannot be used is told before anything is minted
    issued = provider.issue(work.run.ref, marker=attempt_token(step), preserved=work.preserved())
    try:
        return stage(world, provider, work.run, step, issued)
    except RotatorError as error:
        raise Unstaged(issued.ref, error) from None


def _generate(world: World, provider: Provider, work: Work, step: Step) -> Outcome:
    """Choose the material, unless an earlier attempt's is already in the store: then roll forward with that."""
    assert isinstance(provider, Choosing)  # noqa: S101 - the caller matched it; mypy does not carry it over
    kept = next(find_staged(world, provider, work.run, step), None)
    return stage(world, provider, work.run, step, kept or provider.generate(work.run.ref))


@elsewhere()
def stage(world: World, provider: Provider, run: Run, step: Step, issued: Issued) -> Outcome:
    """Keep the new secret in every place where it is to be delivered, and read each back."""
    document = issued.document(provider.secret_field)
    staged: dict[str, str] = {}
    previous: dict[str, str | None] = {}
    for place in run.deliver:
        store = world.store(place)
        previous[str(place)] = store.current(place.name)
        staged[str(place)] = store.stage(place.name, document, attempt_token(step))
        if store.read(place.name, staged[str(place)]) != document:
            raise Rejected("read_back", f"{place} answered something else than what was staged")
    return Outcome(
        facts={
            "replacement": issued.ref.id,
            "public": dict(issued.public),
            "staged": staged,
            "previous": previous,
        }
    )


def find_staged(world: World, provider: Provider, run: Run, step: Step) -> Iterator[Issued]:
    """Yield what this step staged anywhere before its answer was lost, the last attempt's first."""
    for token in attempt_tokens(step):
        for place in run.deliver:
            store = world.store(place)
            with elsewhere():
                version = store.staged(place.name, token)
                document = None if version is None else store.read(place.name, version)
            if document is not None:
                try:
                    credential_id, secret, public = read_document(document, provider.secret_field)
                except ValueError as error:
                    raise Rejected("foreign_document", f"{place}: {error}") from None
                yield Issued(run.ref.with_id(credential_id), secret, public)
                break


def attempt_token(step: Step) -> str:
    """Name what an attempt mints and stages.

    A mint that was revoked again may leave its copy behind, and a lost one may be made after its successor: so each
    attempt has a name of its own.
    """
    return f"{step.id}.{step.attempts}" if step.verb is Verb.ISSUE else step.id


def attempt_tokens(step: Step) -> list[str]:
    """Return the names of every attempt, the last one first."""
    if step.verb is not Verb.ISSUE:
        return [step.id]
    return [f"{step.id}.{attempt}" for attempt in range(step.attempts, 0, -1)]


@elsewhere()
def _replacement_secret(world: World, provider: Provider, work: Work) -> tuple[CredentialRef, Secret]:
    """Read the new secret back from the first place that keeps it: it lives nowhere else."""
    replacement = replacement_of(work)
    versions = {**_versions(work.minted, "staged"), **_versions(work.facts_of(Verb.PROMOTE), "promoted")}
    for place in work.run.deliver:
        document = world.store(place).read(place.name, versions[str(place)])
        try:
            return replacement, read_document(document, provider.secret_field)[1]
        except ValueError as error:
            raise Rejected("foreign_document", f"{place}: {error}") from None
    raise Rejected("no_place", "nothing says where the replacement is kept")


def _versions(facts: Mapping[str, object], name: str) -> dict[str, str]:
    found = facts.get(name)
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, Mapping) else {}


def _previous(work: Work) -> dict[str, str | None]:
    found = work.minted.get("previous")
    if not isinstance(found, Mapping):
        return {}
    return {str(key): None if value is None else str(value) for key, value in found.items()}


@elsewhere()
def _promote(world: World, work: Work) -> Outcome:
    staged, previous = _versions(work.minted, "staged"), _previous(work)
    promoted = {
        str(place): world.store(place).promote(place.name, staged[str(place)], previous[str(place)])
        for place in work.run.deliver
    }
    return Outcome(facts={"promoted": promoted})


@elsewhere()
def _demote(world: World, provider: Provider, work: Work) -> Outcome:
    """Give consumers back what they read before, and name it, so that they can be told which it is."""
    promoted, previous = _versions(work.facts_of(Verb.PROMOTE), "promoted"), _previous(work)
    staged = _versions(work.minted, "staged")
    names = set()
    for place in work.run.deliver:
        if str(place) not in staged:
            continue  # nothing was kept there, so nothing was promoted
        store, before = world.store(place), previous[str(place)]
        names.add(None if before is None else _named(store.read(place.name, before), provider, work))
        version = promoted.get(str(place)) or _reached(store, place, staged[str(place)], before)
        if version is not None:
            store.demote(place.name, version, before)
    return Outcome(facts={"given_back": names.pop() if len(names) == 1 else None})


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


def in_use(work: Work) -> CredentialRef | None:
    """Name what consumers should hold now: the replacement, or what they held before where that was taken back.

    None where that has no name. Raises Rejected when nothing was issued.
    """
    demoted = work.facts_of(Verb.DEMOTE)
    if "given_back" not in demoted:
        return replacement_of(work)
    return None if demoted["given_back"] is None else work.run.ref.with_id(str(demoted["given_back"]))


def _notice(work: Work) -> Notice:
    # What has no name is most likely the exposed one again: a consumer is told of the change in any case.
    return Notice(work.run.incident, work.run.ref, in_use(work) or work.run.ref, work.run.deliver)


def _consumers(work: Work) -> Iterator[tuple[str, ConsumerAddress]]:
    """Yield each consumer with a name of its own: two that differ in what is not shown answer for themselves."""
    named: Counter[str] = Counter()
    for address in work.run.consumers:
        named[address.name] += 1
        yield f"{address.name} ({named[address.name]})" if named[address.name] > 1 else address.name, address


@elsewhere()
def _tell_consumers(world: World, work: Work, pulse: Callable[[], None]) -> Outcome:
    """Tell every consumer, also when one fails; then raise for the failed ones, so that they are told again."""
    said: dict[str, str] = {}
    failed: list[RotatorError] = []
    for name, address in _consumers(work):
        if said or failed:
            pulse()
        try:
            said[name] = world.consumer(address).reload(_notice(work)).said
        except RotatorError as error:
            failed.append(error)
    if failed:
        worst = next((error for error in failed if isinstance(error, Rejected)), failed[0])
        # Telling again does no harm, so a lost answer is as good as none.
        kind = Rejected if isinstance(worst, Rejected) else Unavailable
        raise kind(worst.reason, f"{len(failed)} of {len(work.run.consumers)} consumers: {worst.detail}")
    return Outcome(facts={"told": said})


@elsewhere()
def _ask_consumers(world: World, work: Work, pulse: Callable[[], None]) -> Outcome:
    using: dict[str, str | None] = {}
    for name, address in _consumers(work):
        if using:
            pulse()
        using[name] = world.consumer(address).holding(_notice(work)).using
    return Outcome(using=using)
