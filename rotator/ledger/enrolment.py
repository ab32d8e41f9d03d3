"""Write a declared incident with its plan, and approve the plan."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Select, and_, func, insert, select, update

from rotator import clock
from rotator.credential import CredentialRef, Secret
from rotator.errors import BadInput
from rotator.flow.exclusion import Excluded
from rotator.flow.exposure import Exposure
from rotator.flow.incident import Incident
from rotator.flow.plan import Plan, PlannedRun
from rotator.flow.playbook_words import Strategy
from rotator.flow.run import BranchState, Step, calls_ahead
from rotator.ledger import opening, plans, rows, tables
from rotator.ledger.acts import act, said
from rotator.ledger.database import Database
from rotator.seal import Seal

APPROVING = 491286115
"""The advisory lock of PostgreSQL under which plans are approved, one after the other."""
_Batch = dict[str, list[dict[str, Any]]]
"""Rows by their table's name."""
NO_DOCUMENT: Mapping[str, Any] = {}
KEEP_MATERIAL_S = 30 * 86400.0
"""After this, an exposed secret is destroyed even when its death could not be proven."""


def new_incident_id(now: float) -> str:
    """Return an id that sorts by day and that a person can say aloud."""
    return f"inc-{datetime.fromtimestamp(now, UTC):%Y%m%d}-{secrets.token_hex(3)}"


