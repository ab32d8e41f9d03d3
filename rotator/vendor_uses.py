"""What access logs tell of what a vendor holds: read for all of it at once, our own uses taken out, and kept.

Nothing is asked of issuers. What is usual is what the same logs tell of before.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rotator import clock
from rotator.access.by_log import ByLog, Files, InLog, by_log, newest
from rotator.access.own import Own
from rotator.bootstrap import Rotator
from rotator.credential import CredentialRef
from rotator.errors import BadInput
from rotator.flow.access import Seen
from rotator.flow.vendor_use import SHORT, USUAL_S, Death, Log, Use, Used, together
from rotator.held import accounts, held_by, is_grant
from rotator.intake.shapes import holds_material
from rotator.ledger import ended, probes
from rotator.ledger.routine_tasks import epoch
from rotator.ledger.vendor_uses import VendorUses
from rotator.report.clocks import moment
from rotator.report.plain import plain

SAID, PAUSED, NEWEST = "as was asked", "the pause", "a week before the newest record"
"""Since when something is called new, and by what that was chosen."""
_LEFT_OUT = "it looks like a secret, and is left out"
_IN_EVIDENCE, _SIGNS = 20, 3
"""Of how many credentials, the gravest, a record tells each sign, and how many of each; the ledger's rows have all."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read for a vendor, of these credentials, since a moment that was chosen by `basis`. Nothing is kept."""

    vendor: str
    since: float | None
    basis: str
    told: ByLog
    refs: Mapping[str, Sequence[CredentialRef]]


def read(parts: Rotator, name: str, files: Callable[[], Files], since: float | None, called: str) -> Reading:
    """Read access logs for all that a vendor holds, and once held; `called` is what errors call them.

    Without `since`, in epoch seconds, new is what began after the pause, or else in the last week of the logs, which
    are read twice then. Raises BadInput for no such vendor, and for what is no access log, or damaged.
    """
    parts.look_again()
    refs = _refs(parts, name)
    own, now = Own(probes.of_credentials(parts.database, refs)), clock.now()
    try:
        since, basis = _since(parts, name, files, since, now)
        of = {ref: since for some in refs.values() for ref in some}
        told = by_log(files(), of, _made_at(parts, refs), own, now)
    except (OSError, EOFError, zlib.error):
        raise BadInput("a log cannot be read to its end", called, "fetch it again") from None
    return Reading(name, since, basis, told, refs)


def keep(parts: Rotator, reading: Reading, by: str) -> None:
    """Keep what was read, as evidence of the vendor, and of the incident by which it is paused."""
    told = reading.told
    logs = logs_of(reading)
    uses = [_use(each, ref) for each in told.uses for ref in reading.refs[each.id]]
    kept = VendorUses(parts.database)
    found = together(uses, logs, kept.cuts(reading.vendor), _deaths(parts, uses))
    unusual = [each for each in found if each.is_unusual]
    record = {
        "by": by,
        "logs": len(logs),
        "digest": digest_of(logs),
        "since": moment(reading.since),
        "basis": reading.basis,
        "begins_at": moment(told.begins_at),
        "named": len(found),
        "ours": told.ours,
        "unusual": len(unusual),
        "uses": [_in_evidence(each) for each in unusual[:_IN_EVIDENCE]],
    }
    kept.keep(reading.vendor, logs, uses, record)


def logs_of(reading: Reading) -> list[Log]:
    """Return the logs that were read, which nobody has kept yet."""
    since, read = reading.since, reading.told.logs
    return [Log(_safe(each.name), each.digest, each.begins_at, each.ends_at, since, 0.0, each.records) for each in read]


def of_vendor(parts: Rotator, name: str) -> list[Used]:
    """Return what all logs that were read tell of what a vendor holds, the gravest first."""
    return of_each(parts, name).get(name, [])


def of_each(parts: Rotator, name: str | None = None) -> dict[str, list[Used]]:
    """Return the same for one vendor, or for each of which logs tell.

    It moves with the chains of vendors, and with deaths: `ledger.vendor_history.mark`, `ledger.ended.mark`.
    """
    kept = VendorUses(parts.database)
    uses, logs = kept.uses(name), kept.logs(name)
    deaths = _deaths(parts, [each for some in uses.values() for each in some])
    return {each: together(some, logs[each], kept.cuts(each), deaths) for each, some in uses.items()}


def digest_of(logs: Sequence[Log]) -> str:
    """Return the SHA-256 of one log; of several that of theirs, sorted, one a line."""
    digests = sorted(each.digest for each in logs)
    return (
        digests[0]
        if len(digests) == 1
        else hashlib.sha256("".join(f"{each}\n" for each in digests).encode()).hexdigest()
    )


def _deaths(parts: Rotator, uses: Iterable[Use]) -> dict[CredentialRef, Death]:
    found = ended.deaths(parts.database, {each.ref for each in uses}, accounts(parts))
    return {ref: Death(each.at, each.evidence.value) for ref, each in found.items()}


def _refs(parts: Rotator, name: str) -> dict[str, list[CredentialRef]]:
    """Return what logs may name: all that has an id, and a secret, by that id."""
    held = [each.ref for each in held_by(parts, parts.vendors.one(name))]
    found: dict[str, list[CredentialRef]] = {}
    for ref in dict.fromkeys([*held, *VendorUses(parts.database).once_held(name)]):
        if ref.id and not is_grant(parts, ref.provider):
            found.setdefault(ref.id, []).append(ref)
    return found


def _since(
    parts: Rotator, name: str, files: Callable[[], Files], since: float | None, now: float
) -> tuple[float | None, str]:
    if since is not None:
        return since, SAID
    if (pause := parts.pauses.of(name)) is not None:
        return pause.at, PAUSED
    last = newest(files(), now=now)
    return (None if last is None else last - USUAL_S), NEWEST


def _made_at(parts: Rotator, refs: Mapping[str, Sequence[CredentialRef]]) -> dict[CredentialRef, float | None]:
    """Return when each was made, as its issuer listed it: a report of last uses tells keys apart by that.

    One that is dead and was never listed is left out: what its user has as the only key by now may be another.
    """
    wanted = {ref for some in refs.values() for ref in some}
    made = {each.ref: epoch(each.facts.get("created_at")) for each in parts.inventory.listed() if each.ref in wanted}
    dead = ended.deaths(parts.database, (ref for ref in wanted if made.get(ref) is None), accounts(parts))
    return {ref: made.get(ref) for ref in wanted - dead.keys()}


def _use(each: InLog, ref: CredentialRef) -> Use:
    return Use(
        ref,
        each.digest,
        each.calls,
        each.refused,
        each.first_at,
        each.last_at,
        each.accepted_at,
        _safe(each.accepted),
        tuple(replace(sign, words=_safe(sign.words), file=_safe(sign.file)) for sign in each.signs),
    )


def _safe(words: str) -> str:
    """Return words that whoever called could choose in part, as they may be kept and shown."""
    return _LEFT_OUT if holds_material(words) else plain(words)


def _in_evidence(each: Used) -> dict[str, Any]:
    return {"credential": str(each.ref), "grave": each.grave, "signs": list(_signs(each.signs[:_SIGNS]))}


def _signs(signs: Sequence[Seen]) -> Iterator[dict[str, str]]:
    return ({"sign": SHORT[each.sign], "at": moment(each.at), "words": each.words} for each in signs)
