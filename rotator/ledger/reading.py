"""What reports, boards and the command line read of the ledger.

Each way to read imports what it takes: who lists incidents waits for nothing that a report is made of.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from rotator.flow.incident import Purpose
from rotator.flow.run import BranchState
from rotator.ledger import listing, names, tables
from rotator.ledger.database import Database
from rotator.ledger.listing import Part
from rotator.ledger.records import IncidentRecord, Listed, Progress, RunRecord
from rotator.ledger.which import Which, parts

if TYPE_CHECKING:
    from rotator.credential import CredentialRef
    from rotator.flow.approval import Policy
    from rotator.flow.order import Elsewhere
    from rotator.flow.planned import Plan
    from rotator.ledger.moving import Moving
    from rotator.ledger.outline import Outline
    from rotator.ledger.stops import Stop
    from rotator.ledger.told import Told
    from rotator.ports.store import Place


class Reading:
    """Read-only views."""

    def __init__(self, database: Database, policy: Policy | None = None) -> None:
        self._database, self._policy = database, policy

    def incidents(self, part: Part = Part()) -> list[Listed]:  # noqa: B008 - it never changes
        """Return incidents, the newest first: see `listing.py`."""
        with self._database.read() as connection:
            return listing.listed(connection, part)

    def count(self, part: Part) -> int:
        """Return how many incidents a part has."""
        with self._database.read() as connection:
            return listing.count(connection, part)

    def counted(self) -> Counter[tuple[Purpose, bool]]:
        """Return how many incidents there are of each purpose that are open, and that are not."""
        with self._database.read() as connection:
            return listing.counted(connection)

    def named(self, incident: str) -> str:
        """Return the id that a person meant: itself, or the newest one for `last`. Raises BadInput for no incident."""
        with self._database.read() as connection:
            return names.incident(connection, incident)

    def run_named(self, run: str) -> str:
        """Return the run that a person named. Raises BadInput for none, with the one that may be meant."""
        with self._database.read() as connection:
            return names.run(connection, run)

    def holding(self, incident: str, name: str) -> str:
        """Return which incident, of one and what was merged into it, has a credential, run or task of that name.

        The one itself where none has. Raises BadInput where several have.
        """
        from rotator.ledger import revisions  # noqa: PLC0415

        with self._database.read() as connection:
            return revisions.holding(connection, incident, name)

    def answered(
        self, deliver: Mapping[CredentialRef, tuple[Place, ...]], incident: str = ""
    ) -> dict[CredentialRef, str]:
        """Return, for each credential whose replacement an earlier run has made or is about to, that run's id.

        Of an `incident` that grows, what it has planned counts too.
        """
        from rotator.ledger import earlier  # noqa: PLC0415

        with self._database.read() as connection:
            return earlier.answered(connection, deliver, incident)

    def elsewhere(self, incident: str = "") -> Elsewhere:
        """Return what runs that are replaced first still have before them, in all that is approved or of `incident`."""
        from rotator.ledger import earlier  # noqa: PLC0415

        with self._database.read() as connection:
            return earlier.elsewhere(connection, incident)

    def standing(self, refs: Iterable[CredentialRef]) -> list[tuple[str, str, int]]:
        """Return the incidents that are not done with some of these: each, how it stands, and with how many."""
        from rotator.ledger import earlier  # noqa: PLC0415

        with self._database.read() as connection:
            return earlier.standing(connection, refs)

    def canaries(self, refs: Iterable[CredentialRef]) -> dict[CredentialRef, str]:
        """Return which of these a person dismissed as a canary, in which incident."""
        from rotator.ledger import dismissals  # noqa: PLC0415

        with self._database.read() as connection:
            return dismissals.canaries(connection, refs)

    def planned(self, incident: str, number: int | None = None) -> dict[str, Any]:
        """Return a revision of a plan as it was shown, the newest if none is named; empty where none was kept."""
        from rotator.ledger import plans  # noqa: PLC0415

        with self._database.read() as connection:
            return plans.shown(connection, incident, number)

    def beside(self, incident: str, plan: Plan) -> tuple[list[str], dict[tuple[str, ...], str]]:
        """Return how a plan goes with what is there already, a sentence each; and which run made which of what leaked.

        `incident` is "" for one that is not there yet. A credential is told by provider, connection, owner and id.
        """
        from rotator.ledger import beside  # noqa: PLC0415

        with self._database.read() as connection:
            return beside.beside(connection, incident, plan)

    def told(self) -> list[Told]:
        """Return what people were told, in the order in which the messages were made."""
        from rotator.ledger import told  # noqa: PLC0415

        with self._database.read() as connection:
            return told.told(connection)

    def totals(self) -> list[tuple[str, str, int]]:
        """Return (kind, evidence, count) over all incidents."""
        run = tables.run
        with self._database.read() as connection:
            query = select(run.c.kind, run.c.evidence, func.count()).group_by(run.c.kind, run.c.evidence)
            return [(kind, evidence, count) for kind, evidence, count in connection.execute(query)]

    def scheduled(self) -> tuple[int, float | None]:
        """Return how many branches, of any incident, wait for their time, and when the first comes; None for none."""
        branch = tables.branch
        waiting = (branch.c.state == BranchState.HELD.value, branch.c.due_at.is_not(None))
        with self._database.read() as connection:
            count, first = connection.execute(select(func.count(), func.min(branch.c.due_at)).where(*waiting)).one()
        return count, first

    def progress(self, incident: str, now: float) -> Progress:
        """Return the counts of one incident, cheaply enough to be asked several times a second."""
        from rotator.ledger import counting  # noqa: PLC0415

        with self._database.read() as connection:
            return counting.progress(connection, incident, now)

    def moving(self, every: Iterable[str], untold: Iterable[str], now: float) -> Moving:
        """Return what still moves of an incident and what was merged into it: see `moving.py`."""
        from rotator.ledger import moving  # noqa: PLC0415

        with self._database.read() as connection:
            return moving.moving(connection, list(every), untold, now)

    def incident(self, incident: str) -> IncidentRecord:
        """Return one incident whole, from one consistent state. Raises BadInput when there is none."""
        from rotator.ledger.whole import whole  # noqa: PLC0415

        with self._database.read() as connection:
            return whole(connection, incident, self._policy)

    def few(self, incident: str, names: Iterable[str]) -> IncidentRecord:
        """Return an incident with a few of its runs and tasks alone, as much of it as a report's rows of them take.

        With them are the other runs of their credentials, and those for which they wait. Raises BadInput for no such
        incident. What is none of its own, or of what was merged into it, is left out.
        """
        from rotator.ledger import few  # noqa: PLC0415

        with self._database.read() as connection:
            return few.few(connection, incident, names)

    def head(self, incident: str, names: Iterable[str]) -> IncidentRecord:
        """Return the same with all that is said of the incident as a whole."""
        from rotator.ledger import few  # noqa: PLC0415

        with self._database.read() as connection:
            return few.headed(connection, few.few(connection, incident, names), self._policy)

    def runs(self, names: Iterable[str]) -> list[RunRecord]:
        """Return how a few runs stand, of whatever incident: not what people accepted, nor what keeps each waiting."""
        from rotator.ledger import run_records  # noqa: PLC0415

        with self._database.read() as connection:
            return [one for each in parts(names) for one in run_records.standing(connection, Which("", each))]

    def outline(self, incident: str) -> Outline:
        """Return what belongs to an incident, its runs left out. Raises BadInput when there is none."""
        from rotator.ledger import outline  # noqa: PLC0415

        with self._database.read() as connection:
            return outline.outline(connection, incident)

    def names(self, every: Iterable[str]) -> list[str]:
        """Return the names of the runs of incidents, the most urgent first."""
        from rotator.ledger import outline  # noqa: PLC0415

        with self._database.read() as connection:
            return outline.names(connection, every)

    def beside_runs(self, runs: Iterable[str]) -> tuple[set[str], set[str], list[Stop]]:
        """Return the ids of the credentials of runs, the owners of whom a mint is not settled, and what is stopped."""
        from rotator.ledger import outline, stops  # noqa: PLC0415

        with self._database.read() as connection:
            ids = outline.credentials(connection, runs)
            return ids, outline.late_owners(connection), stops.find(connection)
