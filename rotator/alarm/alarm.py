"""An alarm: credentials that may be in a thief's hands, as reports name them, or as evidence of bad packages tells."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import BinaryIO

from rotator import attribution, clock
from rotator.access.reading import Evidence, evidence
from rotator.alarm import vendor_notice
from rotator.alarm.looking_up import LookedUp
from rotator.bootstrap import Rotator
from rotator.errors import BadInput
from rotator.flow.blast import began
from rotator.flow.exposure import Exposure, Suspect
from rotator.flow.reach import NOWHERE, Reach
from rotator.flow.scope import Scoped
from rotator.packages.evidence import walk
from rotator.packages.matching import Findings, match
from rotator.response import Access

_SHOWN = 3

Files = Iterable[tuple[str, BinaryIO]]
"""Files, each with its name, to be read before the next is asked for."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """What was given, as credentials that may be in a thief's hands. `reach` has those of which nobody can say too.

    `evidence` is what was found of packages.
    """

    suspects: list[Suspect]
    title: str
    reach: Reach = NOWHERE
    evidence: Findings | None = None
    not_before: float | None = None
    """Before that it was nowhere, as far as the evidence tells, in seconds since 1970; it may have come later."""

    def access(self, logs: Callable[[], Files], called: str, exposed_at: float | None) -> Access:
        """Return how access logs, unzipped, are read for the credentials that will be named; errors call them so."""
        since = self.not_before if exposed_at is None else exposed_at

        def read(scoped: Sequence[Scoped]) -> Evidence:
            ways = {each.ref.id: began(f"{each.kind} {each.ref.owner}", each.exposures) for each in scoped}
            exposed = {each.ref: since for each in scoped}
            try:
                return evidence(logs(), exposed, ways=ways, now=clock.now())
            except (OSError, EOFError, zlib.error):
                raise BadInput("a log cannot be read to its end", called, "fetch it again") from None

        return read

    def must_name_something(self) -> None:
        """Raise BadInput where there is evidence, and nothing follows from it: it says what was looked through."""
        if self.evidence is None or self.suspects or self.reach.unplaced:
            return
        read = self.evidence.files - len(self.evidence.unread)
        where = f"in {read:,} files that were read, and {len(self.evidence.unread):,} were not"
        if not self.evidence.hits:
            raise BadInput(f"no site had it, {where}", "the evidence", "nothing to do: is all of it there?")
        sites = ", ".join(sorted({str(each.site) for each in self.evidence.hits})[:_SHOWN])
        mend = "say in the inventory's `reachable_from` what is within reach there, or give a scanner's report too"
        raise BadInput(f"nobody knows of a credential at {sites}", "the evidence", mend)


def of_reports(parts: Rotator, exposures: Iterable[Exposure], named: Sequence[str]) -> Alarm:
    """Return the alarm of reports that are called so."""
    return Alarm(attribution.suspects(parts, exposures), f"Leak reported in {', '.join(named)}")


def of_packages(
    parts: Rotator, bad: Sequence[LookedUp], found_in: Files, exposures: Iterable[Exposure], named: Sequence[str]
) -> Alarm:
    """Return the alarm of bad packages with the evidence of where they were, and of reports beside it."""
    wanted = [each.advisory for each in bad]
    found = match(wanted, walk(found_in))
    notes = (*(each.note for each in bad if each.note), *vendor_notice.running(parts, wanted))
    found = replace(found, notes=(*notes, *found.notes))
    reach = replace(attribution.within_reach(parts, found.hits), unread=found.warnings)
    since = [each.since for each in found.hits if each.since is not None]
    return Alarm(
        attribution.suspects(parts, [*exposures, *reach.exposures]),
        "; ".join([*(f"{each.id} where it was installed" for each in wanted), *named]),
        reach,
        found,
        min(since).timestamp() if since else None,
    )
