"""Exclusions: what a person takes out of a plan, with a reason. It lives on, is told of, and may read what it could."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from rotator.credential import CredentialRef
from rotator.errors import BadInput
from rotator.flow.exposure import Disposition, Exposure
from rotator.flow.inventory import Entry
from rotator.flow.order import Left, names
from rotator.flow.scope import Scoped, Unresolved
from rotator.flow.selector import Selector, attributes, fits_nothing, selector, which
from rotator.ports.store import Place

WHERE = "--exclude"


@dataclass(frozen=True, slots=True)
class Exclusion:
    """One `--exclude`: what it takes out, why, and who says so."""

    of: Selector
    reason: str
    by: str
    disposition: Disposition | None = None


@dataclass(frozen=True, slots=True)
class Excluded:
    """An exposed credential that stays as it is because a person says so.

    `ref` is None for what no issuer has named. `reaches` are the connections that it may read or administer, `uses`
    those on which the rotator itself uses it, `places` where its owner keeps it. `disposition` is what it is said to be
    that needs no answer: it opens nothing, and so reads nothing. `known` is the part of `reaches` that somebody named.
    """

    kind: str | None
    key: str
    ref: CredentialRef | None
    exposures: tuple[Exposure, ...]
    selector: str
    reason: str
    by: str
    reaches: frozenset[str] = frozenset()
    uses: tuple[str, ...] = ()
    places: tuple[Place, ...] = ()
    disposition: Disposition | None = None
    known: frozenset[str] = frozenset()


def exclusions(given: Sequence[str], reasons: Sequence[str], by: str) -> tuple[Exclusion, ...]:
    """Read every --exclude with its --reason: one for all of them, or one for each, in order. Raises BadInput."""
    if not given and reasons:
        raise BadInput("a reason without an exclusion", "--reason", "say with --exclude SELECTOR what is left out")
    said = [each.strip() for each in reasons]
    if given and not (said and all(said)):
        raise BadInput("an exclusion needs a reason: it becomes evidence", WHERE, "add --reason TEXT")
    if len(said) not in {0, 1, len(given)}:
        raise BadInput(f"{len(given)} exclusions have {len(said)} reasons", "--reason", "give one for all, or for each")
    each_its_own = said if len(said) == len(given) else said * len(given)
    found = zip((selector(text, WHERE) for text in given), each_its_own, strict=True)
    return tuple(Exclusion(of, reason, by) for of, reason in found)


def canaries(entries: Iterable[Entry], found: Iterable[Scoped | Unresolved]) -> tuple[Exclusion, ...]:
    """Return what takes out those of them that the inventory has as canaries; a canary's id is its own everywhere."""
    ours = [each for each in entries if each.custody.canary]
    known = [attributes(each) for each in found] if ours else []
    out = []
    for each in ours:
        match = dict(each.custody.match)
        names = ("provider", "id") if "id" in match else ("provider", "connection", "owner")
        told = tuple((name, match[name]) for name in names if name in match)
        of = Selector(",".join(f"{name}:{value}" for name, value in told), told)
        if told and any(of.fits(one) for one in known):
            out.append(Exclusion(of, "our canary", f"the inventory ({each.origin})", Disposition.CANARY))
    return tuple(out)


def take_out(
    scoped: Iterable[Scoped], unresolved: Iterable[Unresolved], asked: Sequence[Exclusion]
) -> tuple[list[Scoped], list[Unresolved], list[Excluded]]:
    """Return what stays in the plan, and what is excluded. Raises BadInput for an exclusion that fits nothing."""
    if not asked:
        return list(scoped), list(unresolved), []
    by_selector = {each.of: each for each in asked}
    known: list[dict[str, str]] = []
    out: list[Excluded] = []

    def stays(each: Scoped | Unresolved) -> bool:
        known.append(attributes(each))
        if found := which(by_selector, known[-1]):
            out.append(_excluded(each, by_selector[found[0]]))
        return not found

    stay = [each for each in scoped if stays(each)]
    left = [each for each in unresolved if stays(each)]
    for each in by_selector:
        if not any(each.fits(one) for one in known):
            raise fits_nothing(each, known, WHERE)
    return stay, left, sorted(out, key=lambda each: (each.kind or "", each.key, each.ref is not None))


def _excluded(each: Scoped | Unresolved, why: Exclusion) -> Excluded:
    said = (why.of.text, why.reason, why.by)
    if why.disposition is not None:
        ref = each.ref if isinstance(each, Scoped) else None
        key = ref.id if ref is not None else getattr(each, "key", "")
        return Excluded(each.kind, key, ref, each.exposures, *said, disposition=why.disposition)
    if isinstance(each, Unresolved):
        return Excluded(each.kind, each.key, None, each.exposures, *said, each.reaches, each.uses)
    uses = each.lifeline.cuts if each.lifeline else ()
    known = frozenset(name.partition(":")[0] for name in (*(each.custody.reads or ()), *each.custody.administers))
    places = each.custody.deliver
    return Excluded(each.kind, each.ref.id, each.ref, each.exposures, *said, each.reaches, uses, places, known=known)


def warnings_of_excluded(
    excluded: Iterable[Excluded],
    passed: Collection[str],
    delivered: Mapping[tuple[str, str, Place], CredentialRef],
) -> list[str]:
    """Say what hangs on those that live on. `passed`: the connections that new secrets pass.

    `delivered` tells by kind, owner and place which credential's replacement goes there.
    """
    found = []
    readers: dict[str, list[str]] = {}
    for each in excluded:
        if each.disposition is Disposition.CANARY:
            found.append(f"{each.key} is our canary: whoever took it was where it lay, and has what else lay there")
        for at in each.reaches & set(passed):
            readers.setdefault(at, []).append(each.key)
        if each.uses:
            on = ", ".join(each.uses)
            found.append(f"{each.key} is excluded, and the rotator itself uses it on {on}: a thief can act as it does")
        owner = each.ref.owner if each.ref else ""
        shared = ((place, delivered.get((each.kind or "", owner, place))) for place in each.places)
        found += [
            f"{place} gets what replaces {other.id}; {each.key}, kept there too, is excluded and lives on"
            for place, other in shared
            if other is not None
        ]
    return found + [
        f"new secrets pass {at}, where {names(keys)} may read: excluded, so nobody stops it"
        for at, keys in sorted(readers.items())
    ]


def warnings_of_left(left: Iterable[Left], passed: Collection[str]) -> list[str]:
    """Say where new secrets pass although what an earlier incident left alive may read there."""
    readers: dict[tuple[str, str, bool], list[str]] = {}
    for each in left:
        for at in each.reaches & set(passed):
            readers.setdefault((at, each.incident, each.excluded), []).append(each.key)
    return [
        f"new secrets pass {at}, where {names(keys)} may read: "
        + (f"excluded in {incident}, so nobody stops it" if excluded else f"{incident} leaves that to a person")
        for (at, incident, excluded), keys in sorted(readers.items())
    ]
