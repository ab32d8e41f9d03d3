"""What people do to let a vendor in again: meet a gate, override one, and restore the vendor once all are open.

Each is done in one transaction in which its pause is locked, and in which the gates are asked as they are then.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from rotator import clock
from rotator.bootstrap import Rotator
from rotator.errors import BadInput, NotAllowed
from rotator.flow.approvers import refuse_letting_in
from rotator.flow.checklist import Asks, gates_of
from rotator.flow.gate_facts import Did
from rotator.flow.gates_given import attestation_key, believable, may_not_approve
from rotator.flow.letting_in import GateStanding
from rotator.flow.playbook_words import meant
from rotator.flow.roles import misread
from rotator.gate_evidence import advisory_of
from rotator.ledger import acts, datasets, pause_gates, pauses, vendor_chains
from rotator.ledger.one_transaction import OneTransaction
from rotator.letting_in import Standing, look
from rotator.restored_grants import Resumed, resume

_BY_ITSELF = frozenset({Asks.CUT, Asks.DATASETS, Asks.CREDENTIALS})


@dataclass(frozen=True, slots=True)
class Paper:
    """A document that somebody gives for a gate, hashed where it is; of an advisory the `text` too."""

    name: str
    digest: str
    size: int
    text: str = ""


@dataclass(frozen=True, slots=True)
class Given:
    """What somebody gives for a gate: why, and, where the gate asks for one, a document from whom and of which day."""

    reason: str
    paper: Paper | None = None
    sender: str = ""
    dated: date | None = None


@dataclass(frozen=True, slots=True)
class Restored:
    """How the gates stood when a vendor was let in, and the grants that were resumed with it."""

    standing: Standing
    resumed: tuple[Resumed, ...]


def standing(parts: Rotator, vendor: str) -> Standing:
    """Return how the gates of a paused vendor stand now. Raises BadInput for no vendor, or one that is not paused."""
    parts.vendors.one(vendor)
    with parts.database.read() as connection:
        pause = pauses.pause_of(connection, vendor)
    if pause is None:
        raise BadInput("it is not paused", vendor, "nothing to do: `rotator vendor show` tells when it was")
    return look(parts, pause)


def asked_of(parts: Rotator, vendor: str, gate: str) -> Asks | None:
    """Return what a gate of a pause asks; None where there is no such gate, or no pause."""
    with parts.database.read() as connection:
        pause = pauses.pause_of(connection, vendor)
    gates = () if pause is None else gates_of(pause.checklist)
    return next((each.asks for each in gates if each.name == gate), None)


def meet(parts: Rotator, by: str, vendor: str, gate: str, given: Given) -> GateStanding:
    """Keep what a person gives or says for a gate; return how it stands then.

    Raises BadInput where that is not what the gate asks for, NotAllowed for a yes that is not this person's to give.
    """
    acts.said_for_good(by, given.reason, given.sender, given.paper.name if given.paper is not None else "")
    with _alone(parts, vendor) as (on, found):
        one = gate_of(found, gate)
        did, told = _answer(on, one, found, by, given)
        _keep(on, found, gate, did, by, given.reason, told)
        return gate_of(look(on, found.pause), gate)


def override(  # noqa: PLR0917 - an act
    parts: Rotator, by: str, vendor: str, gate: str, reason: str, seen: str
) -> GateStanding:
    """Open a gate against what keeps it shut now, and no more than that; return how it stands then.

    `seen` stands for what its author was shown (`GateStanding.seen_as`). Raises NotAllowed for who may approve nothing,
    or may not give the yes that it would stand for; BadInput for a gate that is open, or shut by something else by now.
    """
    refuse_letting_in(parts.settings.policy, by)
    acts.said_for_good(by, reason)
    _refuse_program(by, f"{vendor} {gate}")
    with _alone(parts, vendor) as (on, found):
        one = gate_of(found, gate)
        if one.is_open:
            raise BadInput("it is open: there is nothing to override", f"{vendor} {gate}", "nothing to do")
        if one.seen_as != seen:
            raise BadInput("something else keeps it shut than what was shown", f"{vendor} {gate}", "look at it again")
        policy = parts.settings.policy
        why = may_not_approve(one.gate, found.facts, by) if one.gate.asks is Asks.APPROVAL else ""
        if why and policy is not None and policy.four_eyes:
            raise NotAllowed(why, f"{vendor} {gate}", "ask another approver")
        told = {"of": sorted(each.key for each in one.left), "against": [each.says for each in one.left]}
        _keep(on, found, gate, Did.OVERRIDDEN, by, reason, told)
        return gate_of(look(on, found.pause), gate)


def restore(parts: Rotator, by: str, vendor: str, reason: str, names: Sequence[str], *, grants: bool) -> Restored:
    """End the pause of a vendor whose gates are all open, and resume the grants that are named, or all of them.

    Raises NotAllowed while a gate is shut, with every one that is; BadInput for what cannot be resumed. Nothing is
    done then.
    """
    refuse_letting_in(parts.settings.policy, by)
    acts.said_for_good(by, reason)
    with _alone(parts, vendor) as (on, found), on.database.write() as connection:
        refuse_shut(found)
        now = clock.now()
        resumed = resume(on, found.pause, names, by, reason, every=grants)
        pause_gates.found(connection, found.pause, by, now, found.gates)
        record = {"gates": [told(each) for each in found.gates], "resumed": [each.run for each in resumed]}
        pauses.restore(connection, found.pause, by, reason, now, record)
        return Restored(found, tuple(resumed))


def refuse_shut(found: Standing) -> None:
    """Raise NotAllowed where a gate is shut: it names all that are, the nearest first."""
    shut = sorted((each for each in found.gates if not each.is_open), key=lambda each: len(each.left))
    if shut:
        names = [f"{each.gate.name}: {each.left[0].says}{_more(each)}" for each in shut]
        what = f"{len(shut)} gate{'s are' if len(shut) > 1 else ' is'} shut: {'; '.join(names)}"
        raise NotAllowed(what, found.pause.vendor, f"next: {shut[0].todo}", names)


def told(one: GateStanding) -> dict[str, Any]:
    """Return how a gate stood, as evidence and reports tell it."""
    return {
        "gate": one.gate.name,
        "asks": one.gate.asks.value,
        "is_open": one.is_open,
        "is_overridden": one.is_overridden,
        "shut_by": [each.says for each in one.left],
        "todo": one.todo,
        "evidence": list(one.evidence),
        "overrides": [
            {"at": each.at, "by": each.by, "reason": each.reason, "against": list(each.against)}
            for each in one.overrides
        ],
    }


def _refuse_program(by: str, where: str) -> None:
    """Raise NotAllowed for a program where a person's word is asked for."""
    if misread(by):
        raise NotAllowed(f"{by} is a program, and a person's word is asked for", where, "ask somebody to say it")


