"""Compare a pack with what stands outside of it: the checkpoints that a keeper kept, and the time stamps in it.

Who owns the ledger and the signing key can make any pack, but none that agrees with what was kept before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rotator.errors import Rejected
from rotator.evidence import signing
from rotator.evidence.followed import Finding, Followed, Stolen
from rotator.evidence.keeper import Entry, Keeper, checkpoint_in, named
from rotator.evidence.pack import MOST_LINE, TIMESTAMPS, Pack
from rotator.evidence.timestamp import Stamp, verified

if TYPE_CHECKING:
    from cryptography import x509

AT_ONCE = 16
"""Files of a keeper that are read at one time."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A checkpoint that a keeper has: since when, in epoch seconds, when it says that it was signed, and its parts."""

    number: int
    hash: str
    signature: str
    key: str
    previous: str
    signed_at: float
    at: float


@dataclass(frozen=True, slots=True)
class Compared:
    """What a keeper says of a pack: `kept` are those that are in both, `newer` how many came behind the pack's last."""

    findings: list[Finding]
    kept: Mapping[int, float]
    newer: int


@dataclass(frozen=True, slots=True)
class Doubt:
    """Checkpoints that rest on a stolen key alone, and how many records they signed first."""

    stolen: Stolen
    first: int
    last: int
    records: int


def against(keeper: Keeper, signed: Followed, made_at: float) -> Compared:
    """Say whether each checkpoint of a keeper is the pack's, the first one first. Raises one of the three errors.

    `made_at` is when the pack says that it was made: what was signed behind that it cannot have.
    """
    kept, findings = _kept(keeper)
    same: dict[int, float] = {}
    newer = 0
    for each in kept:
        where = f"checkpoint {each.number}"
        if each.number > signed.count:
            if each.signed_at <= made_at:
                findings.append(Finding(where, "it is kept there and missing in the pack, which was made later: cut"))
            elif each.number == signed.count + 1 and each.previous != signed.last:
                findings.append(Finding(where, "the one that is kept there does not follow the pack's last"))
            newer += 1
        elif (mine := signed.believed[each.number - 1]).hash != each.hash:
            anew = "the pack's was made anew, from a backup or by who has the key"
            whose = anew if each.key in signed.keys else "of a stranger's key"
            findings.append(Finding(where, f"another one is kept there, {each.hash[:16]}…: {whose}"))
        elif mine.signature != each.signature:
            findings.append(Finding(where, "it is kept there under another signature"))
        else:
            same[each.number] = min(each.at, same.get(each.number, each.at))
    if not kept:
        findings.append(Finding(keeper.address, "no checkpoint is kept there"))
    return Compared(findings, same, newer)


def stamped(given: Pack, signed: Followed, roots: Sequence[x509.Certificate]) -> tuple[dict[int, float], list[Finding]]:
    """Return before when each stamped checkpoint existed, in epoch seconds, and which stamps do not hold."""
    found: dict[int, float] = {}
    findings: list[Finding] = []
    for number, answer in given.stamps():
        if not 0 < number <= signed.count:
            findings.append(Finding(TIMESTAMPS, f"it stamps checkpoint {number}, which the pack does not have"))
            continue
        try:
            digest = signed.believed[number - 1].hash
            found[number] = verified(Stamp(number, digest, answer).der, digest, roots)
        except Rejected as error:
            findings.append(Finding(f"checkpoint {number}", f"its time stamp does not hold: {error.detail}"))
    return found, findings


def doubts(signed: Followed, witnessed: Iterable[Mapping[int, float]]) -> Iterator[Doubt]:
    """Yield what rests on a stolen key alone.

    A checkpoint that was kept or stamped before the theft is as it was, and so are all before it.
    """
    seen = [pair for each in witnessed for pair in each.items()]
    for stolen in signed.stolen:
        before = (number for number, at in seen if at < stolen.since)
        first = max([stolen.first - 1, *before]) + 1
        records = signed.records_signed(first, stolen.last)
        if first <= stolen.last and records:
            yield Doubt(stolen, first, stolen.last, records)


def _kept(keeper: Keeper) -> tuple[list[Kept], list[Finding]]:
    """Return the checkpoints of a keeper by number, and which files are not what their names say."""
    entries = [each for each in keeper.entries() if named(each.name) is not None]
    with ThreadPoolExecutor(AT_ONCE) as reading:
        read = list(zip(entries, reading.map(lambda each: _read(keeper, each), entries), strict=True))
    found = [each for _, each in read if each is not None]
    told = {entry.name for entry, each in read if each is not None}
    strange = {entry.name for entry, _ in read} - told
    findings = [Finding(name, "it is kept there and is not what its name says") for name in sorted(strange)]
    return sorted(found, key=lambda each: each.number), findings


def _read(keeper: Keeper, entry: Entry) -> Kept | None:
    content = checkpoint_in(keeper.read(entry)) if entry.size <= MOST_LINE else None
    wanted = named(entry.name)
    if content is None or wanted is None or content.hash != wanted.hash:
        return None
    try:
        told = content.told
        number, at = int(told["number"]), float(told["at"])
        key, previous = str(told["key"]), str(told["previous"])
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None
    if number != wanted.number or not signing.holds(key, signing.CHECKPOINT, content.body, content.signature):
        return None
    return Kept(number, content.hash, content.signature, key, previous, at, entry.at)
