"""What must be true after a quarter, whatever happened in it, by the world and the ledger together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from sqlalchemy import func, select

from rotator.flow.hygiene import Policy, window
from rotator.ledger import tables
from rotator.ports.provider import State
from rotator.shown.hygiene import policies
from tests.quarter.play import Quarter
from tests.quarter.story import LEAVES_DAY, Story

_canary, _branch, _hygiene, _incident, _run = (
    tables.canary,
    tables.branch,
    tables.hygiene,
    tables.incident,
    tables.run,
)


class Looked:
    """The ledger and the world at the end, read once."""

    def __init__(self, quarter: Quarter, story: Story) -> None:
        self.quarter, self.story = quarter, story
        with quarter.parts.database.read() as connection:
            self.runs: list[Any] = list(connection.execute(select(_run)).mappings())
            hygiene = select(_hygiene.c.incident, _hygiene.c.policy, _incident.c.declared_at)
            joined = hygiene.join(_incident, _incident.c.id == _hygiene.c.incident)
            self.begun = {row[0]: (row[1], row[2]) for row in connection.execute(joined)}
            held = select(func.count()).select_from(_branch).where(_branch.c.holder.is_not(None))
            self.held: int = connection.execute(held).scalar_one()
            canaries = select(_canary.c.credential).where(_canary.c.credential.is_not(None))
            self.canaries = set(connection.execute(canaries).scalars())
        self.policies: dict[str, Policy] = {each.name: each for each in policies(quarter.parts)}

    def wrong(self) -> list[str]:
        """Return all that is wrong."""
        checks = self.orphans, self.twice, self.cut, self.overlaps, self.untimely, self.forgotten
        return [one for check in checks for one in check()]

    def orphans(self) -> Iterator[str]:
        """Yield what was minted and that no run made, or that lives and that nobody holds."""
        estate, world = self.quarter.estate, self.quarter.world
        made = {each["replacement"] for each in self.runs} | self.canaries
        open_ones = {each["credential"] for each in self.runs if each["evidence"] == "none"}
        for name in sorted(world.minted):
            record = world.credentials[name]
            if name not in made:
                yield f"orphan: {name} was made by no run"
            elif record["state"] == State.ACTIVE.value and estate.delivered(record) != name and name not in open_ones:
                yield f"orphan: {name} of {record['owner']} lives, and its place does not hold it"

    def twice(self) -> Iterator[str]:
        """Yield what was replaced, or begun by hygiene, more than once: after a down time too."""
        mine = [each for each in self.runs if each["dismissed"] is None]
        for what, found in (
            ("replaced", [each["credential"] for each in mine if each["replacement"]]),
            ("begun by hygiene", [each["credential"] for each in mine if each["incident"] in self.begun]),
        ):
            yield from (f"{name} was {what} {many} times" for name, many in Counter(found).items() if many > 1)

    def cut(self) -> Iterator[str]:
        """Yield what hygiene stopped while somebody used it."""
        stolen = self._stolen()
        for each in self.quarter.world.stops:
            if each.in_use and each.id not in stolen:
                yield f"{each.id} was stopped in use"

    def overlaps(self) -> Iterator[str]:
        """Yield what did not live beside its replacement for as long as its policy says."""
        stopped = {each.id: each.at for each in self.quarter.world.stops}
        stolen = self._stolen()
        for each in self.runs:
            name = each["credential"]
            if each["incident"] not in self.begun or name in stolen or name not in stopped:
                continue
            policy = self.policies[self.begun[each["incident"]][0]]
            lived_s = stopped[name] - (each["replaced_at"] or stopped[name])
            if lived_s < policy.overlap_s:
                yield f"{name} lived on for {lived_s:.0f} s, and {policy.name} says {policy.overlap_s:.0f}"

    def untimely(self) -> Iterator[str]:
        """Yield what hygiene began outside of a window, in a freeze, or while nothing ran."""
        for incident, (policy, at) in self.begun.items():
            if window(self.policies[policy], at) is None or self.quarter.was_down(at):
                yield f"{incident} of {policy} began {at - self.quarter.begins:.0f} s after all, when none may"

    def forgotten(self) -> Iterator[str]:
        """Yield who came late and was left alone, who left and was answered, and what a worker still holds."""
        of = {each["credential"]: each for each in self.runs}
        late, gone = self.story.late, self.story.gone
        if late is not None and (late.id not in of or of[late.id]["replaced_at"] is None):
            yield f"{late.id} came late and is as old as it was"
        if gone is not None and gone.id in of and of[gone.id]["requested_at"] > self.quarter.at_day(LEAVES_DAY):
            yield f"{gone.id} had left, and was replaced"
        if self.held:
            yield f"{self.held} branches are in somebody's hand"

    def _stolen(self) -> set[str]:
        return {each.id for refs in self.story.stolen.values() for each in refs}

    def summary(self) -> Iterator[str]:
        """Tell of the quarter in figures."""
        quarter, starts = self.quarter, self.quarter.starts
        by_policy = Counter(self.begun[each["incident"]][0] for each in self.runs if each["incident"] in self.begun)
        real = [each for each in self.runs if each["incident"] in set(self.story.incidents.values())]
        drilled = [f"{each.row.name} {each.row.outcome}" for each in self.story.drills]
        mean = sum(starts.values()) / max(quarter.open_minutes, 1)
        yield f"credentials: {quarter.size:,} for {quarter.days} days, {quarter.decided:,} moments looked at"
        told = ", ".join(f"{many:,} by {policy}" for policy, many in sorted(by_policy.items()))
        yield f"hygiene: {sum(by_policy.values()):,} runs ({told}), {len(self.begun):,} times begun"
        yield f"starts a minute: {max(starts.values(), default=0)} at most, {mean:.2f} in the mean of an open minute"
        proven = sum(each["evidence"] == "proven" for each in real)
        yield f"incidents: {len(self.story.incidents)} with {len(real)} runs, {proven} proven dead"
        yield f"drills: {', '.join(drilled) or 'none'}"