def _more(one: GateStanding) -> str:
    return f" (and {len(one.left) - 1} more)" if len(one.left) > 1 else ""


@contextlib.contextmanager
def _alone(parts: Rotator, vendor: str) -> Iterator[tuple[Rotator, Standing]]:
    """Give the parts on a transaction in which nobody else speaks of a pause or checks its datasets, and its gates."""
    seen = standing(parts, vendor)
    under = parts.pauses.told_under(seen.pause)  # whose grants are resumed there
    with parts.database.write() as connection:
        datasets.lock(connection, {each.manifest for each in seen.facts.datasets})
        acts.lock(connection, {seen.pause.incident, under})
        there = pauses.pause_of(connection, vendor, lock=True)
        if there is None or there.number != seen.pause.number:
            raise BadInput("it is not paused any more", vendor, "somebody let it in again meanwhile")
        if there != seen.pause:
            raise BadInput("it was paused again meanwhile", vendor, f"look again: rotator vendor gates {vendor}")
        on = parts.on(OneTransaction(connection))
        found = look(on, seen.pause)
        vendor_chains.refuse_altered(connection, vendor, {each.manifest for each in found.facts.datasets} - {""})
        yield on, found


def _keep(  # noqa: PLR0917 - an act, and all that is said of it
    on: Rotator, found: Standing, gate: str, did: Did, by: str, reason: str, told: Mapping[str, Any]
) -> None:
    with on.database.write() as connection:
        pause_gates.keep(connection, found.pause, gate, did, by, reason, clock.now(), told)


def gate_of(found: Standing, name: str) -> GateStanding:
    """Return how a gate stands. Raises BadInput for one that the checklist of the pause does not have."""
    gates = {each.gate.name: each for each in found.gates}
    if name not in gates:
        raise BadInput("the checklist of this pause has no such gate", name, meant(name, list(gates)))
    return gates[name]


def _answer(on: Rotator, one: GateStanding, found: Standing, by: str, given: Given) -> tuple[Did, dict[str, Any]]:
    """Return what a person's answer to a gate comes to, and what is kept of it. Raises BadInput, or NotAllowed."""
    gate, where = one.gate, f"{found.pause.vendor} {one.gate.name}"
    if gate.asks in _BY_ITSELF:
        mend = one.todo or "it is open"
        raise BadInput(f"nobody's word opens it: it asks what is so of {gate.asks}", where, mend)
    if gate.asks is not Asks.SOFTWARE or given.paper is None:  # an advisory speaks for itself
        _refuse_program(by, where)
    if gate.asks is Asks.DOCUMENT:
        told = _document(found, where, given)
        with on.database.read() as connection:
            pause_gates.refuse_given_before(connection, found.pause, told["sha256"])
        return Did.GIVEN, {"document": told}
    if given.sender or given.dated is not None or (given.paper is not None and gate.asks is not Asks.SOFTWARE):
        raise BadInput(f"it asks for {gate.asks}, and for no document", where, "give a reason alone")
    if gate.asks is Asks.SOFTWARE:
        return _software(given)
    if gate.asks is Asks.APPROVAL:
        if why := may_not_approve(gate, found.facts, by):
            raise NotAllowed(why, where, "ask another")
        return Did.YES, {}
    papers = believable(gate, found.facts)
    if not papers:
        raise BadInput("no attestation that it asks for is valid now: there is none to believe", where, one.todo)
    return Did.YES, {"of": sorted(map(attestation_key, papers))}


def _document(found: Standing, where: str, given: Given) -> dict[str, Any]:
    if given.paper is None or not given.sender.strip() or given.dated is None:
        mend = "give --document FILE --from WHO --dated DAY, and say in --reason what it says"
        raise BadInput("it asks for a report, from whom it is and of which day", where, mend)
    if not given.paper.size:
        raise BadInput("there is nothing in it", given.paper.name, "give the document itself")
    since, today = found.facts.paused_on, found.facts.today
    if not since <= given.dated <= today:
        what = f"it is dated {given.dated}, and only a report of {since} to {today} knows of what happened"
        raise BadInput(what, "--dated", "ask for one that was made since the pause")
    paper = {"name": given.paper.name, "sha256": given.paper.digest, "size": given.paper.size}
    return {**paper, "from": given.sender.strip(), "dated": given.dated.isoformat()}


def _software(given: Given) -> tuple[Did, dict[str, Any]]:
    if given.paper is None:
        return Did.YES, {}
    names = [each.id for each in advisory_of(given.paper.text)]
    acts.refuse_material(*names)
    return Did.GIVEN, {"advisories": names, "sha256": given.paper.digest, "advisory": given.paper.text}