class Enrolment:
    """Declare incidents and approve their plans. `account_of` names the account of a connection, for its budget.

    `basis` tells what a plan stands on now: one of which that has changed since it was made is stale.
    """

    def __init__(
        self,
        database: Database,
        seal: Seal,
        clock: Callable[[], float] = clock.now,
        account_of: Callable[[str], str] = lambda _connection: "",
        basis: plans.Basis = lambda _credentials, _used: {},
    ) -> None:
        self._database, self._seal, self._clock, self._account_of = database, seal, clock, account_of
        self._basis = basis

    def declare(
        self,
        incident: Incident,
        plan: Plan,
        materials: Mapping[CredentialRef, Secret],
        exposures: Mapping[CredentialRef, Iterable[Exposure]],
        by: str,
        *,
        footholds: Iterable[str] = (),
        approved: bool = False,
        document: Mapping[str, Any] = NO_DOCUMENT,
    ) -> None:
        """Write the incident, one run per credential, and seal what is needed for the final knock.

        `footholds` are hosts on which the attacker ran, `document` is the plan as it is shown. Nothing starts, unless
        whoever declares it has `approved` the plan: then both are written, or neither.
        """
        batch: _Batch = {table.name: [] for table in tables.metadata.sorted_tables}
        run_of = {planned.ref: f"{incident.id}.r{number}" for number, planned in enumerate(plan.runs, start=1)}
        on = sorted(set(footholds))
        for planned in plan.runs:
            run = run_of[planned.ref]
            self._enrol(batch, run, incident, planned)
            batch["awaits"] += [{"run": run, "lifeline": run_of[each], "open": 1} for each in planned.awaits]
            secret = materials.get(planned.ref)
            if secret is not None:
                expires_at = incident.declared_at + KEEP_MATERIAL_S
                batch["sealed"].append({"run": run, "blob": self._seal.close(secret, run), "expires_at": expires_at})
            batch["exposure"] += [_exposure_row(each, incident.id, run, None) for each in exposures[planned.ref]]
        for number, entry in enumerate(plan.manual, start=1):
            manual = f"{incident.id}.m{number}"
            batch["manual"].append(
                {
                    "id": manual,
                    "incident": incident.id,
                    "kind": entry.kind,
                    "key": entry.key,
                    "reason": entry.reason,
                    "mend": entry.mend,
                    "dismissed": None,
                }
            )
            batch["exposure"] += [_exposure_row(each, incident.id, None, manual) for each in entry.exposures]
        for number, out in enumerate(plan.excluded, start=1):
            name = f"{incident.id}.x{number}"
            batch["manual"].append(
                {
                    "id": name,
                    "incident": incident.id,
                    "kind": out.kind,
                    "key": out.key,
                    "reason": f"excluded from the plan by {out.selector}",
                    "mend": "declare it again without that exclusion",
                    "dismissed": said(out.by, out.reason),
                }
            )
            batch["exposure"] += [_exposure_row(each, incident.id, None, name) for each in out.exposures]
        with self._database.write() as connection:
            connection.execute(
                insert(tables.incident).values(
                    **rows.plain({**asdict(incident), "severity": incident.severity.value}),
                    plan_digest=plan.digest,
                    waves=plan.waves,
                    length=0,
                    head="",
                )
            )
            for table in tables.metadata.sorted_tables:
                if batch[table.name]:
                    connection.execute(insert(table), rows.plain(batch[table.name]))
            told = {"incident": incident.id, "state": "open", "at": incident.declared_at, "by": by}
            for host in on:
                connection.execute(insert(tables.foothold).values(**told, host=host, reason="declared"))
            document_print = plans.keep(connection, incident.id, plan.digest, document, self._basis)
            act(
                connection,
                incident.id,
                {
                    "at": incident.declared_at,
                    "act": "declared",
                    "by": by,
                    "plan": plan.digest,
                    "document": document_print,
                    "credentials": len(plan.runs) + len(plan.manual) + len(plan.excluded),
                    "warnings": list(plan.warnings),
                    **({"excluded": [_left_out(each) for each in plan.excluded]} if plan.excluded else {}),
                    **({"footholds": on} if on else {}),
                },
            )
            if approved:
                self._approve(connection, incident.id, plan.digest, by)

    def _enrol(self, batch: _Batch, run: str, incident: Incident, planned: PlannedRun) -> None:
        ref = planned.ref
        batch["run"].append(
            {
                "id": run,
                "incident": incident.id,
                "provider": ref.provider,
                "connection": ref.connection,
                "owner": ref.owner,
                "credential": ref.id,
                "generation": ref.generation,
                "kind": planned.kind,
                "strategy": planned.strategy.value,
                "why": planned.why,
                "priority": planned.priority,
                "wave": planned.wave,
                "deliver": rows.places_text(planned.deliver),
                "consumers": rows.consumers_text(planned.consumers),
                "evidence": "none",
            }
        )
        lives_on = planned.strategy is Strategy.REPLACE_FIRST and not planned.reach_known
        lives = tables.LIVES_ON if lives_on else tables.LIVES
        batch["reach"] += [
            {"run": run, "incident": incident.id, "connection": each, "open": -lives} for each in planned.reaches
        ]
        batch["delivery"] += [{"run": run, "connection": each} for each in planned.passes]
        batch["stands"] += [
            {"run": run, "host": each} for each in sorted({told.host for told in planned.consumers if told.host})
        ]
        doors = {target for segment in planned.segments for target in segment.targets if target} or {""}
        batch["proof"] += [{"run": run, "target": door, "mismatch": 0, "evidence": "none"} for door in sorted(doors)]
        for index, segment in enumerate(planned.segments):
            for place, target in enumerate(segment.targets):
                branch = f"{run}.{index}.{place}"
                batch["branch"].append(
                    {
                        "id": branch,
                        "run": run,
                        "incident": incident.id,
                        "segment": index,
                        "target": target,
                        "quorum": segment.quorum,
                        "state": BranchState.WAITING.value,
                        "lane": segment.steps[0].lane.value,
                        "account": self._account_of(ref.connection),
                        "calls": calls_ahead(segment.steps),
                        "priority": planned.priority,
                        "fence": 0,
                        "beat": 0,
                        "length": 0,
                        "head": "",
                    }
                )
                batch["step"] += [
                    rows.step_row(
                        Step(
                            id=f"{branch}.{each.name}",
                            branch=branch,
                            position=index * 10_000 + (number + 1) * 100,
                            target=target,
                            **asdict(each),
                        ),
                        run,
                    )
                    for number, each in enumerate(segment.steps)
                ]

    def approve(self, incident: str, digest: str, by: str) -> bool:
        """Open the first segment of every run that waits for no wave and no other; False where that was done before.

        Raises BadInput when the plan is not the one that was shown, or is stale: see `plans.stale`.
        """
        with self._database.write() as connection:
            return self._approve(connection, incident, digest, by)

    def stale(self, incident: str) -> str:
        """Say why the plan of an incident may not be approved any more, "" where it may."""
        with self._database.read() as connection:
            found = plans.stale(connection, incident, self._basis)
        return f"{found[0]}; {found[1]}" if found else ""

    def _approve(self, connection: Connection, incident: str, digest: str, by: str) -> bool:
        now = self._clock()
        if connection.dialect.name != "sqlite":
            # Two approvals at once would each miss what the other is about to replace. (SQLite has one writer anyway.)
            connection.execute(select(func.pg_advisory_xact_lock(APPROVING)))
        row = connection.execute(select(tables.incident).where(tables.incident.c.id == incident)).mappings().first()
        if row is None:
            raise BadInput("no such incident", incident, "rotator incident list shows them")
        if row["plan_digest"] != digest:
            raise BadInput(
                f"the plan is {row['plan_digest']}, not {digest}", incident, f"look again: rotator plan {incident}"
            )
        if row["approved_at"] is not None:
            return False
        if (found := plans.stale(connection, incident, self._basis)) is not None:
            raise BadInput(f"the plan is stale: {found[0]}", incident, found[1])
        of_incident = {"approved_at": now, "approved_by": by}
        connection.execute(update(tables.incident).where(tables.incident.c.id == incident).values(of_incident))
        connection.execute(update(tables.run).where(tables.run.c.incident == incident).values(requested_at=now))
        living = update(tables.reach).where(tables.reach.c.incident == incident, tables.reach.c.open < 0)
        connection.execute(living.values(open=-tables.reach.c.open))
        earlier = tables.reach.c.run.in_(_earlier_runs(incident))
        connection.execute(update(tables.reach).where(earlier, tables.reach.c.open > 0).values(open=0))
        opening.begin(connection, incident)
        act(connection, incident, {"at": now, "act": "approved", "by": by, "plan": digest})
        return True


