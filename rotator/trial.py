"""Let a canary live and die: minted, seen to open, stopped, seen dead by its kind's own rules of proof, taken away."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from rotator.canary import Calls, Canary, Keeping, ids_of, remove
from rotator.credential import CredentialRef, Issued
from rotator.errors import Rejected, RotatorError, Unavailable, Uncertain
from rotator.flow.proof import Evidence, Proof, knocked, seen, stated, unheard
from rotator.ports.abilities import Choosing, Installable, Issuing, Preserving, Settable, Suspendable, Unknockable
from rotator.ports.provider import Answer, Provider, Status, Verdict

OPENS_S = 120.0
"""How long a new credential may take until it opens."""
DIES_S = 300.0
"""How long a stop may take until it is felt, beside the settle time."""
AGAIN_S = 5.0
"""Seconds between two looks."""


@dataclass(slots=True)
class Seen:
    """What was seen of a canary. Times in epoch seconds, None for what did not come. `lost`: others that are gone."""

    credential: str = ""
    evidence: Evidence = Evidence.NONE
    minted_at: float | None = None
    opened_at: float | None = None
    requested_at: float | None = None
    acknowledged_at: float | None = None
    dead_at: float | None = None
    proven_at: float | None = None
    removed_at: float | None = None
    lost: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Trial:
    """A provider to try. `wait` lets seconds pass. `seen` and `calls` gain what comes, also where it fails."""

    provider: Provider
    keeping: Keeping
    calls: Calls
    wait: Callable[[float], None]
    seen: Seen = field(default_factory=Seen)

    def live(self, like: CredentialRef, marker: str) -> None:
        """Let one live that is made like this credential of its owner, whose id may be empty; then take it away.

        Raises one of the three errors where it did not go as it must: what it left is taken away all the same.
        """
        provider = self.provider
        before = ids_of(provider, like, self.calls)
        canary = Canary(like.provider, like.connection, like.owner, marker, self.calls.clock(), tuple(sorted(before)))
        preserved: Mapping[str, str] = {}
        if like.id and isinstance(provider, Preserving):
            preserved = self.calls.ask("preserve", partial(provider.preserve, like))
        issued = None
        try:
            issued = self._made(like, canary, preserved)
            self._let_in(issued, preserved)
            proofs = self._opens(issued)
            self._stop(issued.ref)
            self._dies(issued, proofs)
        except BaseException as error:
            if issued is None and isinstance(error, Rejected | Unavailable):
                raise  # nothing was made: what is new there is somebody else's
            self._clear(canary if issued is None else replace(canary, credential=issued.ref.id))
            raise
        self._patiently(lambda: remove(provider, replace(canary, credential=issued.ref.id), self.keeping, self.calls))
        self._stays_dead(issued)
        self.seen.removed_at = self.calls.clock()
        self.seen.lost = tuple(sorted(before - ids_of(provider, like, self.calls)))
        if self.seen.lost:
            raise Rejected("others_gone", f"{', '.join(self.seen.lost)} of {like.owner} was there before")

    def _clear(self, canary: Canary) -> None:
        """Take away what a failed trial left; what cannot be told or reached now stays kept for the next run."""
        try:
            remove(self.provider, canary, self.keeping, self.calls)
        except RotatorError:
            return

    def _made(self, like: CredentialRef, canary: Canary, preserved: Mapping[str, str]) -> Issued:
        """Make it, kept before anything changes. What was refused, or never sent, has made nothing."""
        provider = self.provider
        if isinstance(provider, Choosing):
            issued = self.calls.ask("generate", partial(provider.generate, like))
            self.keeping.intend(replace(canary, credential=issued.ref.id))
        else:
            assert isinstance(provider, Issuing)  # noqa: S101 - whoever begins a trial has looked
            self.keeping.intend(canary)
            try:
                issued = self.calls.ask("issue", partial(provider.issue, like, canary.marker, preserved))
            except (Rejected, Unavailable):
                self.keeping.gone(canary.marker)
                raise
            self.keeping.made(canary.marker, issued.ref.id)
        self.seen.credential = issued.ref.id
        return issued

    def _let_in(self, issued: Issued, preserved: Mapping[str, str]) -> None:
        """Have its issuer and its targets accept it, where they must be told."""
        provider = self.provider
        if isinstance(provider, Settable):
            self.calls.ask("set_secret", partial(provider.set_secret, issued.ref, issued.secret, preserved))
        if isinstance(provider, Installable):
            for target in self._doors(issued.ref):
                install = partial(provider.install, target, issued.ref, issued.public, preserved)
                self.calls.ask("install", install, target)
        self.seen.minted_at = self.calls.clock()

    def _opens(self, issued: Issued) -> list[Proof]:
        """Look until its issuer knows it and every door lets it in; return what is known of each door."""
        proofs = [Proof(door) for door in self._doors(issued.ref)]
        until = self.calls.clock() + OPENS_S
        while True:
            proofs = [self._seen_open(proof, issued) for proof in proofs]
            shut = [proof.target or "its issuer" for proof in proofs if not self._is_open(proof)]
            if not shut:
                self.seen.opened_at = self.calls.clock()
                return proofs
            if self.calls.clock() >= until:
                raise Rejected("never_opened", f"{', '.join(shut)} did not know it within {OPENS_S:.0f} s")
            self.wait(AGAIN_S)

    def _is_open(self, proof: Proof) -> bool:
        known = proof.known_at is not None
        return known and (isinstance(self.provider, Unknockable) or proof.accepted_at is not None)

    def _seen_open(self, proof: Proof, issued: Issued) -> Proof:
        if self._is_open(proof):
            return proof
        try:
            status = self._status(issued.ref, proof.target)
            proof = seen(proof, status.state, self.calls.clock())
            if isinstance(self.provider, Unknockable):
                return proof
            verdict = self._knock(issued, proof.target)
        except (Unavailable, Uncertain):
            return proof
        # A door may not know of it yet: what it refuses till then proves nothing.
        is_in = verdict.answer is Answer.ACCEPTED
        return knocked(proof, verdict, self.provider.settle_s, self.calls.clock()) if is_in else proof

    def _stop(self, ref: CredentialRef) -> None:
        """Stop it as its kind is stopped first: reversibly where that can be, at each target where it has some."""
        provider = self.provider
        self.seen.requested_at = self.calls.clock()
        if isinstance(provider, Suspendable):
            self._patiently(lambda: self.calls.ask("suspend", partial(provider.suspend, ref)))
        elif isinstance(provider, Installable):
            for target in self._doors(ref):
                uninstall = partial(provider.uninstall, target, ref)
                self._patiently(partial(self.calls.ask, "uninstall", uninstall, target))
        else:
            self._patiently(lambda: self.calls.ask("revoke", partial(provider.revoke, ref)))
        self.seen.acknowledged_at = self.calls.clock()

    def _dies(self, issued: Issued, proofs: list[Proof]) -> None:
        """Look until the refusal of every door has held for the settle time, as `flow/proof.py` has it."""
        provider = self.provider
        self.wait(provider.propagation_s)
        until = self.calls.clock() + DIES_S + provider.settle_s
        while True:
            proofs = [self._seen_dead(proof, issued) for proof in proofs]
            alive = [proof for proof in proofs if proof.dead_at is None]
            now = self.calls.clock()
            if not alive:
                weakest = all(proof.evidence is Evidence.PROVEN for proof in proofs)
                self.seen.evidence = Evidence.PROVEN if weakest else Evidence.STATED
                self.seen.dead_at = max(proof.dead_at for proof in proofs if proof.dead_at is not None)
                self.seen.proven_at = now
                return
            if now >= until:
                doors = ", ".join(proof.target or "its issuer" for proof in alive)
                raise Rejected("not_proven_dead", f"{doors} did not refuse it for {provider.settle_s:.0f} s on end")
            since = [each for proof in alive for each in (proof.refused_since, proof.stated_since) if each is not None]
            holds_at = min((each + provider.settle_s for each in since), default=now + AGAIN_S)
            self.wait(min(AGAIN_S, max(0.1, holds_at - now)))

    def _seen_dead(self, proof: Proof, issued: Issued) -> Proof:
        settle_s, clock = self.provider.settle_s, self.calls.clock
        if proof.dead_at is not None:
            return proof
        try:
            if isinstance(self.provider, Unknockable):
                return stated(proof, self._status(issued.ref, proof.target).state, settle_s, clock())
            verdict = self._knock(issued, proof.target)
            proof = knocked(proof, verdict, settle_s, clock())
            if verdict.answer is Answer.INCONCLUSIVE:  # a kind whose refusal proves nothing: its issuer's word does
                return stated(proof, self._status(issued.ref, proof.target).state, settle_s, clock())
        except (Unavailable, Uncertain):
            return unheard(proof)
        return proof

    def _stays_dead(self, issued: Issued) -> None:
        """Knock once more now that it is destroyed: what was only suspended could have come back."""
        if isinstance(self.provider, Unknockable):
            return
        for door in self._doors(issued.ref):
            if self._knock(issued, door).answer is Answer.ACCEPTED:
                raise Rejected("alive_again", f"{issued.ref.id} was let in after it was destroyed")

    def _doors(self, ref: CredentialRef) -> tuple[str, ...]:
        return self.provider.targets(ref) if isinstance(self.provider, Installable) else ("",)

    def _status(self, ref: CredentialRef, door: str) -> Status:
        if door and isinstance(self.provider, Installable):
            return self.calls.ask("inspect", partial(self.provider.inspect_at, door, ref), door)
        return self.calls.ask("inspect", partial(self.provider.inspect, ref))

    def _knock(self, issued: Issued, door: str) -> Verdict:
        if door and isinstance(self.provider, Installable):
            return self.calls.ask("verify", partial(self.provider.verify_at, door, issued.ref, issued.secret), door)
        return self.calls.ask("verify", partial(self.provider.verify, issued.ref, issued.secret))

    def _patiently(self, act: Callable[[], object]) -> None:
        """Do what is safe to repeat until it is done, for a while."""
        until = self.calls.clock() + DIES_S
        while True:
            try:
                act()
            except (Unavailable, Uncertain) as error:
                if self.calls.clock() >= until or error.reason == "canary_unclear":
                    raise
                asked = error.retry_after if isinstance(error, Unavailable) else None
                self.wait(max(AGAIN_S, asked or 0.0))
            else:
                return
