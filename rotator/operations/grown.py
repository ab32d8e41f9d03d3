"""What an incident has grown by, in words."""

from __future__ import annotations

from rotator.bootstrap import Rotator
from rotator.ledger.growing import Added
from rotator.operations.waiting import begins

SHOWN = 5
"""How many runs one line names."""


def told(parts: Rotator, incident: str, added: Added) -> list[str]:
    """Say what became of it, and what comes next."""
    lines = []
    if added.places:
        were = "credential that it has was" if added.seen == 1 else "credentials that it has were"
        where = "1 more place" if added.places == 1 else f"{added.places:,} more places"
        lines.append(f"{incident}: {added.seen:,} {were} seen in {where}; their runs stay as they are")
    if added.dead:
        was = "was dead: it is" if len(added.dead) == 1 else "were dead: they are"
        names = ", ".join(added.dead[:SHOWN]) + (" and more" if len(added.dead) > SHOWN else "")
        lines.append(f"{incident}: {names} {was} looked at within a minute or so, and stopped again where alive")
    if added.footholds:
        lines += _held_up(parts, incident, added.footholds)
    if added.freed is not None:
        waits = "1 run waits" if len(added.freed) == 1 else f"{len(added.freed):,} runs wait"
        lines.append(f"{incident}: its severity is raised{f'; {waits} for no owner any more' if added.freed else ''}")
    if added.is_nothing:
        return [f"nothing new: {incident} has all of that already"]
    if (revision := added.revision) is None:
        return lines
    runs = any(each.run.revision == revision.number for each in parts.reading.incident(incident).runs)
    covers = f" (it covers revision {', '.join(map(str, added.covers))} too)" if added.covers else ""
    who = begins(parts, incident, revision.digest)
    start = f"{who} with: rotator approve {incident} --digest {revision.digest}"
    then = start if runs or added.covers else "nothing in it can be done by machine"
    return [*lines, f"{incident}: revision {revision.number} of its plan{covers}; {then}"]


def _held_up(parts: Rotator, incident: str, hosts: tuple[str, ...]) -> list[str]:
    """Say what new footholds change for what is planned, or runs."""
    record = parts.reading.incident(incident)
    found = {each.host: each.holds_up for each in record.footholds}
    when = "from now on" if record.approved_at is not None else "once anything of it is approved"
    lines = []
    for host in hosts:
        runs = ", ".join(found.get(host, ()))
        what = f"no new secret is made for {runs} before it is cut off" if runs else "none of its runs delivers there"
        lines.append(f"foothold {host}, {when}: {what}")
    return lines
