"""From the sites that had a bad package to every credential within reach there, each with the links that say why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from rotator.credential import CredentialRef, Leaked
from rotator.flow.exposure import INVENTORY, LIST, Certainty, Exposure
from rotator.flow.harvest import ANYWHERE, HARVESTED
from rotator.flow.hits import Hit, Hits, Near
from rotator.flow.inventory import Entry, Fitting, key
from rotator.flow.places import Whereabouts, whereabouts
from rotator.flow.scope import Unresolved
from rotator.flow.site import Site
from rotator.flow.stock import spoken_of_as

_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Reach:
    """What is within reach of a bad package. `unplaced`, by kind, is what may be, of which nobody has said where it is.

    `says` are the links that explain those. `unread` warns of evidence that could have told of more.
    """

    exposures: tuple[Exposure, ...] = ()
    unplaced: Mapping[str, Sequence[CredentialRef]] = field(default_factory=dict)
    says: Exposure | None = None
    unread: tuple[str, ...] = ()

    def left(self, named: Iterable[CredentialRef]) -> tuple[Unresolved, ...]:
        """Return the task, for each kind, to say from where they are within reach, but for those that are `named`.

        To revoke all of them unasked would stop a company.
        """
        known = {each for ref in named for each in spoken_of_as(ref)}
        found = {kind: [each for each in of if each not in known] for kind, of in sorted(self.unplaced.items())}
        return tuple(_task(self.says, kind, of) for kind, of in found.items() if of and self.says is not None)


NOWHERE = Reach()
"""What is within reach where nobody told of a bad package."""


def reachable(hits: Iterable[Hit], entries: Iterable[Entry], known_ids: Iterable[CredentialRef] = ()) -> Reach:
    """Return an exposure for each credential and each site with a hit from which it is within reach.

    REACHABLE where the package was installed there and an entry names the site, or the whole that it is part of; else
    INFERRED. `known_ids` are the credentials that issuers listed: an entry without an id stands for those that it fits.
    Where there are none, the exposure names the owner alone. Every entry that fits a credential is heard, not only the
    most exact: that one says where it is used does not unsay another. A credential of which none says from where it is
    within reach is unplaced where a package was installed anywhere, whatever its kind.
    """
    at = Hits(hits)
    found: list[Exposure] = []
    unplaced: dict[str, list[CredentialRef]] = {}
    for credential, told in _credentials(entries, known_ids):
        if any(each.whereabouts for each in told):
            found += _exposures(at, credential, told)
        elif at.first_installed is not None and _exists(credential):
            unplaced.setdefault(credential.provider, []).append(credential)
    return Reach(tuple(found), unplaced, at.first() if unplaced else None)


@dataclass(frozen=True, slots=True)
class _Told:
    """What one entry says, looked up once for all credentials that it stands for."""

    entry: Entry
    whereabouts: tuple[Whereabouts, ...]


def _credentials(
    entries: Iterable[Entry], known_ids: Iterable[CredentialRef]
) -> Iterator[tuple[CredentialRef, list[_Told]]]:
    """Yield each credential that is known, or that an entry names, with every entry that speaks of it."""
    known = sorted(set(known_ids))
    fitting = Fitting(known)
    found: dict[CredentialRef, list[_Told]] = {}
    for entry in entries:
        match = entry.custody.match
        told = _Told(entry, whereabouts(entry.custody))
        provider, connection, owner, given_id = key(match)
        for ref in fitting.of(match) or [CredentialRef(provider, connection, owner, given_id)]:
            found.setdefault(ref, []).append(told)
    for ref in known:
        found.setdefault(ref, [])
    yield from found.items()


def _exposures(at: Hits, credential: CredentialRef, told: Sequence[_Told]) -> list[Exposure]:
    """Return one exposure for each site, the surest of those that several entries give."""
    best: dict[Site, tuple[Near, Whereabouts, Entry]] = {}
    for each in told:
        for place in each.whereabouts:
            for near in at.near(place.site):
                known = best.get(near.hit.site)
                if known is None or known[0].certainty is Certainty.INFERRED is not near.certainty:
                    best[near.hit.site] = near, place, each.entry
    if not best:
        return []
    kind, leaked, tail = _named(credential), _leaked(credential), _untold(credential)
    return [
        _exposure(
            credential,
            leaked,
            near.hit,
            near.certainty,
            (*near.links, f"{kind} {place.why} ({_origin(entry)})", *_stands_for(credential, entry), *tail),
        )
        for near, place, entry in best.values()
    ]


def _task(says: Exposure, kind: str, credentials: Sequence[CredentialRef]) -> Unresolved:
    first = ", ".join(each.id or each.owner for each in credentials[:_SHOWN])
    more = f" and {len(credentials) - _SHOWN:,} more" if len(credentials) > _SHOWN else ""
    name = f"unplaced {kind or 'of a kind that nobody named'}"
    links = (*says.via, f"such a package takes {HARVESTED.get(kind, ANYWHERE)} from where it runs")
    return Unresolved(
        kind or None,
        name,
        (replace(says, rule=kind, leaked=Leaked(id=name), via=links),),
        f"nobody has said from where {first}{more} {'is' if len(credentials) == 1 else 'are'} within reach",
        "say it in `reachable_from`, and declare again; or let a scanner look through those sites"
        + ("; `rotator plan last -o json` lists them all" if more else ""),
        stands_for=tuple(credentials),
    )


def _exposure(
    credential: CredentialRef, leaked: Leaked, hit: Hit, certainty: Certainty, via: tuple[str, ...]
) -> Exposure:
    return Exposure(
        source=LIST if credential.provider else INVENTORY,
        rule=credential.provider or _named(credential),
        leaked=leaked,
        # Without an id the path tells credentials apart: it has to be one for all sites, and another's for no other.
        path=hit.path if credential.id else f"inventory: {_named(credential)}",
        line=hit.line if credential.id else None,
        seen_at=hit.since,
        certainty=certainty,
        via=via,
    )


def _leaked(credential: CredentialRef) -> Leaked:
    return Leaked(id=credential.id or None, owner=credential.owner or None, connection=credential.connection or None)


def _exists(credential: CredentialRef) -> bool:
    """Tell whether this is a credential, or somebody's; an entry for a whole kind may speak of none."""
    return bool(credential.id or credential.owner)


def _named(credential: CredentialRef) -> str:
    """Return what a link calls it: its kind, whose it is, and its id."""
    words = [credential.provider or "credential", credential.owner, credential.id]
    on = f" on {credential.connection}" if credential.connection else ""
    return " ".join(filter(None, words)) + on


def _origin(entry: Entry) -> str:
    return f"inventory: {entry.origin}"


def _stands_for(credential: CredentialRef, entry: Entry) -> tuple[str, ...]:
    """Say by which words an entry that does not name it means this credential."""
    match = entry.custody.match
    if "id" in match or not credential.id:
        return ()
    whose = f"of {match['owner']}" if "owner" in match else "that fit the entry"
    return (f"{credential.id} is one of those {whose} that its issuer lists",)


def _untold(credential: CredentialRef) -> tuple[str, ...]:
    if credential.id:
        return ()
    whose = f" of {credential.owner}" if credential.owner else ""
    return (f"no id{whose} is known: a person must say which it is, or `rotator inventory discover --save` list it",)