def _earlier_runs(incident: str) -> Select[Any]:
    """Ask for the runs of other incidents for credentials of this one, which from now on tells whether they live.

    One that was resumed, or could not be stopped there, would else keep all waiting who deliver where it reads.
    """
    mine, other, reach = tables.run.alias("mine"), tables.run.alias("other"), tables.reach.alias("living")
    same = (mine.c[name] == other.c[name] for name in ("provider", "connection", "owner", "credential", "generation"))
    return (
        select(other.c.id)
        .join(reach, reach.c.run == other.c.id)
        .join(mine, and_(*same))
        .where(mine.c.incident == incident, other.c.incident != incident, reach.c.open > 0)
    )


def _left_out(each: Excluded) -> dict[str, Any]:
    """Return an exclusion as evidence: what lives on, who says so and why, and where it may read."""
    ref = each.ref
    return {
        "kind": each.kind,
        "connection": ref.connection if ref else None,
        "owner": ref.owner if ref else None,
        "credential": each.key,
        "by": each.by,
        "reason": each.reason,
        "selector": each.selector,
        "reaches": sorted(each.reaches),
    }


def _exposure_row(exposure: Exposure, incident: str, run: str | None, manual: str | None) -> dict[str, Any]:
    return {
        "incident": incident,
        "run": run,
        "manual": manual,
        "source": exposure.source,
        "rule": exposure.rule,
        "path": exposure.path,
        "line": exposure.line,
        "commit": exposure.commit,
        "scanner_says": exposure.scanner_says,
        "certainty": exposure.certainty.value,
    }
