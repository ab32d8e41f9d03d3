"""Looks at the world in the very moment in which harm comes to be: what the end would not show any more."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable
from typing import Any

from rotator.flow.playbook_words import Strategy
from rotator.ports.connection import CALL_DEADLINE_S
from tests.soak.estate import Case, Estate, Stolen
from tests.soak.world import SoakWorld

REPLACING = {Strategy.CONTAIN_FIRST, Strategy.REPLACE_FIRST}
STOPS = {"issuer.suspend", "issuer.revoke", "issuer.uninstall"}


class Watch:
    """Sees every exchange and every commit. `harm` has (count, what), as the end adds it up."""

    def __init__(self, world: SoakWorld, estate: Estate, ledger: sqlite3.Connection) -> None:
        self.world, self.estate = world, estate
        self.harm: list[tuple[str, str, str]] = []
        self.errors: list[str] = []
        self.lost_claims = 0
        self._ledger = ledger
        self._said: dict[str, str] = {}
        self._version: int | None = None
        self._jumped = False
        self._by_id: dict[str, tuple[Case, Stolen]] = {}
        self._at_place: dict[str, tuple[Case, Stolen]] = {}
        self._of_owner: dict[str, Case] = {}
        self._slots: Counter[str] = Counter()
        world.told.append(self._told)
        world.after_commit = self._committed

    def expect(self, case: Case, some: Iterable[Stolen]) -> None:
        """Know what of an incident is planned now."""
        for stolen in some:
            self._by_id[stolen.ref.id] = case, stolen
            self._of_owner[stolen.ref.owner] = case
            if case.strategies[stolen.ref.id] in REPLACING:
                for place in stolen.scoped.custody.deliver:
                    self._at_place[f"{place.connection}:{place.name}"] = case, stolen
                self._slots[stolen.ref.owner] += 1

    def clock_jumped(self) -> None:
        """Compare no times of different processes any more: from now on their clocks differ."""
        self._jumped = True

    def failed(self, who: str, error: Exception) -> None:
        """Note an exception that reached the process itself."""
        self.errors.append(f"{who}: {type(error).__name__}")

    def harmed_vendor(self, what: str) -> None:
        """Note that a vendor which is paused was given something."""
        self._note(self.estate.cases[0], "doubled", what)

    def close(self) -> None:
        self._ledger.close()

    def _told(self, what: str, about: str, _answer: Any) -> None:
        if what == "store.stage" and about in self._at_place:
            self._new_secret_at(about.partition(":")[0], *self._at_place[about])
        elif what == "store.promote":
            self._promoted(about)
        elif what in STOPS:
            self._stopped(about.partition("@")[0])
            if what == "issuer.revoke":
                self._destroyed(about.partition("@")[0])
        elif what == "issuer.issue":
            self._minted(about)

    def _new_secret_at(self, connection: str, case: Case, mine: Stolen) -> None:
        strategy = case.strategies[mine.ref.id]
        if strategy is Strategy.CONTAIN_FIRST and self._is_open(mine):
            self._note(case, "secrets found outside", f"a new secret came before {mine.ref} was contained")
        for other in case.stolen:
            reads = {connection, mine.ref.connection} & other.scoped.reaches
            if other is mine or not reads or case.strategies[other.ref.id] is Strategy.REPLACE_FIRST:
                continue
            if self._is_open(other) and not self._is_dismissed(other, mine):
                self._note(case, "secrets found outside", f"{mine.ref}'s new secret is where {other.ref} may read")

    def _is_dismissed(self, reader: Stolen, mine: Stolen) -> bool:
        """Tell whether nobody counts it as a reader, or nobody did when the mint began that has staged now."""
        if reader.ref.id in self.world.dismissed:
            return True
        opened_at = self.world.opened_at.get(reader.ref.id)
        begun = "SELECT min(started_at) FROM step JOIN run ON run.id = step.run WHERE owner = ? AND verb IN (?, ?)"
        [[began]] = self._ledger.execute(begun, (mine.ref.owner, "issue", "generate"))
        return opened_at is not None and began is not None and began < opened_at

    def _promoted(self, about: str) -> None:
        moves = self.world.places()[about].get("moves", [])
        if not moves or moves[-1].get("seen"):
            return
        moves[-1]["seen"] = True
        case = self._at_place[about][0]
        if moves[-1]["over_unread"]:
            self._note(case, "lost", f"what another hand wrote to {about} was overwritten unread")
        if not self.world.opens_everywhere(moves[-1]["id"]):
            self._note(case, "lost", f"{about} was given {moves[-1]['id']}, which does not open every door")
        if any(each["to"] == moves[-1]["to"] for each in moves[:-1]):
            self._note(case, "doubled", f"{about} was moved to {moves[-1]['to']} twice")

    def _minted(self, owner: str) -> None:
        """See that there is one mint at a time, and none while an earlier one of the same run lives on."""
        case = self._of_owner[owner]
        now = self.world.now()
        at_it = [
            actor
            for actor, asked_at in self.world.minting[owner].items()
            if not actor.process.dead and now - asked_at <= CALL_DEADLINE_S
        ]
        if len(at_it) > 1:
            self._note(case, "doubled", f"{len(at_it)} mints for {owner} at a time")
        living = [
            name
            for name in self.world.minted - self.world.minted_late
            if self.world.credentials()[name]["owner"] == owner and self.world.opens_everywhere(name)
        ]
        if len(living) > self._slots[owner]:
            self._note(case, "doubled", f"{owner} was given {sorted(living)} where {self._slots[owner]} should be")

    def _stopped(self, name: str) -> None:
        case, stolen = self._by_id.get(name, (None, None))
        if case is None or stolen is None or case.strategies[name] is not Strategy.REPLACE_FIRST:
            return
        holders = self.world.holders()
        behind = [
            each.name
            for each in stolen.scoped.custody.consumers
            if each.name not in self.estate.silent and holders.get(each.name) == name
        ]
        if behind:
            self._note(case, "lost", f"{name} was stopped while {behind} held it")

    def _destroyed(self, name: str) -> None:
        """See that no incident that has it kept it back when its destruction was begun."""
        begun = "SELECT max(intended_at) FROM step JOIN run ON run.id = step.run WHERE verb = 'revoke'"
        [[intended]] = self._ledger.execute(f"{begun} AND credential = ? AND subject = 'exposed'", (name,))
        kept = (
            "SELECT gate.incident, gate.name FROM gate JOIN run ON run.incident = gate.incident WHERE open = 0"
            " AND run.dismissed IS NULL AND credential = ? AND gate.name = 'no_legal_hold' AND gate.at < ? AND EXISTS"
            " (SELECT 1 FROM step WHERE step.run = run.id AND verb = 'revoke' AND hold_until = gate.name)"
        )
        found = [] if self._jumped or intended is None else self._ledger.execute(kept, (name, intended)).fetchall()
        for incident, gate in found:
            self._note(self._by_id[name][0], "lost", f"{name} was destroyed while {incident} kept it ({gate})")

    def _is_open(self, stolen: Stolen) -> bool:
        return stolen.ref.id not in self.world.resumed and self.world.may_open(stolen.ref.id)

    def _committed(self) -> None:
        """Compare what the ledger has just begun to say with the world."""
        [version] = self._ledger.execute("PRAGMA data_version").fetchone()
        if version == self._version:
            return  # nobody has written since
        self._version = version
        said = {
            run: (evidence, credential, dead_at)
            for run, evidence, credential, dead_at in self._ledger.execute(
                "SELECT id, evidence, credential, dead_at FROM run WHERE evidence <> 'none'"
            )
        }
        for run, (evidence, name, dead_at) in said.items():
            if self._said.get(run) == evidence:
                continue
            case, _ = self._by_id[name]
            unseen = self.world.was_resumed_since_refused(name) or self.world.was_open_between_knocks(name, dead_at)
            if self.world.may_open(name) and not unseen:
                self._note(case, "live exposed", f"{run}: called {evidence} dead while some door lets {name} in")
            if not self._jumped and dead_at is not None and dead_at < self.world.accepted_at.get(name, 0.0):
                self._note(case, "live exposed", f"{run}: called dead since before {name} was last let in")
        self._said = {run: evidence for run, (evidence, _, _) in said.items()}

    def _note(self, case: Case, count: str, what: str) -> None:
        self.harm.append((count, case.id, what))
