"""Proof of death: what a series of knocks on one door says about one credential.

A refusal proves death only when it is paired (the same material was accepted before) and when it holds, unbroken, for
the issuer's settle time. A refusal that names an id which the issuer knew is its word about the id: stated, since the
report's secret may have been cut short, or another's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from rotator.ports.provider import Answer, State, Verdict


class Evidence(StrEnum):
    """How sure it is that an exposed credential is dead."""

    PROVEN = "proven"
    STATED = "stated"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Proof:
    """What is known of one credential at one door (`target`, empty for the issuer itself). Times in epoch seconds.

    `known_at`: the issuer named this id before any effect. `accepted_at`: it accepted this very material.
    `mismatch`: it said that the material is not the id's. `refused_since`: the first refusal of the unbroken series;
    `stated_since`: the first time the issuer said that it is no longer active.
    `dead_at` is `refused_since` (or the issuer's word) once the series has held. `contained_at` is set with it, and
    also when the id is refused but the report's secret was never its own: nobody gets in, and nothing is proven.
    """

    target: str = ""
    known_at: float | None = None
    accepted_at: float | None = None
    mismatch: bool = False
    refused_since: float | None = None
    stated_since: float | None = None
    dead_at: float | None = None
    contained_at: float | None = None
    evidence: Evidence = Evidence.NONE

    @property
    def settling(self) -> bool:
        """Tell whether a series has begun, by knocks or by the issuer's word."""
        return self.refused_since is not None or self.stated_since is not None

    @property
    def series_may_break(self) -> bool:
        """Tell whether the series of knocks has yet to hold, if the issuer's word has or not.

        Where the material was accepted before, a series that has held is a death that is proven.
        """
        return self.contained_at is None or (self.accepted_at is not None and self.evidence is not Evidence.PROVEN)

    def shuts(self, verdict: Verdict) -> bool:
        """Tell whether a refusal is about the id itself, whatever the material."""
        return self.accepted_at is not None or (verdict.names_id and self.known_at is not None)


def seen(proof: Proof, state: State, now: float) -> Proof:
    """Note that the issuer was asked before any effect, and whether it knows the id."""
    if state is State.ABSENT:
        return proof
    return replace(proof, known_at=proof.known_at or now)


def knocked(proof: Proof, verdict: Verdict, settle_s: float, now: float) -> Proof:
    """Add one knock. An acceptance clears whatever was proven; an inconclusive answer breaks an unsettled series."""
    if verdict.answer is Answer.ACCEPTED:
        return replace(revived(proof), accepted_at=now, mismatch=False)
    if verdict.answer is Answer.INCONCLUSIVE:
        return replace(
            proof,
            mismatch=proof.mismatch or (verdict.mismatch and proof.accepted_at is None),
            refused_since=None if proof.series_may_break else proof.refused_since,
        )
    if not proof.shuts(verdict):
        return proof if proof.contained_at is not None else replace(proof, refused_since=None)
    since = proof.refused_since if proof.refused_since is not None else now
    if now - since < settle_s:
        return replace(proof, refused_since=since)
    closed = replace(proof, refused_since=since, contained_at=since)
    if proof.accepted_at is not None:
        return replace(closed, dead_at=since, evidence=Evidence.PROVEN)
    # The issuer refuses the id, and nobody ever saw the report's secret open it: the issuer's word, no more.
    return closed if proof.mismatch else replace(closed, dead_at=since, evidence=Evidence.STATED)


def unheard(proof: Proof) -> Proof:
    """Note that a knock went out whose answer nobody heard: it may have been let in, so an unsettled series breaks."""
    if proof.contained_at is None:
        return replace(proof, refused_since=None, stated_since=None)
    return replace(proof, refused_since=None) if proof.series_may_break else proof


def stated(proof: Proof, state: State, settle_s: float, now: float) -> Proof:
    """Add the issuer's word, where there is no material to knock with; as a refusal, it must hold for the settle time.

    It never lowers what was proven, unless it calls the credential alive: then somebody resumed it. It says nothing of
    a report's secret that was never the id's.
    """
    if state is State.ACTIVE:
        return revived(proof)
    if proof.evidence is Evidence.PROVEN or proof.known_at is None:
        return proof
    since = proof.stated_since if proof.stated_since is not None else now
    if now - since < settle_s:
        return replace(proof, stated_since=since)
    contained = replace(proof, stated_since=since, contained_at=since)
    return contained if proof.mismatch else replace(contained, dead_at=since, evidence=Evidence.STATED)


def testified(proof: Proof, now: float) -> Proof:
    """Add the word of a person who was asked to see it refused, where no machine can: a death that is stated.

    It never lowers what was proven, and says nothing of a report's secret that was never the id's.
    """
    if proof.evidence is Evidence.PROVEN:
        return proof
    contained = replace(proof, stated_since=now, contained_at=now)
    return contained if proof.mismatch else replace(contained, dead_at=now, evidence=Evidence.STATED)


def mispaired(proof: Proof, verdict: Verdict) -> Proof:
    """Note that the material was refused while the id lived: it is another's, or was cut short."""
    return proof if proof.shuts(verdict) else replace(proof, mismatch=True)


def shut(proof: Proof, state: State, settle_s: float, now: float) -> Proof:
    """Add the issuer's word about the id after a refusal that proves nothing, since its material was never accepted.

    Once it has held, nobody gets in under that id. That is its death as the issuer states it, unless the material was
    refused while the id lived: then it stays open whose that is.
    """
    return stated(proof, state, settle_s, now)


def revived(proof: Proof) -> Proof:
    """Forget the death: somebody resumed the credential, or undid a step."""
    return replace(
        proof, refused_since=None, stated_since=None, dead_at=None, contained_at=None, evidence=Evidence.NONE
    )
