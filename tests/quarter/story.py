"""What happens in the quarter beside hygiene: six incidents, three drills, another policy, who leaves and who comes.

Reports come as files, plans are approved by people some minutes later, and who answers is the product.
"""

from __future__ import annotations

import io
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rotator import attribution, drilling, growth, response
from rotator.credential import CredentialRef
from rotator.flow.approval import Scope
from rotator.flow.exercise import Exercise, Trigger
from rotator.flow.exposure import Disposition, Exposure
from rotator.flow.incident import Severity
from rotator.intake import reading
from tests.quarter.estate import DAY_S
from tests.quarter.play import Quarter

MINUTE_S = 60.0


@dataclass(frozen=True, slots=True)
class Robbery:
    """One incident to come: on which day, how bad, which share of all credentials, and since when they were exposed."""

    name: str
    day: float
    severity: Severity
    share: float
    exposed_days: float | None
    told_ids_only: float = 0.0


ROBBERIES = (
    Robbery("laptop", 6.4, Severity.CRITICAL, 0.004, 1.5),
    Robbery("grows", 15.6, Severity.HIGH, 0.003, None),
    Robbery("fails", 24.3, Severity.MEDIUM, 0.002, 0.2, told_ids_only=0.25),
    Robbery("merges", 40.1, Severity.HIGH, 0.0015, 3.0),
    Robbery("merged", 40.12, Severity.LOW, 0.001, None),
    Robbery("dismissed", 60.8, Severity.LOW, 0.0015, 12.0),
)
Practice = tuple[float, str, str, Trigger]
DRILLS: tuple[Practice, ...] = (
    (20.5, "aws_iam_access_key", "aws-dev", Trigger.MANUAL),
    (50.5, "acme_api_token", "acme", Trigger.ALARM),
    (80.5, "vault_token", "vault", Trigger.SCANNER),
)
LATE_DAY, LEAVES_DAY, CHANGES_DAY = 21.0, 48.0, 45.0


