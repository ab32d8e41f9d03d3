"""Kill whoever pauses a vendor, works that off or lets it in again, at any moment; then the same is done once more.

Run as: python -m tests.crash.vendors, which tries every moment. One lies before and one after each transaction of the
ledger, each use that a worker makes of it, and each exchange with the outside; what dies rolls back.
"""

from __future__ import annotations

import contextlib
import random
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rotator import pausing
from rotator.errors import BadInput
from rotator.flow.inventory import Said as Entry
from rotator.ledger.database import Database
from rotator.ledger.pauses import Pauses
from rotator.ledger.vendor_chains import altered
from rotator.restoring import restore
from rotator.settings.vendors import GateSettings, VendorSettings
from tests.drills.world import ground
from tests.fakes.company import founded
from tests.fakes.deployment import broken_chains, emptied, sqlite
from tests.test_pausing import GRANT, TOKEN, VAULT, House

GATES = VendorSettings(gates=[GateSettings(name="credentials", asks="credentials")])
FOLLOWING = ("vendor_paused", "vendor_paused_again", "vendor_restored")


class Died(BaseException):
    """The process is gone, as by SIGKILL: what it had not committed is rolled back."""


class Moments:
    """Count the moments of a process, and let it die at one."""

    def __init__(self) -> None:
        self.met, self.at = 0, 0

    def meet(self, *_: object) -> None:
        self.met += 1
        if self.met == self.at:
            raise Died

    def of(self, database: Database) -> Callable[[], Any]:
        write = database.write

        @contextlib.contextmanager
        def writing() -> Iterator[Any]:
            self.meet()
            with write() as connection:
                yield connection
            self.meet()

        return writing


class Story:
    """A vendor is paused and cut off, once more as more is found to be its own; it is let in, and has a grant back."""

    def __init__(self, folder: Path, database: Database, patched: pytest.MonkeyPatch) -> None:
        house = House(ground(*founded(folder, database=emptied(database)), patched, vendors=GATES))
        self.house, self.parts, self.deployment = house, house.parts, house.here.deployment
        self.token, self.grant = house.holds(TOKEN)[0], house.holds(GRANT)[0]
        self.later, _ = house.company.plant(VAULT, "later")

    def pause(self) -> None:
        self.parts.look_again()
        found = self.house.plans()
        if found.there is None:
            pausing.declare(self.parts, found, "ana", approved=True)
            return
        pausing.add(self.parts, found, "ana")
        newest = self.parts.reading.incident(found.incident).plan_digest
        self.parts.enrolment.approve(found.incident, newest, "ana")

    def pause_again(self) -> None:
        match = {"provider": VAULT, "connection": self.later.connection, "owner": "later", "id": self.later.id}
        self.parts.inventory.take([Entry(match, {"vendor": "acme", "reads": []}, "j.yaml")], "ana")
        self.pause()

    def work(self) -> None:
        self.deployment.rest(self.deployment.recover())

    def restore(self) -> None:
        try:
            restore(self.parts, "bob", "acme", "it is clean", (), grants=True)
        except BadInput as over:  # it was done, and the answer lost
            if "it is not paused" not in over.what:
                raise

    def wrong(self) -> Iterator[str]:
        """Yield what is not as it should be once all was done."""
        pauses = Pauses(self.deployment.database).every()
        if len(pauses) != 1 or pauses[0].is_open:
            yield f"there are these pauses: {pauses}"
        acts = [each["act"] for each in self.deployment.evidence("vendor.acme")]
        if [each for each in acts if each in FOLLOWING] != list(FOLLOWING) or len(self.parts.reading.incidents()) != 1:
            yield f"not each was done once: {acts}"
        runs = self.parts.reading.incident(pauses[0].incident).runs
        if sorted(each.run.ref for each in runs) != sorted([self.token, self.grant, self.later]):
            yield f"these were cut: {runs}"
        if made := self.house.company.world.done("issuer.issue"):
            yield f"these were made: {made}"
        if (alive := self.house.here.alive()) != {self.grant.id}:
            yield f"these live: {alive}"
        yield from broken_chains(self.deployment)
        yield from altered(self.deployment.database)


def told(folder: Path, database: Database, at: int) -> tuple[int, list[str]]:
    """Tell the story with a death at that moment, 0 for none; return how many moments there were, and what is wrong."""
    moments = Moments()
    with pytest.MonkeyPatch.context() as patched:
        story = Story(folder, database, patched)
        patched.setattr(database, "write", moments.of(database))
        story.house.company.world.meet = moments.meet
        moments.at = at
        for does in (story.pause, story.work, story.pause_again, story.work, story.restore, story.work):
            try:
                does()
            except Died:
                does()
        return moments.met, list(story.wrong())


def main() -> int:
    """Try every moment; return 1 where any ended wrongly."""
    with tempfile.TemporaryDirectory() as folder:
        database = sqlite(Path(folder) / "ledger.db")
        met, wrong = told(Path(folder), database, 0)
        bad = [(0, wrong)] if wrong else []
        for at in range(1, met + 1):
            found = told(Path(folder), database, at)[1]
            bad += [(at, found)] if found else []
        database.close()
    for at, found in bad:
        sys.stdout.write(f"killed at moment {at} of {met}: {'; '.join(found)}\n")
    sys.stdout.write(f"a vendor's pause and restore: {met} moments, {len(bad)} wrong\n")
    return 1 if bad or not met else 0


def some(met: int, count: int, seed: str) -> list[int]:
    """Return a few moments of so many, by a seed."""
    return sorted(random.Random(seed).sample(range(1, met + 1), count))


if __name__ == "__main__":
    sys.exit(main())
