"""The product's core on a real ledger, between fakes: declared, driven as dispatcher and worker do, and looked at.

Time is the world's: it moves on only when nothing is due. `Watched` passes every use of the ledger by the world's
`meet`, so that one numbering covers every effect and every commit.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import event, select

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.dispatcher import Dispatcher
from rotator.engine import Engine
from rotator.flow.exposure import Exposure
from rotator.flow.incident import Incident, Severity
from rotator.flow.plan import make
from rotator.flow.planned import Plan
from rotator.flow.playbook_words import Strategy
from rotator.flow.scope import ConsumerAddress, Custody, Scoped, Unresolved
from rotator.ledger import clocks, enrolled, service, tables, why_stopped
from rotator.ledger.database import Database
from rotator.ledger.dismissing import Dismissing
from rotator.ledger.due import RESEND_S, DueWork
from rotator.ledger.enrolment import Enrolment
from rotator.ledger.gates import Gates
from rotator.ledger.hands import Hands
from rotator.ledger.reading import Reading
from rotator.ledger.stopping import Stops
from rotator.ledger.working import WorkingLedger
from rotator.playbook_file import load_all
from rotator.ports.consumer import Consumer
from rotator.ports.provider import Provider
from rotator.ports.store import Place, Store
from rotator.seal import Seal
from tests import ledgers_at_once
from tests.fakes.world import World

PLAYBOOKS = load_all()
SEAL = Seal(bytes(32))
WEEK = 7 * 86400.0
READS = {
    "material",
    "has_open_readers",
    "paused_vendor",
    "answered_elsewhere",
    "is_shut",
    "kept_from_destroying",
    "kept_from_taking_back",
    "ours",
}


def sqlite(path: Path) -> Database:
    """Open a migrated SQLite ledger; what is kept need not survive a power cut of the tests' machine."""
    database = Database(f"sqlite:///{path}")

    @event.listens_for(database.engine, "connect")
    def _hasten(connection: Any, _record: object) -> None:
        connection.execute("PRAGMA synchronous=OFF")

    ledgers_at_once.migrate(database)
    return database


def emptied(database: Database) -> Database:
    """Forget everything in a ledger, its tables kept."""
    with database.write() as connection:
        for table in reversed(tables.metadata.sorted_tables):
            connection.execute(table.delete())
    return database


class Watched:
    """A ledger whose every use the world meets."""

    def __init__(self, ledger: WorkingLedger, world: World) -> None:
        self._ledger, self._world = ledger, world

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._ledger, name)

        def watched(*args: Any, **named: Any) -> Any:
            self._world.meet("before", f"ledger.{name}", name not in READS)
            answer = method(*args, **named)
            self._world.meet("after", f"ledger.{name}", name not in READS)
            return answer

        return watched


@dataclass
class Outside:
    """Implements `world.World` with whatever fakes it is given."""

    providers: dict[tuple[str, str], Provider] = field(default_factory=dict)
    stores: dict[str, Store] = field(default_factory=dict)
    consumers: dict[str, Consumer] = field(default_factory=dict)

    def provider(self, ref: CredentialRef) -> Provider:
        return self.providers[ref.provider, ref.connection]

    def store(self, place: Place) -> Store:
        return self.stores[place.connection]

    def consumer(self, address: ConsumerAddress) -> Consumer:
        return self.consumers[address.name]


