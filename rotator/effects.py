"""What each verb asks of the world: one exchange (for a minted kind: mint, stage, read back) and what it answered.

Nothing here decides or records; `engine.py` does, with the flow's decisions and the ledger.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from rotator import convergence
from rotator.credential import CredentialRef, Secret
from rotator.delivery import attempt_token, demote, find_staged, promote, replacement_of, replacement_secret, stage
from rotator.errors import BadInput, Rejected, RotatorError, Unavailable, Uncertain
from rotator.flow.playbook_words import Subject, Verb
from rotator.flow.run import Step, Work
from rotator.ports.abilities import (
    Choosing,
    Installable,
    Issuing,
    Preserving,
    Restorable,
    SessionEnding,
    Settable,
    Suspendable,
    Unknockable,
)
from rotator.ports.provider import Provider, State, Status, Verdict
from rotator.world import World


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came back: plain facts, and the one answer that the verb is about."""

    facts: Mapping[str, object] = field(default_factory=dict)
    verdict: Verdict | None = None
    status: Status | None = None
    using: Mapping[str, str | None] | None = None


def perform(  # noqa: C901, PLR0912
    world: World, work: Work, step: Step, material: Secret | None, pulse: Callable[..., None] = lambda: None
) -> Outcome:
    """Do what the step says. `material` is the exposed secret, needed by `verify exposed` alone.

    `pulse` is called between the calls of a step that makes many, each of which may take its whole deadline; with what
    was minted, once something was.
    """
    provider, ref = world.provider(work.run.ref), work.run.ref
    match step.verb, step.subject:
        case Verb.PRESERVE, _:
            return _preserve(provider, ref, step.target)
        case Verb.VERIFY, Subject.EXPOSED:
            return _verify_exposed(provider, ref, step.target, material)
        case Verb.WATCH, _:
            return Outcome(facts=provider.inspect(ref).facts)
        case Verb.VERIFY, Subject.REPLACEMENT:
            replacement, secret = replacement_secret(world, provider, work)
            return Outcome(verdict=_knock(provider, replacement, secret, step.target))
        case Verb.VERIFY, _:
            return Outcome(using=convergence.ask(world, work, pulse))
        case Verb.RELOAD, _:
            return Outcome(facts={"told": convergence.tell(world, work, pulse)})
        case Verb.SUSPEND, _ if step.target and isinstance(provider, Installable):
            provider.uninstall(step.target, ref)
        case Verb.RESUME, _ if step.target and isinstance(provider, Installable):
            provider.install(step.target, ref, {}, work.preserved(step.target))
        case Verb.SUSPEND, _ if isinstance(provider, Suspendable | Restorable):
            provider.suspend(ref)
        case Verb.RESUME, _ if isinstance(provider, Suspendable):
            provider.resume(ref)
        case Verb.RESUME, _ if isinstance(provider, Restorable):
            provider.restore(ref, work.preserved())
        case Verb.END_SESSIONS, _ if step.target and isinstance(provider, Installable):
            return Outcome(facts=dict(provider.end_sessions_at(step.target, ref)))
        case Verb.END_SESSIONS, _ if isinstance(provider, SessionEnding):
            return Outcome(facts=dict(provider.end_sessions(ref)))
        case Verb.ISSUE, _ if isinstance(provider, Issuing):
            return _issue(world, provider, work, step, pulse)
        case Verb.GENERATE, _ if isinstance(provider, Choosing):
            return _generate(world, provider, work, step, pulse)
        case Verb.INSTALL, _ if not step.target and isinstance(provider, Settable):
            replacement, secret = replacement_secret(world, provider, work)
            provider.set_secret(replacement, secret, work.preserved())
        case Verb.UNINSTALL, Subject.REPLACEMENT if not step.target:
            provider.revoke(replacement_of(work))
        case Verb.INSTALL, _ if isinstance(provider, Installable):
            public = _public(work)
            provider.install(step.target, replacement_of(work), public, work.preserved(step.target))
        case Verb.UNINSTALL, _ if isinstance(provider, Installable):
            provider.uninstall(step.target, _subject(work, step))
        case Verb.REVOKE, _:
            provider.revoke(_subject(work, step))
        case Verb.PROMOTE, _:
            return Outcome(facts=promote(world, work, pulse))
        case Verb.DEMOTE, _:
            return Outcome(facts=demote(world, provider, work, pulse))
        case _:
            raise Rejected("unsupported", f"{ref.provider} cannot {step.do}")
    return Outcome()


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
    if material is not None and not isinstance(provider, Unknockable):
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


def _issue(world: World, provider: Provider, work: Work, step: Step, pulse: Callable[[str], None]) -> Outcome:
    """Mint, then stage everywhere before anything else can go wrong. Raises Unstaged for what must be revoked again."""
    assert isinstance(provider, Issuing)  # noqa: S101 - the caller matched it; mypy does not carry it over
    for place in work.run.deliver:
        world.store(place)  # a place that cannot be used is told before anything is minted
    issued = provider.issue(work.run.ref, marker=attempt_token(step), preserved=work.preserved())
    try:
        return Outcome(facts=stage(world, provider, work.run, step, issued, lambda: pulse(issued.ref.id)))
    except RotatorError as error:
        raise Unstaged(issued.ref, error) from None


def _generate(world: World, provider: Provider, work: Work, step: Step, pulse: Callable[[], None]) -> Outcome:
    """Choose the material, unless an earlier attempt's is already in the store: then roll forward with that."""
    assert isinstance(provider, Choosing)  # noqa: S101 - the caller matched it; mypy does not carry it over
    kept = next(find_staged(world, provider, work.run, step, pulse), None)
    return Outcome(facts=stage(world, provider, work.run, step, kept or provider.generate(work.run.ref), pulse))
