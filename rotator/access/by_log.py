"""What access logs tell of credentials, log by log: read together, since what is usual stands in all of them.

A log is known by the SHA-256 of its content, unzipped: given twice, under whatever names, it is read once. A record
that stands in several logs counts in the first; a log that has the same ones as another, in their order, is that one.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from rotator.access import credential_report
from rotator.access.credential_report import LastUse
from rotator.access.distinct import Distinct, spelt
from rotator.access.event import Event, Unread, moment
from rotator.access.own import Own
from rotator.access.reading import believed, left_out
from rotator.access.usage import First, uses
from rotator.credential import CredentialRef
from rotator.flow.access import Seen, Uses

_CHUNK = 1 << 20

Files = Iterable[tuple[str, BinaryIO]]


@dataclass(frozen=True, slots=True)
class LogRead:
    """One log: what it is called, the SHA-256 of its content, and of when its first and last record are.

    Times are in seconds since 1970, None where it has no single uses. `records` is the SHA-256 of what its records are
    known by, the same in whatever form it is; "" where none is known by anything.
    """

    name: str
    digest: str
    begins_at: float | None = None
    ends_at: float | None = None
    records: str = ""


@dataclass(frozen=True, slots=True)
class InLog:
    """What one log tells of one credential, our own uses left out.

    `refused` of the calls the issuer did not take the credential for; `accepted` says which was the last that it took
    it for, at `accepted_at`. `signs` are those whose first event stands in this log, as all that were read show them.
    """

    id: str
    digest: str
    calls: int
    refused: int
    first_at: float | None
    last_at: float
    accepted_at: float | None
    accepted: str = ""
    signs: tuple[Seen, ...] = ()


@dataclass(frozen=True, slots=True)
class ByLog:
    """What logs tell. `unread` says what of them tells nothing, `ours` counts the uses that were our own."""

    logs: tuple[LogRead, ...] = ()
    uses: tuple[InLog, ...] = ()
    unread: tuple[str, ...] = ()
    ours: int = 0

    @property
    def begins_at(self) -> float | None:
        """Return of when the first record of all is."""
        return min((each.begins_at for each in self.logs if each.begins_at is not None), default=None)


def newest(files: Files, *, now: float) -> float | None:
    """Return of when the newest record is, of whatever credential; None where no log tells of single uses."""
    return max((each.at for each in believed(files, now) if isinstance(each, Event)), default=None)


def by_log(
    files: Files,
    since: Mapping[CredentialRef, float | None],
    made_at: Mapping[CredentialRef, float | None],
    own: Own,
    now: float,
) -> ByLog:
    """Return what the files tell of these credentials, and what of their use began since then.

    Times are in seconds since 1970; without one nothing is called new. Of those that `made_at` has a report of last
    uses may tell; None where nobody knows when one was made. Raises BadInput for what is no access log, or damaged.
    """
    reading = _Reading({each.id for each in since}, own)
    told = uses(reading.events(believed(reading.each_once(files), now)), {ref.id: at for ref, at in since.items()})
    reported = credential_report.uses(reading.last_uses, made_at)
    return reading.told(told, reported)


@dataclass(slots=True)
class _Uses:
    calls: int = 0
    refused: int = 0
    first_at: float = float("inf")
    last_at: float = float("-inf")
    accepted: Event | None = None

    def add(self, event: Event) -> None:
        self.calls += 1
        self.first_at, self.last_at = min(self.first_at, event.at), max(self.last_at, event.at)
        if event.is_refused:
            self.refused += 1
        elif self.accepted is None or event.at >= self.accepted.at:
            self.accepted = event


@dataclass(slots=True)
class _Span:
    digest: str
    begins_at: float | None = None
    ends_at: float | None = None
    is_told: bool = False
    records: Any = field(default_factory=hashlib.sha256)

    def note(self, record: Event | LastUse, known_by: bytes) -> None:
        self.is_told |= bool(known_by)
        # With whether the issuer took it: who gives the same numbers with other words takes no log's place.
        is_refused = isinstance(record, Event) and record.is_refused
        self.records.update(hashlib.sha256(known_by + (b" refused" if is_refused else b"")).digest())
        if isinstance(record, Event):
            self.begins_at = record.at if self.begins_at is None else min(self.begins_at, record.at)
            self.ends_at = record.at if self.ends_at is None else max(self.ends_at, record.at)

    def read(self, name: str) -> LogRead:
        records = self.records.hexdigest() if self.is_told else ""
        return LogRead(name, self.digest, self.begins_at, self.ends_at, records)


class _Reading:
    """What is known while the logs are read."""

    def __init__(self, ids: set[str], own: Own) -> None:
        self._ids, self._own = ids, own
        self._logs: dict[str, _Span] = {}
        self._distinct = Distinct()
        self._uses: dict[tuple[str, str], _Uses] = {}
        self._unread, self._first = Counter[str](), dict[str, Unread]()
        self._ours = 0
        self.last_uses: list[LastUse] = []

    def each_once(self, files: Files) -> Iterator[tuple[str, BinaryIO]]:
        """Yield each log under a name of its own; one that was there already is left out."""
        digests = set[str]()
        for name, stream in files:
            digest = _digest(stream)
            if digest not in digests:
                digests.add(digest)
                called = name if name not in self._logs else f"{name} ({digest[:8]})"
                self._logs[called] = _Span(digest)
                yield called, stream

    def events(self, found: Iterable[Event | Unread | LastUse]) -> Iterator[Event]:
        """Yield the uses by others, and note of all what is kept by log."""
        for each in found:
            if isinstance(each, Unread):
                self._unread[each.file] += 1
                self._first.setdefault(each.file, each)
                continue
            known_by = spelt(each)
            self._logs[each.file].note(each, known_by)
            if isinstance(each, LastUse):
                self.last_uses += [each] if self._distinct.is_new(known_by) else []
            elif each.key_id not in self._ids:
                yield each  # of others it is known when they begin, and no more
            elif self._distinct.is_new(known_by):
                if self._own.has(each):
                    self._ours += 1
                    continue
                self._uses.setdefault((each.key_id, each.file), _Uses()).add(each)
                yield each

    def told(self, used: Mapping[str, Uses], reported: Mapping[str, Uses]) -> ByLog:
        """Return it; a report of last uses is a log of one use, which may be ours."""
        found = [self._of(name, file, each, used[name]) for (name, file), each in self._uses.items()]
        for name, last in reported.items():
            if last.last_used_at is None:
                continue
            if self._own.may_be(name, last.last_used_at):
                self._ours += 1
                continue
            [file] = last.told_by
            at, user = last.last_used_at, last.sources[0]
            words = f"its last use, {user.agent or 'of nobody knows what'}, at {moment(at)} ({file})"
            found.append(InLog(name, self._logs[file].digest, 1, 0, at, at, at, words))
        unread = (left_out(each, self._unread[file]) for file, each in self._first.items())
        return ByLog(tuple(self._each_log_once()), tuple(found), tuple(unread), self._ours)

    def _each_log_once(self) -> Iterator[LogRead]:
        """Yield each log; one that has the same records as another before is that one, in another form."""
        known = set[str]()
        for name, span in self._logs.items():
            log = span.read(name)
            if log.records not in known:
                yield log
            known |= {log.records} - {""}

    def _of(self, name: str, file: str, each: _Uses, whole: Uses) -> InLog:
        last = each.accepted
        return InLog(
            id=name,
            digest=self._logs[file].digest,
            calls=each.calls,
            refused=each.refused,
            first_at=each.first_at,
            last_at=each.last_at,
            accepted_at=None if last is None else last.at,
            accepted="" if last is None else str(First.of(last)),
            signs=tuple(sign for sign in whole.signs if sign.file == file),
        )


def _digest(stream: BinaryIO) -> str:
    """Return the SHA-256 of what is to come, and go back to where it begins."""
    found = hashlib.sha256()
    while piece := stream.read(_CHUNK):
        found.update(piece)
    stream.seek(0)
    return found.hexdigest()