class Deployment:
    """One ledger, one world, and as many workers as a test wants, one after the other."""

    def __init__(self, world: World, outside: Outside, database: Database) -> None:
        self.world, self.outside, self.database = world, outside, database
        self.due = DueWork(database, world.now)
        self.reading = Reading(database)
        self.enrolment = Enrolment(database, SEAL, world.now)
        self.hands = Hands(database, world.now)
        self.stops = Stops(database, world.now)
        self.dismissing = Dismissing(database, world.now)
        self.gates = Gates(database, world.now)
        self.workers = 0

    def engine(self) -> Engine:
        """Hire a worker."""
        self.workers += 1
        ledger = Watched(WorkingLedger(self.database, SEAL, self.world.now), self.world)
        return Engine(ledger, self.outside, f"worker-{self.workers}", self.world.now)

    def declare(
        self,
        scoped: Iterable[Scoped],
        unresolved: Iterable[Unresolved] = (),
        wanted: Strategy | None = None,
        incident: str = "inc-1",
        footholds: Iterable[str] = (),
    ) -> Plan:
        """Plan and declare; nothing starts."""
        found = list(scoped)
        targets = {
            each.ref: tuple(self.outside.provider(each.ref).targets(each.ref))
            for each in found
            if hasattr(self.outside.provider(each.ref), "targets")
        }
        plan = make(
            found,
            unresolved,
            PLAYBOOKS,
            targets,
            wanted=wanted,
            elsewhere=self.reading.elsewhere(),
            costs=lambda kind, connection: self.outside.provider(CredentialRef(kind, connection, "", "")).calls,
        )
        now = self.world.now()
        self.enrolment.declare(
            Incident(incident, "a stolen laptop", Severity.HIGH, detected_at=now, declared_at=now),
            plan,
            {each.ref: each.leaked.secret for each in found if each.leaked.secret},
            {each.ref: each.exposures for each in found},
            by="test",
            footholds=footholds,
        )
        return plan

    def start(
        self,
        scoped: Iterable[Scoped],
        wanted: Strategy | None = None,
        incident: str = "inc-1",
        footholds: Iterable[str] = (),
    ) -> Plan:
        """Plan, declare and approve."""
        plan = self.declare(scoped, wanted=wanted, incident=incident, footholds=footholds)
        self.enrolment.approve(incident, plan.digest, by="test")
        return plan

    def rest(self, worker: Engine | None = None, patience_s: float = 2 * WEEK, messages: int = 2000) -> None:
        """Send and take messages, waiting where nothing is due, until nothing will be within `patience_s`."""
        worker = worker or self.engine()
        until = self.world.now() + patience_s
        for _ in range(messages):
            self.due.wake_leak_safe()
            self.due.wake_at_gates()
            self.due.wake_minting()
            self.due.open_waves()
            found = self.due.take_due(1000)
            for branch, _lane in found:
                worker.advance(branch)
            if found:
                continue
            next_at = self._next_due()
            if next_at is None or next_at > until:
                return
            self.world.wait_until(next_at)
        raise AssertionError(f"not at rest after {messages} rounds: {self.branches()}")

    def recover(self) -> Engine:
        """Do what a dispatcher does when a worker is gone: free its claims. Hire another."""
        Dispatcher(self.due, lambda _branch, _lane: None, "dispatcher").take_over_alone()
        return self.engine()

    def branches(self) -> list[tuple[str, str, str | None]]:
        with self.database.read() as connection:
            branch = tables.branch
            query = select(branch.c.id, branch.c.state, branch.c.reason).order_by(branch.c.id)
            return [(row.id, row.state, row.reason) for row in connection.execute(query)]

    def record(self, incident: str = "inc-1") -> Any:
        return self.reading.incident(incident)

    def steps(self, run: str = "inc-1.r1") -> dict[str, str]:
        """Return the state of every step of a run by its name and door."""
        found = next(each for each in self.record(run.rpartition(".")[0]).runs if each.run.id == run)
        return {f"{step.name}@{step.target}" if step.target else step.name: step.state.value for step in found.steps}

    def rows(self, table: str) -> list[Mapping[str, Any]]:
        with self.database.read() as connection:
            return [dict(row) for row in connection.execute(select(tables.metadata.tables[table])).mappings()]

    def evidence(self, chain: str) -> list[dict[str, Any]]:
        """Return one chain's records in order, but for those that tell a run's clocks, or what was enrolled."""
        return [each for each in self._told(chain) if each.get("act") not in {clocks.ACT, enrolled.ACT}]

    def clocks(self, chain: str) -> list[dict[str, Any]]:
        """Return what one chain tells of a run's clocks, in order."""
        return [each for each in self._told(chain) if each.get("act") == clocks.ACT]

    def _told(self, chain: str) -> list[dict[str, Any]]:
        kept = [row for row in self.rows("evidence") if row["chain"] == chain]
        return [json.loads(row["body"]) for row in sorted(kept, key=lambda row: row["seq"])]

    def _next_due(self) -> float | None:
        with self.database.read() as connection:
            moving = connection.execute(select(tables.branch).where(why_stopped.of_branch().is_(None))).mappings().all()
        waiting = [
            row["due_at"] if row["sent_at"] is None else row["sent_at"] + RESEND_S + 1.0
            for row in moving
            if row["state"] in {"open", "held"} and row["due_at"] is not None and row["holder"] is None
        ]
        return min(waiting, default=None)


def broken_chains(deployment: Deployment) -> list[str]:
    """Return what is wrong with the evidence: every chain is computed again from the bytes as they are stored."""
    wrong: list[str] = []
    kept = deployment.rows("evidence")
    heads = {row["id"]: row for table in ("branch", "incident") for row in deployment.rows(table)}
    heads |= {f"vendor.{row['name']}": row for row in deployment.rows("vendor")}
    if own := sorted((row for row in kept if row["chain"] == service.CHAIN), key=lambda row: row["seq"]):
        # No row promises the service's own length: that it goes on without a gap is all that can be asked of it.
        heads[service.CHAIN] = {"length": own[-1]["seq"], "head": own[-1]["hash"]}
    wrong += [f"{row['chain']} belongs to nothing" for row in kept if row["chain"] not in heads]
    for name, head in heads.items():
        chain = sorted((row for row in kept if row["chain"] == name), key=lambda row: row["seq"])
        previous = ""
        for number, row in enumerate(chain, start=1):
            body = json.loads(row["body"])
            if (row["seq"], body["seq"], body["chain"], body["previous"]) != (number, number, name, previous):
                wrong.append(f"{name} {number}: {body['seq']} after {body['previous']}")
            if hashlib.sha256(row["body"].encode()).hexdigest() != row["hash"]:
                wrong.append(f"{name} {number}: the hash is not the body's")
            previous = row["hash"]
        if (head["length"], head["head"]) != (len(chain), previous):
            wrong.append(f"{name}: {head['length']} records and {head['head']} are promised")
    return wrong


def scoped(
    ref: CredentialRef,
    secret: Secret | None,
    *places: Place,
    consumers: tuple[str, ...] = (),
    reads: tuple[str, ...] | None = (),
    criticality: str = "medium",
) -> Scoped:
    """Say of a stolen credential what triage would: where its replacement goes, who hears of it, what it reads."""
    leaked = Leaked(id=ref.id, secret=secret)
    return Scoped(
        ref=ref,
        kind=ref.provider,
        leaked=leaked,
        exposures=(Exposure("list", ref.provider, leaked, path="laptop/.env", line=7),),
        custody=Custody(
            match={"id": ref.id},
            criticality=criticality,
            reads=reads,
            deliver=places,
            consumers=tuple(ConsumerAddress("webhook", each) for each in consumers),
        ),
        why="seen",
    )
