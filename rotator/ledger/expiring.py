"""Delete the evidence of what was over long ago, as the configuration says, and keep all that somebody still needs.

In one transaction a checkpoint signs which chains are deleted, each just as it was signed before, the service's own
chain tells who did it and under which policy, and the records go. What was signed of them stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, delete, func, select, update

from rotator import clock
from rotator.credential import CredentialRef
from rotator.errors import BadInput
from rotator.evidence.checkpoint import Checkpoint, Grown
from rotator.evidence.signing import SigningKey
from rotator.flow.approval import Policy
from rotator.flow.approvers import refuse_deleting
from rotator.ledger import acts, gone, responses, service, still_needed, tables
from rotator.ledger.checkpoints import Checkpoints
from rotator.ledger.database import Database
from rotator.ledger.feed import Feed
from rotator.ledger.still_needed import Outside

ACT = "evidence_deleted"
_FEW = 500
"""Names that are given to the database in one go."""
_evidence, _incident, _signed, _run = tables.evidence, tables.incident, tables.signed, tables.run


@dataclass(frozen=True, slots=True)
class Old:
    """An incident that is old, with what was merged into it.

    `closed_at`, in epoch seconds, is None for one that is open. `chains` are those of its evidence as they were signed
    last; `why` says what still keeps it, "" where nothing does.
    """

    incident: str
    family: tuple[str, ...]
    closed_at: float | None
    chains: Mapping[str, Grown]
    why: str

    @property
    def records(self) -> int:
        """Return how many there are."""
        return sum(each.length for each in self.chains.values())


class Expiring:
    """Say whose evidence is due to be deleted, and delete it. `outside` is who else must have it before."""

    def __init__(
        self,
        database: Database,
        checkpoints: Checkpoints,
        outside: Outside,
        policy: Policy | None = None,
        clock: Callable[[], float] = clock.now,
    ) -> None:
        self._database, self._checkpoints, self._outside = database, checkpoints, outside
        self._policy, self._clock = policy, clock

    def old(self, after_s: float) -> list[Old]:
        """Return what was closed so many seconds ago, and what was declared so long ago and is kept."""
        with self._database.read() as connection:
            return self._old(connection, self._clock() - after_s)

    def credentials(self, found: Iterable[Old]) -> list[CredentialRef]:
        """Return the credentials of these incidents."""
        names = [each for one in found for each in one.family]
        columns = (_run.c.provider, _run.c.connection, _run.c.owner, _run.c.credential, _run.c.generation)
        with self._database.read() as connection:
            return [
                CredentialRef(*row)
                for some in _some(names)
                for row in connection.execute(select(*columns).where(_run.c.incident.in_(some)))
            ]

    def delete(self, key: SigningKey, shown: Sequence[Old], after_s: float, by: str) -> Checkpoint:
        """Delete the evidence of what was shown to be due; return the checkpoint that says so.

        Raises NotAllowed for who may approve nothing, BadInput where it is no longer as it was shown.
        """
        refuse_deleting(self._policy, by)
        names = sorted(each for one in shown for each in one.family)
        with self._database.write() as connection:
            for some in _some(names):
                acts.lock(connection, some)
            now = self._clock()
            due = {each.incident: each for each in self._old(connection, now - after_s) if not each.why}
            if any(due.get(each.incident) != each for each in shown):
                raise BadInput("it is no longer as it was shown", "evidence expire", "look again what is due")
            chains = {name: each for one in shown for name, each in one.chains.items()}
            service.note(connection, _told(connection, shown, after_s, by, now))
            made = self._checkpoints.sign_deletion(connection, key, chains)
            for some in _some(sorted(chains)):
                connection.execute(delete(_evidence).where(_evidence.c.chain.in_(some)))
                marked = update(_signed).where(_signed.c.chain.in_(some))
                connection.execute(marked.values(deleted=made.told["number"]))
        return made

    def _old(self, connection: Connection, before: float) -> list[Old]:
        incidents = _closed(connection, before)
        families = _families(connection, incidents)
        origins = {each: top for top, family in families.items() for each in family}
        chains = _chains(connection, origins)
        incidents = {top: at for top, at in incidents.items() if top in chains}
        grown = self._checkpoints.grown(connection)
        needed = still_needed.why(connection, grown, Feed(self._database), self._outside, origins)
        found = []
        for top, closed_at in sorted(incidents.items()):
            why = "it is open" if closed_at is None else needed.get(top, "")
            why = why or _not_as_signed(connection, chains[top])
            found.append(Old(top, tuple(families[top]), closed_at, chains[top], why))
        return found


def _closed(connection: Connection, before: float) -> dict[str, float | None]:
    """Return the incidents that are old, with when each was closed, None for an open one.

    Hygiene and drills nobody closes: they are over with their last step, where nothing waits for a person.
    """
    routine, drill, step = tables.hygiene, tables.drill, tables.step
    query = select(_incident.c.id, _incident.c.closed_at).where(
        _incident.c.merged_into.is_(None), _incident.c.declared_at < before, ~gone.is_gone(_incident.c.id)
    )
    found: dict[str, float | None] = {row.id: row.closed_at for row in connection.execute(query)}
    by_itself = select(routine.c.incident).union(select(drill.c.incident).where(drill.c.ended_at.is_not(None)))
    settled = (
        select(_run.c.incident, func.max(step.c.settled_at).label("at"))
        .join(step, step.c.run == _run.c.id)
        .where(_run.c.incident.in_(by_itself))
        .group_by(_run.c.incident)
    )
    over = {row.incident: row.at for row in connection.execute(settled)} if found else {}
    waits = still_needed.undone(connection) | still_needed.tasks(connection)
    found |= {each: at for each, at in over.items() if found.get(each, 0.0) is None and each not in waits}
    return {name: at for name, at in found.items() if at is None or at < before}


def _families(connection: Connection, tops: Iterable[str]) -> dict[str, list[str]]:
    into: dict[str, list[str]] = {}
    merged = select(_incident.c.id, _incident.c.merged_into).where(_incident.c.merged_into.is_not(None))
    for row in connection.execute(merged.order_by(_incident.c.id)):
        into.setdefault(row.merged_into, []).append(row.id)

    def family(name: str) -> list[str]:
        return [name, *(each for one in into.get(name, ()) for each in family(one))]

    return {top: family(top) for top in tops}


def _chains(connection: Connection, origins: Mapping[str, str]) -> dict[str, dict[str, Grown]]:
    """Return the signed chains of each incident: a chain's name begins with that of the incident that began it."""
    found: dict[str, dict[str, Grown]] = {top: {} for top in origins.values()}
    for row in connection.execute(select(_signed.c.chain, _signed.c.length, _signed.c.head).order_by(_signed.c.chain)):
        if (top := origins.get(row.chain.partition(".")[0])) is not None:
            found[top][row.chain] = Grown(row.length, row.head)
    return found


