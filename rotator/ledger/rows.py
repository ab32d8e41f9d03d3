"""Turn rows into the flow's nouns and back."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import rfc8785
from sqlalchemy import RowMapping

from rotator.credential import CredentialRef
from rotator.flow.apart import segment_of
from rotator.flow.incident import Incident, Severity
from rotator.flow.planned import Lane
from rotator.flow.playbook_words import Expect, Strategy, Subject, Until, Verb
from rotator.flow.proof import Evidence, Proof
from rotator.flow.run import AT_ONCE, Branch, BranchState, Run, Step, StepState
from rotator.flow.scope import ConsumerAddress
from rotator.ports.store import Place

_UNKEPT = re.compile("[\ud800-\udfff\\x00]")


def text(value: object) -> str:
    """Return canonical JSON text."""
    return rfc8785.dumps(value).decode()  # type: ignore[arg-type]


def incident_of(row: RowMapping) -> Incident:
    """Read an incident."""
    return Incident(
        id=row["id"],
        title=row["title"],
        severity=Severity(row["severity"]),
        detected_at=row["detected_at"],
        declared_at=row["declared_at"],
        exposed_at=row["exposed_at"],
        closed_at=row["closed_at"],
    )


def run_of(row: RowMapping) -> Run:
    """Read a run."""
    return Run(
        id=row["id"],
        incident=row["incident"],
        ref=CredentialRef(row["provider"], row["connection"], row["owner"], row["credential"], row["generation"]),
        kind=row["kind"],
        strategy=Strategy(row["strategy"]),
        why=row["why"],
        priority=row["priority"],
        deliver=tuple(Place(*place) for place in json.loads(row["deliver"])),
        consumers=tuple(
            ConsumerAddress(kind, tuple(address) if isinstance(address, list) else address)
            for kind, address in json.loads(row["consumers"])
        ),
        requested_at=row["requested_at"],
        acknowledged_at=row["acknowledged_at"],
        dead_at=row["dead_at"],
        contained_at=row["contained_at"],
        evidence=Evidence(row["evidence"]),
        replaced_at=row["replaced_at"],
        replacement=row["replacement"],
        converged_at=row["converged_at"],
        destroyed_at=row["destroyed_at"],
        let_in_at=row["let_in_at"],
        dismissed=row["dismissed"],
        wave=row["wave"],
        risk_accepted=row["risk_accepted"],
        revision=row["revision"],
        predecessor=row["predecessor"],
    )


def run_summary(run: Run) -> dict[str, Any]:
    """Return the columns that follow from steps and proofs."""
    return {
        "acknowledged_at": run.acknowledged_at,
        "dead_at": run.dead_at,
        "contained_at": run.contained_at,
        "evidence": run.evidence.value,
        "replaced_at": run.replaced_at,
        "replacement": run.replacement,
        "converged_at": run.converged_at,
        "destroyed_at": run.destroyed_at,
        "let_in_at": run.let_in_at,
    }


def places_text(places: tuple[Place, ...]) -> str:
    """Return the JSON of places."""
    return text([[place.store, place.connection, place.name] for place in places])


def consumers_text(consumers: tuple[ConsumerAddress, ...]) -> str:
    """Return the JSON of consumers."""
    return text(
        [[each.kind, each.address if isinstance(each.address, str) else list(each.address)] for each in consumers]
    )


def branch_of(row: RowMapping) -> Branch:
    """Read a branch."""
    return Branch(
        id=row["id"],
        run=row["run"],
        segment=row["segment"],
        target=row["target"],
        state=BranchState(row["state"]),
        fence=row["fence"],
        length=row["length"],
        head=row["head"],
        account=row["account"],
        granted=row["granted"],
        probe=bool(row["probe"]),
    )


def step_of(row: RowMapping) -> Step:
    """Read a step."""
    return Step(
        id=row["id"],
        branch=row["branch"],
        position=row["position"],
        name=row["name"],
        target=row["target"],
        verb=Verb(row["verb"]),
        subject=Subject(row["subject"]),
        lane=Lane(row["lane"]),
        expect=Expect(row["expect"]) if row["expect"] else None,
        retry_for_s=row["retry_for_s"],
        hold_for_s=row["hold_for_s"],
        hold_until=Until(row["hold_until"]) if row["hold_until"] else None,
        state=StepState(row["state"]),
        attempts=row["attempts"],
        started_at=row["started_at"],
        intended_at=row["intended_at"],
        settled_at=row["settled_at"],
        held_at=row["held_at"],
        reason=row["reason"],
        facts=json.loads(row["facts"]) if row["facts"] != "{}" else {},
        undo=Verb(row["undo"]) if row["undo"] else None,
        calls=row["calls"],
    )


def step_row(step: Step, run: str) -> dict[str, Any]:
    """Return a step's columns."""
    return {
        "id": step.id,
        "run": run,
        "branch": step.branch,
        "position": step.position,
        "name": step.name,
        "target": step.target,
        "verb": step.verb.value,
        "subject": step.subject.value,
        "lane": step.lane.value,
        "expect": step.expect.value if step.expect else None,
        "retry_for_s": step.retry_for_s,
        "hold_for_s": step.hold_for_s,
        "hold_until": step.hold_until.value if step.hold_until else None,
        "undo": step.undo.value if step.undo else None,
        "calls": step.calls,
        **step_progress(step),
    }


def apart_row(step: Step, *, run: str, incident: str, account: str, priority: float) -> dict[str, Any]:
    """Return the columns of the branch of a step that has one of its own; it begins at once."""
    return {
        "id": step.branch,
        "run": run,
        "incident": incident,
        "segment": segment_of(step.branch),
        "target": "",
        "quorum": 100,
        "state": BranchState.OPEN.value,
        "due_at": AT_ONCE,
        "lane": step.lane.value,
        "calls": step.calls,
        "account": account,
        "priority": priority,
    }


def step_progress(step: Step) -> dict[str, Any]:
    """Return the columns of a step that change while it runs."""
    return {
        "state": step.state.value,
        "attempts": step.attempts,
        "started_at": step.started_at,
        "intended_at": step.intended_at,
        "settled_at": step.settled_at,
        "held_at": step.held_at,
        "reason": plain(step.reason),
        "facts": text(plain(step.facts)) if step.facts else "{}",
    }


def plain(value: object) -> Any:
    """Return facts as values that JSON and every database keep: mappings and sequences as dicts and lists.

    Half a character and NUL, which a report or an answer may hold, become the replacement character.
    """
    if isinstance(value, str):
        return _UNKEPT.sub("\ufffd", value)
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(each) for each in value]
    return value


def proof_of(row: RowMapping) -> Proof:
    """Read a proof."""
    return Proof(
        target=row["target"],
        known_at=row["known_at"],
        accepted_at=row["accepted_at"],
        mismatch=bool(row["mismatch"]),
        refused_since=row["refused_since"],
        stated_since=row["stated_since"],
        dead_at=row["dead_at"],
        contained_at=row["contained_at"],
        evidence=Evidence(row["evidence"]),
    )


def proof_row(proof: Proof) -> dict[str, Any]:
    """Return the columns of a proof that change."""
    return {
        "known_at": proof.known_at,
        "accepted_at": proof.accepted_at,
        "mismatch": int(proof.mismatch),
        "refused_since": proof.refused_since,
        "stated_since": proof.stated_since,
        "dead_at": proof.dead_at,
        "contained_at": proof.contained_at,
        "evidence": proof.evidence.value,
    }
