"""Dead credentials that are looked at again: which are due, what was seen, and what follows where one has come back."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, RowMapping, and_, bindparam, delete, insert, or_, select, update

from rotator.credential import CredentialRef, Secret
from rotator.errors import BadInput
from rotator.flow.planned import Lane
from rotator.flow.proof import Proof, revived
from rotator.flow.resurrection import next_after, stop_again
from rotator.flow.run import BranchState
from rotator.flow.summary import summarise
from rotator.ledger import clocks, rows, statements, stops, tables
from rotator.ledger.acts import act, lock
from rotator.ledger.database import Database
from rotator.ledger.notices import tell
from rotator.ledger.plan_rows import KEEP_MATERIAL_S
from rotator.ledger.reported_again import BY, IS_REAL, locked_family, reopen
from rotator.ledger.run_at_hand import RunAtHand, hold_branches
from rotator.ledger.undoing import branch_rows
from rotator.notices.event import Event
from rotator.seal import Seal

AT_ONCE = 1_000
"""So many deaths are noted in one go."""
_KEEP_MATERIAL = (
    update(tables.sealed)
    .where(tables.sealed.c.run == bindparam("of_run"), tables.sealed.c.expires_at < bindparam("until"))
    .values(expires_at=bindparam("until"))
)
_branch, _incident, _run, _watched = tables.branch, tables.incident, tables.run, tables.watched


@dataclass(frozen=True, slots=True)
class Dead:
    """A dead credential that is due: `since` when, until when it is looked at, what its doors said; its material."""

    run: str
    incident: str
    ref: CredentialRef
    since: float
    until: float
    proofs: tuple[Proof, ...]
    material: Secret | None


@dataclass(frozen=True, slots=True)
class Looked:
    """What came of a look: what was seen, or why nothing could be; `over`: there is nothing that could be, ever."""

    dead: Dead
    says: str
    missed: bool = False
    over: bool = False


class Resurrections:
    """The ledger as the watch reads and writes it."""

    def __init__(self, database: Database, seal: Seal) -> None:
        self._database, self._seal = database, seal

    def enrol(self, now: float, lasts_s: float) -> None:
        """Note the deaths that are not watched yet: not of what is dismissed, of hygiene, or of a drill."""
        while self._enrol_some(now, lasts_s) == AT_ONCE:
            pass

    def _enrol_some(self, now: float, lasts_s: float) -> int:
        unknown = or_(_watched.c.run.is_(None), _watched.c.since != _run.c.dead_at)
        query = (
            select(_run.c.id, _run.c.dead_at)
            .outerjoin(_watched, _watched.c.run == _run.c.id)
            .where(_run.c.dead_at > now - lasts_s, _run.c.dismissed.is_(None), unknown, IS_REAL)
            .limit(AT_ONCE)
        )
        with self._database.read() as connection:
            found = connection.execute(query).all()
        if not found:
            return 0
        new = []
        for row in found:
            until = row.dead_at + lasts_s
            due_at = next_after(row.dead_at, row.dead_at, until, row.id)
            new.append({"run": row.id, "since": row.dead_at, "due_at": due_at, "until": until})
        with self._database.write() as connection:
            connection.execute(delete(_watched).where(_watched.c.run.in_([each["run"] for each in new])))
            connection.execute(insert(_watched), new)
        return len(found)

    def due_at(self, now: float) -> list[str]:
        """Return the connections of which something is due."""
        query = select(_run.c.connection).join(_watched, _watched.c.run == _run.c.id).where(_watched.c.due_at <= now)
        with self._database.read() as connection:
            return sorted(connection.execute(query.distinct()).scalars())

    def due(self, now: float, most: int, connections: Collection[str]) -> list[Dead]:
        """Return what is due of these connections and nobody stopped, longest due first."""
        query = (
            select(_run, _watched.c.since, _watched.c.until, tables.sealed.c.blob)
            .join(_watched, and_(_watched.c.run == _run.c.id, _watched.c.since == _run.c.dead_at))
            .outerjoin(tables.sealed, tables.sealed.c.run == _run.c.id)
            .where(_watched.c.due_at <= now, _run.c.dismissed.is_(None), _run.c.connection.in_(sorted(connections)))
            .order_by(_watched.c.due_at, _run.c.id)
            .limit(most)
        )
        with self._database.read() as connection:
            stopped = stops.find(connection)
            if any(each.scope == stops.ALL for each in stopped):
                return []
            names = {each.name for each in stopped}
            every = connection.execute(query).mappings()
            found = [row for row in every if not {row["incident"], row["connection"]} & names]
            proofs = _proofs(connection, [row["id"] for row in found])
        return [self._dead(row, proofs.get(row["id"], ())) for row in found]

    def _dead(self, row: RowMapping, proofs: tuple[Proof, ...]) -> Dead:
        ref = CredentialRef(row["provider"], row["connection"], row["owner"], row["credential"], row["generation"])
        material = None
        if row["blob"] is not None:
            try:
                material = self._seal.open(row["blob"], row["id"])
            except BadInput:  # the doctor tells of it
                material = None
        return Dead(row["id"], row["incident"], ref, row["since"], row["until"], proofs, material)

    def accounts_at_work(self) -> set[str]:
        """Return the accounts of which an incident has something under way: no look goes before that."""
        at_work = and_(_branch.c.state == BranchState.OPEN.value, _branch.c.lane != Lane.HYGIENE.value)
        with self._database.read() as connection:
            return set(connection.execute(select(_branch.c.account).where(at_work).distinct()).scalars())

    def keep(self, looked: Sequence[Looked], now: float) -> None:
        """Write what came of some looks: one record of evidence for each incident."""
        of: dict[str, list[Looked]] = {}
        for each in looked:
            of.setdefault(each.dead.incident, []).append(each)
        with self._database.write() as connection:
            lock(connection, of)
            for incident, mine in sorted(of.items()):
                for each in mine:
                    _note(connection, each, now)
                told = [{"run": each.dead.run, "says": each.says, "missed": each.missed} for each in mine]
                act(connection, incident, {"at": now, "act": "looked_again", "by": BY, "looks": told})

    def came_back(self, dead: Dead, doors: Collection[str], says: str, now: float) -> bool:
        """Reopen an incident of which a dead credential was seen alive at some doors, and have it stopped again.

        False where that is no news: a person has resumed it, or a worker is at it.
        """
        with self._database.write() as connection:
            family = locked_family(connection, dead.incident)
            held = hold_branches(connection, dead.run)
            if held is None or held.run.dead_at != dead.since or any(each["holder"] for each in held.branches):
                return False
            why = f"{BY}: {says}"
            stretches = stop_again(held.run, held.steps, why)
            added = [step for stretch in stretches for step in stretch.steps]
            if stretches:
                connection.execute(insert(_branch), branch_rows(held, stretches))
                connection.execute(statements.ADD_STEP, [rows.step_row(step, held.run.id) for step in added])
            told = {"run": dead.run, "says": says, "doors": sorted(doors), "appended": [step.id for step in added]}
            act(connection, dead.incident, {"at": now, "act": "alive_again", "by": BY, **told})
            _revive(connection, replace(held, steps=(*held.steps, *added)), doors, now)
            connection.execute(_of(dead.run).values(looks=_watched.c.looks + 1, looked_at=now, says=says, due_at=None))
            connection.execute(_KEEP_MATERIAL, {"of_run": dead.run, "until": now + KEEP_MATERIAL_S})
            reopen(connection, family, f"{dead.ref.id} is alive again: {says}", now)
            because = f"{dead.ref.provider} {dead.ref.id} ({dead.run}): {says}"
            tell(connection, family[0], Event.CAME_BACK, {"because": because, "by": BY}, now)
        return True


def _note(connection: Connection, each: Looked, now: float) -> None:
    dead = each.dead
    due_at = None if each.over else next_after(now, dead.since, dead.until, dead.run)
    counted = {"missed": _watched.c.missed + 1} if each.missed else {"looks": _watched.c.looks + 1, "looked_at": now}
    connection.execute(_of(dead.run).values(due_at=due_at, says=rows.plain(each.says), **counted))


def _of(run: str) -> Any:
    return update(_watched).where(_watched.c.run == run)


def _proofs(connection: Connection, runs: Sequence[str]) -> dict[str, tuple[Proof, ...]]:
    found: dict[str, tuple[Proof, ...]] = {}
    for row in connection.execute(select(tables.proof).where(tables.proof.c.run.in_(runs))).mappings():
        found[row["run"]] = (*found.get(row["run"], ()), rows.proof_of(row))
    return found


def _revive(connection: Connection, held: RunAtHand, doors: Collection[str], now: float) -> None:
    """Claim no more that it is dead at these doors: it counts as a living reader, and its clocks go on."""
    proofs = tuple(revived(proof) if proof.target in doors else proof for proof in held.proofs)
    for proof in proofs:
        connection.execute(statements.PROVE, {"p_run": held.run.id, "p_target": proof.target, **rows.proof_row(proof)})
    connection.execute(statements.CLOSE_REACH, {"run_id": held.run.id, "still_open": tables.LIVES})
    changed = clocks.change(connection, summarise(held.run, held.steps, proofs))
    act(connection, held.run.incident, {"at": now, **changed})