def _not_as_signed(connection: Connection, chains: Mapping[str, Grown]) -> str:
    """Say what is wrong where what is there is not just what was signed: that is looked at, and never deleted."""
    there: dict[str, tuple[int, str]] = {}
    for some in _some(sorted(chains)):
        ends = (
            select(_evidence.c.chain, func.count().label("count"), func.max(_evidence.c.seq).label("length"))
            .where(_evidence.c.chain.in_(some))
            .group_by(_evidence.c.chain)
            .subquery()
        )
        last = and_(_evidence.c.chain == ends.c.chain, _evidence.c.seq == ends.c.length)
        query = select(ends.c.chain, ends.c.count, ends.c.length, _evidence.c.hash).join(_evidence, last)
        there |= {row[0]: (row[2] if row[1] == row[2] else 0, row[3]) for row in connection.execute(query)}
    wrong = sorted(name for name, each in chains.items() if there.get(name) != (each.length, each.head))
    return f"{wrong[0]} is not as it was signed" if wrong else ""


def _told(connection: Connection, shown: Sequence[Old], after_s: float, by: str, now: float) -> dict[str, Any]:
    """Return what is told of it for good: also when each incident's credentials came, so that periods count it."""
    came = responses.came(connection, [each for one in shown for each in one.family])
    incidents = []
    for one in shown:
        for name in one.family:
            mine = [each.length for chain, each in one.chains.items() if chain.partition(".")[0] == name]
            told = {"incident": name, "closed_at": one.closed_at, "came": came.get(name, [])}
            incidents.append({**told, "chains": len(mine), "records": sum(mine)})
    why = f"[evidence] delete_after = {after_s / 86_400:g}d"
    return {"at": now, "act": ACT, "by": by, "reason": why, "incidents": incidents}


def _some(names: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(names), _FEW):
        yield names[start : start + _FEW]
