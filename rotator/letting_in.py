"""What is so now of a vendor that is paused: gathered anew each time its gates are asked, from the ledger alone."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from rotator import clock, gate_evidence
from rotator.bootstrap import Rotator
from rotator.credential import CredentialRef
from rotator.flow.checklist import Asks, gates_of
from rotator.flow.gate_facts import Cut, Facts, New, Software
from rotator.flow.letting_in import GateStanding, standing
from rotator.flow.narrowing import Reach
from rotator.flow.playbook_words import Subject, Verb
from rotator.flow.proof import Evidence
from rotator.flow.resurrection import came_back
from rotator.flow.roles import misread
from rotator.flow.run import THROUGH
from rotator.flow.scope import Custody
from rotator.flow.standing import CredentialState, resumed, sessions_left, state_of, still_open
from rotator.flow.stock import spoken_of_as
from rotator.flow.vendor import Vendor
from rotator.flow.vendor_use import After
from rotator.held import Held, held_by
from rotator.ledger import approved, pause_gates, pausers
from rotator.ledger.pauses import Pause
from rotator.ledger.records import IncidentRecord, ManualTask, RunRecord
from rotator.packages.advisory import Advisory, moment
from rotator.packages.vendor_software import match
from rotator.report.clocks import moment as told_at
from rotator.vendor_uses import of_vendor


@dataclass(frozen=True, slots=True)
class Standing:
    """A pause, and how each of its gates stands by what is so now."""

    pause: Pause
    facts: Facts
    gates: tuple[GateStanding, ...]


def look(parts: Rotator, pause: Pause) -> Standing:
    """Return how the gates of a pause stand now."""
    found = facts(parts, pause)
    return Standing(pause, found, tuple(standing(gates_of(pause.checklist), found)))


def facts(parts: Rotator, pause: Pause) -> Facts:
    """Return what is so now of a vendor that is paused."""
    vendor, now = parts.vendors.one(pause.vendor), clock.now()
    every = _family(parts, pause)
    alive = _used_dead(parts, pause.vendor)
    cut = tuple(alive.get(each.name, each) for each in _cut(every))
    old = [_old(parts, each) for of in every for each in of.runs]
    held = held_by(parts, vendor)
    with parts.database.read() as connection:
        given = pause_gates.given(connection, pause)
        records = pause_gates.advisories(connection, pause)
        by = pausers.of(connection, pause)
        by |= approved.behind(connection, by)
    events = gate_evidence.events(parts, pause, records)
    exposed = gate_evidence.exposed(parts, pause, every, events)
    checked = tuple(gate_evidence.datasets_of(parts, vendor, pause, exposed, [*old, *held]))
    came = tuple(gate_evidence.brought_of(parts, pause, every, checked, [*old, *held]))
    with parts.database.read() as connection:
        programs = {each for each in (*(one.by for one in given), *(one.by for one in came)) if misread(each)}
        behind = {each: approved.behind(connection, {each}) for each in programs}
    policy = parts.settings.policy
    return Facts(
        vendor=vendor.name,
        today=datetime.fromtimestamp(now, UTC).date(),
        paused_at=pause.at,
        pausers=by,
        exposed=exposed,
        given=tuple(given),
        cut=cut,
        attestations=vendor.attestations,
        software=_software(parts, vendor, pause, events),
        datasets=checked,
        unsaid=tuple(str(each.ref) for each in old if each.custody.reads is None and not each.custody.datasets),
        before=None if pause.reach is None else (pause.reach,),
        new=tuple(_new(parts, old, {(task.kind, task.key) for of in every for task in of.manual}, held)),
        roles=None if policy is None else {name: each.role for name, each in policy.people.items()},
        approvals=frozenset(each.name for each in gates_of(pause.checklist) if each.asks is Asks.APPROVAL),
        incident=pause.incident,
        brought=came,
        behind=behind,
    )


def _family(parts: Rotator, pause: Pause) -> tuple[IncidentRecord, ...]:
    """Return the incident of a pause with what was merged into it, or that into which it was merged."""
    record = parts.reading.incident(pause.incident)
    while record.merged_into is not None:
        record = parts.reading.incident(record.merged_into)
    return record.family


def _cut(every: Sequence[IncidentRecord]) -> Iterator[Cut]:
    """Yield each credential, grant and task, and whether it is dead."""
    dead = {each.of: each for of in every for each in of.dismissals if gate_evidence.is_dead(each)}
    for of in every:
        for each in of.runs:
            said = dead.get(each.run.id)
            yield Cut(str(each.run.ref), said.at, f"dead before, says {said.by}") if said else _of_run(each)
        for task in of.manual:
            said = dead.get(task.id)
            yield Cut(task.key, said.at, f"done, says {said.by}: {said.reason}") if said else _of_task(task, of)


def _used_dead(parts: Rotator, vendor: str) -> dict[str, Cut]:
    """Return what access logs show in use after it was dead, by name: whatever was proven, its issuer took it since."""
    todo = f"find who used it and cut it again, or say why not: rotator vendor override {vendor} cut --reason …"
    found = (each for each in of_vendor(parts, vendor) if each.after is After.DEAD)
    # Named by its last use: who overrides that does so for no later one.
    return {
        str(each.ref): Cut(f"{each.ref}, used at {told_at(each.accepted_at)}", None, each.grave, todo) for each in found
    }


def _of_run(record: RunRecord) -> Cut:
    run, name = record.run, str(record.run.ref)
    todo = f"rotator report {run.incident}"
    state = state_of(run, record.steps, record.proofs)
    if run.dead_at is not None and state in {CredentialState.PROVEN_DEAD, CredentialState.STATED_DEAD}:
        open_ = [*sessions_left(record.steps), *_sessions_ahead(record)]
        if open_:
            return Cut(name, None, open_[0], todo)
        return Cut(name, run.dead_at, f"{run.evidence.value} dead at {told_at(run.dead_at)}")
    if record.settled_by is not None and record.settled_by.evidence is not Evidence.NONE:
        death = record.settled_by
        return Cut(name, death.at, f"{death.evidence.value} dead at {told_at(death.at)}, as {death.run} saw it")
    if run.dismissed is not None:
        return Cut(name, None, f"nobody saw it dead: it is dismissed ({run.dismissed})", todo)
    why = still_open(run, record.steps, record.late)
    back = resumed(record.steps) or came_back(record.steps)
    again = f"again by {back.id}" if back is not None else ""
    return Cut(name, None, "; ".join([state.value.replace("_", " "), *why[:1]]), todo, again)


def _sessions_ahead(record: RunRecord) -> list[str]:
    """Return the ends of its sessions that are still to come."""
    ahead = (each for each in record.steps if each.verb is Verb.END_SESSIONS and each.subject is Subject.EXPOSED)
    return [f"{each.name} is {each.state}: its sessions may live" for each in ahead if each.state not in THROUGH]


def _of_task(task: ManualTask, of: IncidentRecord) -> Cut:
    # A gate's incident does not ask its issuer again: whatever else would mend the cause, this opens the gate.
    said = f"rotator exposure dismiss {of.incident.id} {task.id} --as already_dead --reason …"
    return Cut(
        task.key, None, f"a person has to do it: {task.reason}", f"{task.mend}; once it is ended by hand: {said}"
    )


def _old(parts: Rotator, record: RunRecord) -> Held:
    ref = replace(record.run.ref, generation=0)
    return Held(ref, parts.custodies.of(ref), "the pause", record.run.kind)


def _reach(custody: Custody) -> Reach | None:
    return None if custody.reads is None else Reach(custody.reads, custody.administers, custody.datasets)


def _software(parts: Rotator, vendor: Vendor, pause: Pause, events: Sequence[Advisory]) -> Software:
    """Return what it runs beside the advisories of the pause."""
    names = {name for each in events for name in each.names}
    listed = match(events, {vendor.name: vendor.software}).get(vendor.name, ())
    return Software(
        lists={each.source: each.at for each in parts.vendors.lists(vendor.name)},
        of_pipelines=gate_evidence.of_pipelines(parts, vendor.name),
        bad=tuple(dict.fromkeys(each.why for each in listed)),
        advisories=tuple(each.id for each in events),
        unread=tuple(each for each in pause.notices if each not in names),
    )


def _new(
    parts: Rotator, old: Sequence[Held], tasks: Collection[tuple[str | None, str]], held: Iterable[Held]
) -> Iterator[New]:
    """Yield what it holds beside what was cut. What is gone at its issuer it does not hold.

    `tasks` have the kind and the id of what was left to people: whether they did it the gate `cut` asks, and what no
    issuer lists of them is nothing new.
    """
    cut = {_named(each.ref) for each in old}
    meant = {_named(name) for each in old for name in spoken_of_as(each.ref)}
    listed = {_named(each.ref): each for each in parts.inventory.listed()}
    for each in held:
        name = _named(each.ref)
        if name in cut or (not each.ref.id and name in meant):
            continue
        known = listed.get(name)
        if (known.gone_at is not None) if known is not None else (each.ref.provider, each.ref.id) in tasks:
            continue
        made = moment(known.facts.get("created_at")) if known is not None else None
        playbook = parts.playbooks.get(each.kind)
        shorter = playbook.short_lived.by if playbook is not None and playbook.short_lived is not None else ""
        yield New(str(each.ref), bool(each.ref.id), made.timestamp() if made else None, _reach(each.custody), shorter)


def _named(ref: CredentialRef) -> tuple[str, str, str, str]:
    return ref.provider, ref.connection, ref.owner, ref.id
