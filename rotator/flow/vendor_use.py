"""Use of what a vendor holds, as access logs tell it: what of it is unusual, and what was used that was to be dead.

What logs told is kept; how grave that is follows anew from what is so now, from pauses and deaths. No sign is a proof
of abuse: a new network may be a new office. The likelihoods are judgements.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from rotator.credential import CredentialRef
from rotator.flow.access import Seen, Sign
from rotator.flow.gate_facts import moment
from rotator.flow.proof import Evidence
from rotator.flow.vendor_notice import Ground

DAY_S = 86400.0
USUAL_S = 7 * DAY_S
"""So long before the newest record begins what is looked at, where nobody says since when and the vendor is not paused;
and logs that begin less than so long before tell little of what is usual."""
STANDS_S = 30 * DAY_S
"""A sign counts until logs reach so far beyond it: what went on is usual by then, and what did not is over."""
NEAR_S = 5.0
"""How far the clocks of an issuer and of a worker may be apart."""
USED_DEAD, USED_PAUSED, UNUSUAL, ODD = 0.95, 0.8, 0.5, 0.2
"""Likelihoods: its issuer took what was dead; what was to be dead, after the pause; signs of several sorts, of one."""
SHORT: Mapping[Sign, str] = {
    Sign.FIRST_USE: "first use",
    Sign.NEW_NETWORK: "new network",
    Sign.NEW_CALL: "new call",
    Sign.NEW_REGION: "new region",
    Sign.VOLUME: "volume",
}
"""What a sign is called where a vendor holds the credential, and nobody said that it is exposed."""
_SHOWN = 3


class After(StrEnum):
    """After what a credential was used that was not to be used any more."""

    DEAD = "dead"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True)
class Log:
    """A log that was read for a vendor: its SHA-256, of when its first and last record are, and when it was read.

    Times are in epoch seconds; `since` is what was new from then on, None where nothing could be. `records` is the
    SHA-256 of its records, the same in whatever form it is; "" where nobody knows that.
    """

    name: str
    digest: str
    begins_at: float | None
    ends_at: float | None
    since: float | None
    read_at: float
    records: str = ""

    @property
    def known_by(self) -> frozenset[str]:
        """Return by what it is known, in whatever form it comes again."""
        return frozenset({self.digest, self.records} - {""})


@dataclass(frozen=True, slots=True)
class Use:
    """What one log tells of one credential; `refused` of its calls the issuer did not take it for.

    `accepted` is the last for which it did, at `accepted_at`. Times are in epoch seconds.
    """

    ref: CredentialRef
    digest: str
    calls: int
    refused: int
    first_at: float | None
    last_at: float
    accepted_at: float | None
    accepted: str
    signs: tuple[Seen, ...]


@dataclass(frozen=True, slots=True)
class Death:
    """When a credential was dead, in epoch seconds, and whether that is proven or stated."""

    at: float
    evidence: str


@dataclass(frozen=True, slots=True)
class Cut:
    """A pause: from when to when, in epoch seconds, None while it lasts, and what was to die by it, as refs read."""

    at: float
    restored_at: float | None
    of: frozenset[str]


@dataclass(frozen=True, slots=True)
class Used:
    """What all logs together tell of one credential; `signs` are those that count, the newest first.

    `after` says after what its issuer took it last, at `accepted_at`; `grave` tells that in words, "" after nothing.
    `is_dead` where its death is proven, and no log shows it in use since.
    """

    ref: CredentialRef
    calls: int
    refused: int
    first_at: float | None
    last_at: float
    logs: tuple[str, ...]
    signs: tuple[Seen, ...]
    accepted_at: float | None = None
    after: After | None = None
    grave: str = ""
    is_dead: bool = False

    @property
    def sorts(self) -> tuple[str, ...]:
        """Return what is unusual of it, in a word each."""
        return tuple(dict.fromkeys(SHORT[each.sign] for each in self.signs))

    @property
    def is_unusual(self) -> bool:
        """Tell whether somebody has to look."""
        return bool(self.after or self.signs)

    @property
    def name(self) -> str:
        """Return what people call it."""
        return f"{self.ref.provider} {self.ref.id}"


def together(
    uses: Iterable[Use], logs: Iterable[Log], cuts: Sequence[Cut], dead: Mapping[CredentialRef, Death]
) -> list[Used]:
    """Return what logs tell of each credential, the gravest first."""
    known = {each.digest: each for each in logs}
    newest = max((each.ends_at for each in known.values() if each.ends_at is not None), default=0.0)
    of: dict[CredentialRef, list[Use]] = {}
    for each in uses:
        of.setdefault(each.ref, []).append(each)
    found = [_used(ref, some, known, newest, cuts, dead.get(ref)) for ref, some in of.items()]
    order = {After.DEAD: 0, After.PAUSED: 1, None: 2}
    return sorted(found, key=lambda each: (order[each.after], -len(each.sorts), -each.last_at, each.ref))


def _used(  # noqa: PLR0917 - all that is known
    ref: CredentialRef,
    uses: Sequence[Use],
    logs: Mapping[str, Log],
    newest: float,
    cuts: Sequence[Cut],
    death: Death | None,
) -> Used:
    last = max(uses, key=lambda each: each.accepted_at or 0.0)
    after, grave = _after(ref, last, cuts, death)
    signs = (sign for each in uses for sign in each.signs if sign.at >= newest - STANDS_S)
    return Used(
        ref=ref,
        calls=sum(each.calls for each in uses),
        refused=sum(each.refused for each in uses),
        first_at=min((each.first_at for each in uses if each.first_at is not None), default=None),
        last_at=max(each.last_at for each in uses),
        logs=tuple(logs[each.digest].name for each in sorted(uses, key=lambda each: -each.last_at)),
        signs=tuple(sorted(signs, key=lambda each: -each.at)),
        accepted_at=last.accepted_at,
        after=after,
        grave=grave,
        is_dead=death is not None and death.evidence == Evidence.PROVEN.value and after is not After.DEAD,
    )


def _after(ref: CredentialRef, last: Use, cuts: Sequence[Cut], death: Death | None) -> tuple[After | None, str]:
    """Say after what its issuer took it last."""
    at = last.accepted_at
    if at is None:
        return None, ""
    if death is not None and at > death.at + NEAR_S:
        return After.DEAD, f"USED AFTER IT WAS DEAD ({death.evidence} at {moment(death.at)}): {last.accepted}"
    for each in cuts:
        if str(ref) in each.of and each.at <= at < (each.restored_at or float("inf")):
            return After.PAUSED, f"USED AFTER THE PAUSE ({moment(each.at)}): {last.accepted}"
    return None, ""


def caveats(logs: Sequence[Log]) -> list[str]:
    """Say what is too little to say more, of the logs that were read together last; nothing where none was read."""
    if not logs:
        return []
    read_at = max(each.read_at for each in logs)
    last = [each for each in logs if each.read_at == read_at]
    since = last[0].since
    begins = min((each.begins_at for each in last if each.begins_at is not None), default=None)
    if begins is None or since is None:
        return ["the logs that were read last tell of no single uses: nothing of them is called new"]
    if begins >= since:
        what = f"the logs that were read last begin at {moment(begins)}, and not before {moment(since)}"
        return [f"{what}: what is usual is not known, and nothing of them is called new"]
    if since - begins < USUAL_S:
        what = f"the logs that were read last begin {_long(since - begins)} before {moment(since)}"
        return [f"{what}: little is known of what is usual"]
    return []


def grounds(vendor: str, found: Sequence[Used]) -> Iterator[Ground]:
    """Yield what speaks for a vendor's being trouble: one ground of each sort."""
    ask = f"look whose use that is: `rotator vendor show {vendor}`"
    for after, value in ((After.DEAD, USED_DEAD), (After.PAUSED, USED_PAUSED)):
        some = [each for each in found if each.after is after and not each.is_dead]
        if some:
            yield Ground(value, f"{_names(some)}: {some[0].grave}", _sources(some), ask)
    odd = [each for each in found if each.signs and (each.after is None or each.is_dead)]
    if odd:
        most = max(odd, key=lambda each: len(each.sorts))
        value = UNUSUAL if len(most.sorts) > 1 else ODD
        sorts = " and ".join(dict.fromkeys(word for each in odd for word in each.sorts))
        yield Ground(value, f"unusual use of {_names(odd)}: {sorts}", _sources(odd), ask)


def _names(some: Sequence[Used]) -> str:
    more = f" and {len(some) - 1:,} more" if len(some) > 1 else ""
    return some[0].name + more


def _sources(some: Sequence[Used]) -> str:
    found = list(dict.fromkeys(log for each in some for log in each.logs))
    more = f" and {len(found) - _SHOWN:,} more" if len(found) > _SHOWN else ""
    return ", ".join(found[:_SHOWN]) + more


def _long(seconds: float) -> str:
    unit, name = (DAY_S, "days") if seconds >= DAY_S else (3600.0, "hours")
    return f"{seconds / unit:.2g} {name}"
