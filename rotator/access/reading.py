"""Read all access evidence at once: each file is known by its content, and none is read twice or held whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import BinaryIO

from rotator.access import cloudtrail, credential_report, github_audit
from rotator.access.credential_report import LastUse
from rotator.access.event import Event
from rotator.access.persistence import Acts, Minted, minted
from rotator.access.usage import uses
from rotator.credential import CredentialRef
from rotator.flow.access import Uses
from rotator.intake.report import Report

_READS = (
    "it reads CloudTrail's logs (unzipped, or what lookup-events prints), GitHub's audit log, the IAM credential report"
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the files tell: the uses of each credential by its id, and what was made with the exposed ones since."""

    uses: Mapping[str, Uses] = field(default_factory=dict)
    minted: Minted = field(default_factory=Minted)


def evidence(
    files: Iterable[tuple[str, BinaryIO]],
    exposed_at: Mapping[CredentialRef, float | None],
    made_at: Mapping[CredentialRef, float] | None = None,
    ways: Mapping[str, tuple[str, ...]] | None = None,
) -> Evidence:
    """Return what the files, each with the name that evidence calls it, tell of these credentials.

    `exposed_at` and `made_at` are in seconds since 1970; where nobody knows since when one is exposed, nothing of its
    use is called new, and all that was made with it counts. `ways` are the links that explain each, by its id. Raises
    BadInput for a file that is none of these, or damaged.
    """
    acts, last_uses = Acts(), list[LastUse]()
    since = {ref.id: at for ref, at in exposed_at.items()}

    def events() -> Iterator[Event]:
        for name, stream in files:
            for each in _read(Report(name, stream)):
                if isinstance(each, LastUse):
                    last_uses.append(each)
                else:
                    acts.add(each)
                    yield each

    told = uses(events(), since)
    made = {ref: (made_at or {}).get(ref) for ref in exposed_at}
    for name, each in credential_report.uses(last_uses, made).items():
        told[name] = _together(told[name], each) if name in told else each
    return Evidence(told, minted(acts, {name: 0.0 if at is None else at for name, at in since.items()}, ways))


def _read(report: Report) -> Iterator[Event | LastUse]:
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
