"""Revisions in the report: who made each and why, who approved it, what waits; and incidents that became one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

from rich.console import RenderableType
from rich.text import Text

from rotator.flow.standing import CredentialState
from rotator.ledger.records import IncidentRecord
from rotator.report.clocks import moment
from rotator.report.plain import plain
from rotator.report.tables import Sentence

Run = TypeVar("Run")


def detected_at(record: IncidentRecord, revision: int) -> float:
    """Return from when the clocks of a revision's credentials count: what came later was detected later."""
    found = (one.detected_at for one in record.revisions if one.number == revision)
    return next(found, record.incident.detected_at)


def revisions(record: IncidentRecord, sizes: Mapping[int, int] | None = None) -> dict[str, Any]:
    """Return the revisions of an incident's plan, and with which other incidents it became one.

    `sizes` says how many runs came with each, where the record has not all of them.
    """
    count = Counter(one.run.revision for one in record.runs) if sizes is None else sizes
    return {
        "revisions": [
            {
                "revision": each.number,
                "plan": each.digest,
                "made_at": moment(each.made_at),
                "by": each.by,
                "why": each.why,
                "credentials": count.get(each.number, 0),
                "approved_at": moment(each.approved_at),
                "approved_by": each.approved_by or "",
            }
            for each in record.revisions
        ],
        "merged_into": record.merged_into or "",
        "merged": [each.incident.id for each in record.family[1:]],
    }


def once(credentials: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return each credential once, which two incidents may have answered that became one.

    `others` are its other runs as they would be told alone, `also` their names. What is open of those is open of it.
    """
    of_one = together(
        credentials,
        lambda each: (each["provider"], each["connection"], each["owner"], each["id"]),
        lambda each: (each["state"] == CredentialState.DISMISSED, bool(each["settled_by"])),
    )
    found = []
    for alone, *others in of_one:
        first = alone | {"also": [each["run"] for each in others], "others": others}
        for each in others:
            mine = [line for line in each["open"] if not line.startswith(f"settled by {first['run']}:")]
            first["open"] = [*first["open"], *(f"{each['run']}: {line}" for line in mine)]
            first["stopped"] = [*first["stopped"], *each["stopped"]]
        found.append(first)
    return found


def together(
    runs: Iterable[Run], named: Callable[[Run], Hashable], behind: Callable[[Run], tuple[bool, bool]]
) -> list[list[Run]]:
    """Return the runs of each credential together: first the one that tells how it stands, in the order of these.

    `behind` says of a run whether it is dismissed, and whether another one has settled it. What is dismissed comes
    last, and hides no run that was not; before it what another run has settled.
    """
    found: dict[Hashable, list[Run]] = {}
    for each in sorted(runs, key=behind):
        found.setdefault(named(each), []).append(each)
    return list(found.values())


def each_run(credentials: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield every credential, and after it its other runs, where two incidents answered it that became one."""
    for each in credentials:
        yield each
        yield from each["others"]


def unapproved(incident: dict[str, Any]) -> Iterator[RenderableType]:
    """Say which revision nobody approved while others work, and into what an incident was merged."""
    if "revisions" not in incident:
        return
    if incident["merged_into"]:
        yield Text(plain(f"MERGED into {incident['merged_into']}: the rest of it is told there."), style="bold")
    if incident["merged"]:
        yield Text(plain(f"With what was merged into it: {', '.join(incident['merged'])}"))
    waiting = [each for each in incident["revisions"] if not each["approved_at"]]
    if not (incident["begun"] and waiting) or incident["merged_into"] or incident["closed_at"]:
        return
    numbers = ", ".join(str(each["revision"]) for each in waiting)
    if incident["stale"]:
        yield Sentence(f"REVISION {numbers} NOT APPROVED, and stale: {incident['stale']}", style="bold red")
    if not incident["approve"]:
        return
    count = sum(each["credentials"] for each in waiting)
    are = "1 credential is" if count == 1 else f"{count:,} credentials are"
    line = f"REVISION {numbers} NOT APPROVED: {are} left alone till then. Start it with: "
    yield Sentence(line, incident["approve"], style="bold red")


def made(incident: dict[str, Any]) -> list[RenderableType]:
    """Say how the plan grew, where it did."""
    found = incident["revisions"]
    if len(found) < 2:  # noqa: PLR2004 - one is the plan itself
        return []
    return [
        Text(
            plain(f"revision {each['revision']}  {each['plan']}  {each['why']} {each['made_at'][:19]}Z by {each['by']}")
        )
        for each in found
    ]