class Story:
    """Puts what happens into a quarter's agenda. `robberies` and `drills` are those of it."""

    def __init__(
        self, quarter: Quarter, robberies: Sequence[Robbery] = ROBBERIES, drills: Sequence[Practice] = DRILLS
    ) -> None:
        self.quarter, self.parts, self.die = quarter, quarter.parts, random.Random(f"{quarter.seed}/story")
        self.incidents: dict[str, str] = {}
        self.stolen: dict[str, list[CredentialRef]] = {}
        self.drills: list[drilling.Drill] = []
        self.late: CredentialRef | None = None
        self.gone: CredentialRef | None = None
        for each in robberies:
            quarter.at(each.day, self._robbed(each))
        for day, *practised in drills:
            quarter.at(day, self._drilled(*practised))
        quarter.at(LATE_DAY, self._enrol_late)
        quarter.at(LEAVES_DAY, self._withdraw)
        quarter.at(CHANGES_DAY, lambda: quarter.agree(quarter.ages[1]))
        quarter.again_and_again(7 * DAY_S, self._approve_destructions)

    def _robbed(self, what: Robbery) -> Callable[[], None]:
        def happen() -> None:
            count = max(4, round(what.share * self.quarter.size))
            stolen = self._steal(what, count)
            if what.name == "fails":
                self.quarter.world.refuses |= {each.id for each in stolen[-2:]}
            self._declare(what, stolen)
            if what.name == "grows":
                self.quarter.after(2 * 3600.0, lambda: self._grow(what, max(2, count // 2)))
            if what.name == "merged":
                self.quarter.after(2 * MINUTE_S, lambda: self._merge("merged", "merges"))
            elif what.name != "merges":
                self._approve_later(what.name)

        return happen

    def _steal(self, what: Robbery, count: int) -> list[CredentialRef]:
        taken = {each for refs in self.stolen.values() for each in refs}
        living = [each for each in self.quarter.estate.living() if each not in taken]
        found = self.die.sample(living, count)
        self.stolen.setdefault(what.name, []).extend(found)
        return found

    def _report(self, what: Robbery, stolen: Sequence[CredentialRef]) -> list[Exposure]:
        """Read what a person hands in: ids with their secrets, or a list of ids alone."""
        credentials = self.quarter.world.credentials
        told = [{"provider": each.provider, "id": each.id, "connection": each.connection} for each in stolen]
        bare = round(what.told_ids_only * len(told))
        full = [
            {**named, "secret": credentials[each.id]["material"]}
            for named, each in zip(told[bare:], stolen[bare:], strict=True)
        ]
        files = ["\n".join(map(json.dumps, full)), json.dumps(told[:bare])]
        return [
            one
            for text in files
            if text not in {"", "[]"}
            for one in reading.read(f"{what.name}.json", io.BytesIO(text.encode()))
        ]

    def _declare(self, what: Robbery, stolen: Sequence[CredentialRef]) -> None:
        self.quarter.watch()
        now = self.quarter.world.now()
        exposed_at = None if what.exposed_days is None else now - what.exposed_days * DAY_S
        self.parts.look_again()
        found = attribution.suspects(self.parts, self._report(what, stolen))
        prepared = response.prepare(self.parts, found, severity=what.severity)
        incident = response.declare(
            self.parts,
            prepared,
            title=f"quarter: {what.name}",
            severity=what.severity,
            detected_at=now - self.die.uniform(20.0, 900.0),
            exposed_at=exposed_at,
            by="ann",
        )
        self.incidents[what.name] = incident.id
        if what.name == "dismissed":
            for number, sort in ((1, Disposition.FALSE_POSITIVE), (2, Disposition.CANARY)):
                self.parts.dismissing.dismiss(incident.id, f"{incident.id}.r{number}", sort, "ann", "it never opened")

    def _approve_later(self, name: str) -> None:
        self.quarter.after(self.die.uniform(1.0, 25.0) * MINUTE_S, lambda: self._approve(self.incidents[name]))

    def _approve(self, incident: str) -> None:
        self.quarter.watch()
        self.parts.look_again()
        approvals = self.parts.approvals
        approvals.approve(incident, approvals.newest(incident), "rex")

    def _grow(self, what: Robbery, count: int) -> None:
        """Find more of the same in a second report."""
        self.quarter.watch()
        self.parts.look_again()
        incident = self.incidents[what.name]
        present = self.parts.enrolment.present(incident)
        found = attribution.suspects(self.parts, self._report(what, self._steal(what, count)))
        prepared = growth.prepare(self.parts, found, present=present)
        growth.add(self.parts, present, prepared, detected_at=self.quarter.world.now(), by="ann")
        self._approve_later(what.name)

    def _merge(self, source: str, target: str) -> None:
        self.parts.enrolment.merge(self.incidents[source], self.incidents[target], "ann")
        self._approve_later(target)

    def _drilled(self, kind: str, connection: str, trigger: Trigger) -> Callable[[], None]:
        def happen() -> None:
            self.quarter.watch()
            self.parts.look_again()
            owners = tuple(f"drill-{kind}-{number}" for number in range(3))
            exercise = Exercise(f"weekly-{connection}", connection, kind, owners, trigger, count=3)
            world = self.quarter.world
            done = drilling.run(
                self.parts,
                exercise,
                "ann",
                lambda _incident: self.quarter.work(),
                lambda seconds: world.wait_until(world.now() + seconds),
            )
            self.drills.append(done)

        return happen

    def _enrol_late(self) -> None:
        """Let somebody bring a credential that nobody had told of, older than any policy allows."""
        self.late = self.quarter.estate.plant(("aws_iam_access_key", "aws-dev"), "svc-90001", 700.0)
        self.parts.inventory.take(self.quarter.estate.said([self.late]), "ann")
        self.quarter.discover()

    def _withdraw(self) -> None:
        self.gone = self.die.choice([each for each in self.quarter.estate.living() if each.provider == "vault_token"])
        self.quarter.estate.withdraw(self.gone)
        self.quarter.discover()

    def _approve_destructions(self) -> None:
        """Say yes, once a week, to the destruction of what the policy did not agree to destroy."""
        for incident in self.quarter.waiting_for_destruction():
            approvals = self.parts.approvals
            approvals.approve(incident, approvals.newest(incident), "rex", frozenset({Scope.DESTRUCTION}))
