"""The rows of a plan: its runs with all that belongs to them, its tasks and what it leaves out, each numbered."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from sqlalchemy import Connection, insert

from rotator.credential import CredentialRef, Secret
from rotator.flow.exposure import Exposure
from rotator.flow.planned import OWNER_ASKED, Plan, PlannedRun, PlannedStep
from rotator.flow.playbook_words import Strategy
from rotator.flow.run import BranchState, Step, calls_ahead
from rotator.flow.step import WAITS_SINCE
from rotator.ledger import drills, rows, tables
from rotator.ledger.acts import said
from rotator.ledger.revisions import NOTHING, Behind
from rotator.seal import Seal

KEEP_MATERIAL_S = 30 * 86400.0
"""After this, an exposed secret is destroyed even when its death could not be proven."""


@dataclass(frozen=True, slots=True)
class PlanRows:
    """What is written of the plan of one revision. `at` is when it is written, in epoch seconds."""

    incident: str
    at: float
    seal: Seal
    account_of: Callable[[str], str]
    behind: Behind = NOTHING
    predecessors: Mapping[CredentialRef, str] = field(default_factory=dict)

    @property
    def revision(self) -> int:
        """Return the number of the revision."""
        return self.behind.revision + 1

    def write(
        self,
        connection: Connection,
        plan: Plan,
        materials: Mapping[CredentialRef, Secret],
        exposures: Mapping[CredentialRef, Iterable[Exposure]],
    ) -> dict[CredentialRef, str]:
        """Write them, and return the run of each credential; nothing starts.

        Raises BadInput where the incident is a drill, and this is not all its own.
        """
        drills.refuse_foreign(connection, self.incident, plan)
        batch: dict[str, list[dict[str, Any]]] = {table.name: [] for table in tables.metadata.sorted_tables}
        run_of = {
            planned.ref: f"{self.incident}.r{number}"
            for number, planned in enumerate(plan.runs, start=self.behind.run + 1)
        }
        for planned in plan.runs:
            run = run_of[planned.ref]
            self._enrol(batch, run, planned)
            batch["awaits"] += [{"run": run, "lifeline": run_of[each], "open": 1} for each in planned.awaits]
            secret = materials.get(planned.ref)
            if secret is not None:
                sealed = {"run": run, "blob": self.seal.close(secret, run), "expires_at": self.at + KEEP_MATERIAL_S}
                batch["sealed"].append(sealed)
            batch["exposure"] += self.seen(exposures[planned.ref], run=run)
        for number, entry in enumerate(plan.manual, start=self.behind.task + 1):
            task = {"id": f"{self.incident}.m{number}", "key": entry.key, "reason": entry.reason, "mend": entry.mend}
            batch["manual"].append(self._of_revision({**task, "kind": entry.kind, "dismissed": None, "connection": ""}))
            batch["exposure"] += self.seen(entry.exposures, manual=task["id"], key=entry.key)
        for number, out in enumerate(plan.excluded, start=self.behind.excluded + 1):
            left = {
                "id": f"{self.incident}.x{number}",
                "kind": out.kind,
                "key": out.key,
                "reason": f"excluded from the plan by {out.selector}",
                "mend": "declare it again without that exclusion",
                "dismissed": said(out.by, out.reason),
                "connection": out.ref.connection if out.ref is not None else "",
            }
            batch["manual"].append(self._of_revision(left))
            if out.disposition is not None:
                told = {"of": left["id"], "disposition": out.disposition.value, "by": out.by, "reason": out.reason}
                batch["dismissal"].append({**told, "incident": self.incident, "at": self.at})
            batch["exposure"] += self.seen(out.exposures, manual=str(left["id"]), key=out.key)
        for table in tables.metadata.sorted_tables:
            if batch[table.name]:
                connection.execute(insert(table), rows.plain(batch[table.name]))
        return run_of

    def seen(
        self, exposures: Iterable[Exposure], *, run: str | None = None, manual: str | None = None, key: str = ""
    ) -> list[dict[str, Any]]:
        """Return the rows of where a credential was seen; `key` tells it apart where the report does not."""
        return [
            {
                "incident": self.incident,
                "run": run,
                "manual": manual,
                "source": each.source,
                "rule": each.rule,
                "path": each.path,
                "line": each.line,
                "commit": each.commit,
                "scanner_says": each.scanner_says,
                "certainty": each.certainty.value,
                "key": each.leaked.id or mark or key or None,
                "fingerprint": mark,
            }
            for each in exposures
            for mark in [self._fingerprint(each)]
        ]

    def _fingerprint(self, each: Exposure) -> str | None:
        return self.seal.fingerprint(each.leaked.secret) if each.leaked.secret is not None else None

    def _of_revision(self, row: Mapping[str, Any]) -> dict[str, Any]:
        return {**row, "incident": self.incident, "revision": self.revision}

    def _enrol(self, batch: dict[str, list[dict[str, Any]]], run: str, given: PlannedRun) -> None:
        ref = given.ref
        # Production of a later revision goes after that of the earlier ones, behind the same brake.
        planned = replace(given, wave=given.wave + self.behind.wave) if given.wave else given
        batch["run"].append(
            self._of_revision(
                {
                    "id": run,
                    "provider": ref.provider,
                    "connection": ref.connection,
                    "owner": ref.owner,
                    "credential": ref.id,
                    "generation": ref.generation,
                    "kind": planned.kind,
                    "strategy": planned.strategy.value,
                    "why": planned.why,
                    "priority": planned.priority,
                    "weight": planned.weight,
                    "vendor": planned.vendor,
                    "wave": planned.wave,
                    "deliver": rows.places_text(planned.deliver),
                    "consumers": rows.consumers_text(planned.consumers),
                    "evidence": "none",
                    "predecessor": self.predecessors.get(ref),
                }
            )
        )
        lives_on = planned.strategy is Strategy.REPLACE_FIRST and not planned.reach_known
        lives = tables.LIVES_ON if lives_on else tables.LIVES
        batch["reach"] += [
            {"run": run, "incident": self.incident, "connection": each, "open": -lives} for each in planned.reaches
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
                        "incident": self.incident,
                        "segment": index,
                        "target": target,
                        "quorum": segment.quorum,
                        "state": BranchState.WAITING.value,
                        "lane": segment.steps[0].lane.value,
                        "account": self.account_of(ref.connection),
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
                            **_told_at(each, self.at),
                        ),
                        run,
                    )
                    for number, each in enumerate(segment.steps)
                ]


def _told_at(step: PlannedStep, at: float) -> dict[str, Any]:
    """Return a step as it is written: what waits for its owner waits since that one was told, which is now."""
    told = asdict(step)
    return {**told, "facts": {**step.facts, WAITS_SINCE: at}} if OWNER_ASKED in step.facts else told
