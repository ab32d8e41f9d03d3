"""Read all access evidence at once: each file is known by its content, and none is read twice or held whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import BinaryIO

from rotator.access import cloudtrail, credential_report, github_audit
from rotator.access.credential_report import LastUse
from rotator.access.event import Event, Unread, moment
from rotator.access.persistence import Acts, Minted, minted
from rotator.access.usage import uses
from rotator.credential import CredentialRef
from rotator.flow.access import Uses
from rotator.intake.report import Report

_READS = (
    "it reads CloudTrail's logs (unzipped, or what lookup-events prints), GitHub's audit log, the IAM credential report"
)
_EARLIEST = datetime(2008, 1, 1, tzinfo=UTC).timestamp()
"""Before there was GitHub, and AWS's CloudTrail (2013): what is older would make anything the first use for years."""
_AHEAD_S = 86400.0
"""How far the clock of whoever wrote a log may be ahead of ours."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the files tell: the uses of each credential by its id, and what was made with the exposed ones since.

    `unread` says of each file how many of its records tell nothing.
    """

    uses: Mapping[str, Uses] = field(default_factory=dict)
    minted: Minted = field(default_factory=Minted)
    unread: tuple[str, ...] = ()


def evidence(
    files: Iterable[tuple[str, BinaryIO]],
    exposed_at: Mapping[CredentialRef, float | None],
    made_at: Mapping[CredentialRef, float] | None = None,
    ways: Mapping[str, tuple[str, ...]] | None = None,
    *,
    now: float,
) -> Evidence:
    """Return what the files, each with the name that evidence calls it, tell of these credentials.

    `exposed_at` and `made_at` are in seconds since 1970; where nobody knows since when one is exposed, nothing of its
    use is called new, and all that was made with it counts. `ways` are the links that explain each, by its id. What is
    of a time after `now`, or before there were such logs, is not believed. Raises BadInput for a file that is none of
    these, or damaged.
    """
    acts, last_uses = Acts(), list[LastUse]()
    unread, first = Counter[str](), dict[str, Unread]()
    since = {ref.id: at for ref, at in exposed_at.items()}

    def events() -> Iterator[Event]:
        for each in believed(files, now):
            if isinstance(each, LastUse):
                last_uses.append(each)
            elif isinstance(each, Unread):
                unread[each.file] += 1
                first.setdefault(each.file, each)
            else:
                acts.add(each)
                yield each

    told = uses(events(), since)
    made = {ref: (made_at or {}).get(ref) for ref in exposed_at}
    for name, each in credential_report.uses(last_uses, made).items():
        told[name] = _together(told[name], each) if name in told else each
    made_since = minted(acts, {name: 0.0 if at is None else at for name, at in since.items()}, ways)
    return Evidence(told, made_since, tuple(left_out(each, unread[file]) for file, each in first.items()))


def events(files: Iterable[tuple[str, BinaryIO]], unread: Counter[str], *, now: float) -> Iterator[Event]:
    """Yield what the files tell of single uses; of each file it is counted how many records tell nothing.

    Raises BadInput as `evidence` does.
    """
    for each in believed(files, now):
        if isinstance(each, Unread):
            unread[each.file] += 1
        elif isinstance(each, Event):
            yield each


def believed(files: Iterable[tuple[str, BinaryIO]], now: float) -> Iterator[Event | Unread | LastUse]:
    """Yield what the files tell, each record with its file; one of a time that cannot be comes as Unread.

    Raises BadInput as `evidence` does.
    """
    for name, stream in files:
        for each in _read(Report(name, stream)):
            if isinstance(each, Event) and not _EARLIEST <= each.at <= now + _AHEAD_S:
                yield Unread(each.file, each.record, f"its time cannot be: {moment(each.at)}")
            else:
                yield each


def left_out(first: Unread, count: int) -> str:
    """Say which record of a file tells nothing, and how many more."""
    more = f"; {count - 1:,} more records there tell nothing" if count > 1 else ""
    return f"{first.file}, record {first.record}: {first.why}, and it is left out{more}"


def _read(report: Report) -> Iterator[Event | Unread | LastUse]:
    if cloudtrail.claims(report.head):
        return cloudtrail.events(report)
    if github_audit.claims(report.head):
        return github_audit.events(report)
    if credential_report.claims(report.head):
        return credential_report.last_uses(report)
    raise report.bad("this is no access log that rotator reads", mend=_READS)


def _together(logged: Uses, reported: Uses) -> Uses:
    """Return what a log tells, and the later use that the credential report knows of beyond the log's end."""
    if reported.last_used_at is None or reported.last_used_at <= (logged.last_used_at or 0.0):
        return logged
    return replace(
        logged,
        last_used_at=reported.last_used_at,
        sources=(*reported.sources, *logged.sources),
        told_by=(*logged.told_by, *reported.told_by),
    )
