"""Gates and footholds: what a person says of an incident, and what its steps wait for.

`host_isolated` is shut until somebody opens it, or every known foothold is isolated. `no_legal_hold` is open until
somebody places a legal hold by shutting it: then nothing waiting for it is destroyed, nor the sealed secrets.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, func, insert, select, update

from rotator import clock
from rotator.claims import GATE
from rotator.errors import BadInput
from rotator.flow.playbook_words import DESTRUCTION, GATES, Until, meant
from rotator.flow.proof import Evidence
from rotator.flow.run import BranchState
from rotator.flow.summary import needs_material
from rotator.ledger import leak_safe, opening, rows, statements, tables
from rotator.ledger.acts import act, lock, said
from rotator.ledger.database import Database
from rotator.ledger.opening import BRAKE

OPEN = "open"
ISOLATED = "isolated"


@dataclass(frozen=True, slots=True)
class Gate:
    """A gate as it stands. `at`, `by` and `reason` are None until a person has spoken.

    `waiting` counts the branches that wait for it; at the brake, the runs that it keeps from beginning.
    """

    name: str
    is_open: bool
    at: float | None = None
    by: str | None = None
    reason: str | None = None
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class Foothold:
    """A host on which the attacker ran: open, isolated or clean. `holds_up`: the runs that deliver there."""

    host: str
    state: str
    at: float
    by: str
    reason: str
    holds_up: tuple[str, ...] = ()


class Gates:
    """Open and shut gates, and mark footholds. Each is evidence of the incident."""

    def __init__(self, database: Database, clock: Callable[[], float] = clock.now) -> None:
        self._database, self._clock = database, clock

    def of(self, incident: str) -> list[Gate]:
        """Return every gate of an incident."""
        with self._database.read() as connection:
            return find_gates(connection, incident)

    def open_footholds(self, incident: str) -> list[str]:
        """Return the hosts of an incident of which nobody has said that they are cut off."""
        with self._database.read() as connection:
            return [each.host for each in find_footholds(connection, incident) if each.state == OPEN]

    def set(self, incident: str, name: str, by: str, reason: str, *, is_open: bool) -> int:
        """Open or shut a gate; return how many branches waited for it.

        Raises BadInput for a gate that is not there, or is so already.
        """
        said(by, reason)
        with self._database.write() as connection:
            lock(connection, [incident])
            gates = {each.name: each for each in find_gates(connection, incident)}
            if name.startswith(DESTRUCTION.strip()):
                mend = f"rotator approve {incident} --digest … --scope destruction"
                raise BadInput("no hand sets this gate: it opens when the destruction is approved", name, mend)
            if name == BRAKE and name not in gates:
                raise BadInput("its brake is not on", incident, "it trips when a consumer of an earlier wave fails")
            if name not in gates:
                raise BadInput("no gate is called so", name, meant(name, gates))
            found = gates[name]
            if found.is_open == is_open:
                who = f", says {found.by}: {found.reason}" if found.by else ""
                what = f"it is {'open' if is_open else 'shut'} already{who}"
                raise BadInput(what, f"{incident} {name}", "nothing to do")
            self._set(connection, incident, name, by, reason, is_open=is_open)
            return found.waiting

    def isolate(self, incident: str, host: str, by: str, reason: str) -> list[str]:
        """Note that nobody gets in or out of a host any more; return which footholds are still open.

        With the last one, the gate `host_isolated` opens. Raises BadInput for a host that is no open foothold.
        """
        said(by, reason)
        with self._database.write() as connection:
            lock(connection, [incident])
            found = {each.host: each for each in find_footholds(connection, incident)}
            if host not in found:
                name_one = f"none was named: `rotator incident add {incident} --foothold HOST` does"
                mend = meant(host, found) if found else name_one
                raise BadInput(f"no foothold of {incident} is called so", host, mend)
            if found[host].state != OPEN:
                known = found[host]
                raise BadInput(f"it is {known.state} already, says {known.by}: {known.reason}", host, "nothing to do")
            foothold, now = tables.foothold, self._clock()
            connection.execute(
                update(foothold)
                .where(foothold.c.incident == incident, foothold.c.host == host)
                .values(rows.plain({"state": ISOLATED, "at": now, "by": by, "reason": reason}))
            )
            act(connection, incident, {"at": now, "act": ISOLATED, "by": by, "host": host, "reason": reason})
            left = sorted(name for name, each in found.items() if each.state == OPEN and name != host)
            gates = {each.name: each for each in find_gates(connection, incident)}
            if not left and not gates[Until.HOST_ISOLATED].is_open:
                every = f"every foothold is isolated; the last was {host}: {reason}"
                self._set(connection, incident, Until.HOST_ISOLATED.value, by, every, is_open=True)
            connection.execute(leak_safe.WAKE_INCIDENT, {"of_incident": incident})
            return left

    def _set(self, connection: Connection, incident: str, name: str, by: str, reason: str, *, is_open: bool) -> None:
        gate, now = tables.gate, self._clock()
        is_it = (gate.c.incident == incident, gate.c.name == name)
        said_of_it = rows.plain({"open": int(is_open), "at": now, "by": by, "reason": reason})
        if connection.execute(update(gate).where(*is_it).values(said_of_it)).rowcount == 0:
            connection.execute(insert(gate).values(incident=incident, name=name, **said_of_it))
        act(
            connection,
            incident,
            {"at": now, "act": "opened" if is_open else "shut", "by": by, "gate": name, "reason": reason},
        )
        if is_open:
            connection.execute(statements.WAKE_AT_OPEN_GATES)
        if is_open and name == Until.NO_LEGAL_HOLD:
            _forget_what_was_kept(connection, incident)


def _forget_what_was_kept(connection: Connection, incident: str) -> None:
    """Destroy the sealed secrets that only a legal hold kept: proven dead, and no knock is ahead."""
    query = (
        select(tables.run.c.id)
        .join(tables.sealed, tables.sealed.c.run == tables.run.c.id)
        .where(tables.run.c.incident == incident, tables.run.c.evidence == Evidence.PROVEN.value)
    )
    for run in connection.execute(query).scalars().all():
        steps = [rows.step_of(row) for row in connection.execute(statements.FIND_STEPS, {"run_id": run}).mappings()]
        if not needs_material(steps):
            connection.execute(statements.FORGET_MATERIAL, {"run_id": run})


def find_gates(connection: Connection, incident: str, *, counted: bool = True) -> list[Gate]:
    """Return every gate of an incident, those included of which nobody has spoken. `counted` says who waits for it."""
    gate = tables.gate
    found = {row["name"]: row for row in connection.execute(select(gate).where(gate.c.incident == incident)).mappings()}
    waiting = _waiting(connection, incident) if counted else {}
    if counted and BRAKE in found and not found[BRAKE]["open"]:
        waiting[GATE + BRAKE] = opening.count_later(connection, incident)
    return [
        Gate(
            name=name,
            is_open=bool(found[name]["open"]) if name in found else name != Until.HOST_ISOLATED,
            **({key: found[name][key] for key in ("at", "by", "reason")} if name in found else {}),
            waiting=waiting.get(GATE + name, 0),
        )
        for name in sorted({*GATES, *found})
    ]


def _waiting(connection: Connection, incident: str) -> dict[str, int]:
    """Return how many branches wait, by why."""
    branch = tables.branch
    counted = (
        select(branch.c.reason, func.count())
        .where(branch.c.incident == incident, branch.c.state == BranchState.HELD.value)
        .group_by(branch.c.reason)
    )
    return {why: count for why, count in connection.execute(counted)}  # noqa: C416 - rows are not pairs


def find_footholds(connection: Connection, incident: str) -> list[Foothold]:
    """Return the footholds of an incident."""
    foothold, stands, run = tables.foothold, tables.stands, tables.run
    kept: dict[str, list[str]] = {}
    there = select(stands.c.host, stands.c.run).join(run, run.c.id == stands.c.run).where(run.c.incident == incident)
    for host, each in connection.execute(there.order_by(stands.c.run)):
        kept.setdefault(host, []).append(each)
    query = select(foothold).where(foothold.c.incident == incident).order_by(foothold.c.host)
    return [
        Foothold(
            host=row["host"],
            state=row["state"],
            at=row["at"],
            by=row["by"],
            reason=row["reason"],
            holds_up=tuple(kept.get(row["host"], ())) if row["state"] == OPEN else (),
        )
        for row in connection.execute(query).mappings()
    ]
