"""Proof of death: what a series of knocks on one door says about one credential.

A refusal proves death only when it is paired (the same material was accepted before, or the refusal names an id that
the issuer knew) and when it holds, unbroken, for the issuer's settle time. Everything else is at best stated.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from rotator.ports import Answer, State, Verdict


class Evidence(StrEnum):
    """How sure it is that an exposed credential is dead."""

    PROVEN = "proven"
    STATED = "stated"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Proof:
    """What is known of one credential at one door (`target`, empty for the issuer itself). Times in epoch seconds.

    `known_at`: the issuer named this id before any effect; `live_at`: as an active one, so that a knock could have told
    whether the material is the id's. `accepted_at`: it accepted this very material.
    `mismatch`: it said that the material is not the id's. `refused_since`: the first refusal of the unbroken series.
    `dead_at` is `refused_since` (or the issuer's word) once the series has held. `contained_at` is set with it, and
    also when the id is refused but the report's secret was never its own: nobody gets in, and nothing is proven.
    """

    target: str = ""
    known_at: float | None = None
    live_at: float | None = None
    accepted_at: float | None = None
    mismatch: bool = False
    refused_since: float | None = None
    dead_at: float | None = None
    contained_at: float | None = None
    evidence: Evidence = Evidence.NONE

    def paired(self, verdict: Verdict) -> bool:
        """Tell whether a refusal says anything about this very material."""
        return self.accepted_at is not None or (verdict.names_id and self.live_at is not None and not self.mismatch)

    def shuts(self, verdict: Verdict) -> bool:
        """Tell whether a refusal is about the id itself, whatever the material."""
        return self.accepted_at is not None or (verdict.names_id and self.known_at is not None)


def seen(proof: Proof, state: State, now: float) -> Proof:
    """Note that the issuer was asked before any effect, and whether it knows the id."""
    if state is State.ABSENT:
        return proof
    live_at = now if state is State.ACTIVE else None
    return replace(proof, known_at=proof.known_at or now, live_at=proof.live_at or live_at)


def knocked(proof: Proof, verdict: Verdict, settle_s: float, now: float) -> Proof:
    """Add one knock. An acceptance clears whatever was proven; an inconclusive answer breaks an unsettled series."""
    if verdict.answer is Answer.ACCEPTED:
        return replace(revived(proof), accepted_at=now, mismatch=False)
    if verdict.answer is Answer.INCONCLUSIVE:
        unsettled = proof.contained_at is None
        return replace(
            proof,
            mismatch=proof.mismatch or (verdict.mismatch and proof.accepted_at is None),
            refused_since=None if unsettled else proof.refused_since,
        )
    if not proof.shuts(verdict):
        return proof
    since = proof.refused_since if proof.refused_since is not None else now
    if now - since < settle_s:
        return replace(proof, refused_since=since)
    shut = replace(proof, refused_since=since, contained_at=since)
    if proof.paired(verdict):
        return replace(shut, dead_at=since, evidence=Evidence.PROVEN)
    # It was inactive before we came, so nobody can tell whether the report's secret is its own: the issuer's word only.
    return shut if proof.mismatch else replace(shut, dead_at=since, evidence=Evidence.STATED)


def stated(proof: Proof, state: State, now: float) -> Proof:
    """Add the issuer's word, where there is no material to knock with.

    It never lowers what was proven, unless it calls the credential alive: then somebody resumed it. It says nothing of
    a report's secret that was never the id's.
    """
    if state is State.ACTIVE:
        return revived(proof)
    if proof.evidence is Evidence.PROVEN or proof.known_at is None:
        return proof
    contained = replace(proof, contained_at=proof.contained_at or now)
    return contained if proof.mismatch else replace(contained, dead_at=proof.dead_at or now, evidence=Evidence.STATED)


def revived(proof: Proof) -> Proof:
    """Forget the death: somebody resumed the credential, or undid a step."""
    return replace(proof, refused_since=None, dead_at=None, contained_at=None, evidence=Evidence.NONE)
