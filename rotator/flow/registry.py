"""The registry of vendors as files say it: what a row means, and what an import makes of what is there.

What is kept of a vendor is what files said, key by key, as plain data; the nouns are made of that.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from rotator.credential import CredentialRef
from rotator.flow import vendor
from rotator.flow.inventory import NAMES, REGISTRY, Act, Entry, key
from rotator.flow.listed_as import BY_NAME
from rotator.flow.numbered import number_of
from rotator.flow.scope import Custody
from rotator.flow.vendor import Attestation, Breach, Dataset, Level, Software, Vendor


class Sort(StrEnum):
    """What a row speaks of."""

    VENDOR = "vendor"
    DATASET = "dataset"


@dataclass(frozen=True, slots=True)
class Said:
    """One row of a file: of whom, the keys that it has, and where it stands. A key that is None is taken back."""

    sort: Sort
    name: str
    keys: Mapping[str, Any]
    where: str


@dataclass(frozen=True, slots=True)
class Change:
    """What an import does to one vendor or dataset. `before` is None where there was none."""

    act: Act
    sort: Sort
    name: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any]
    where: str

    @property
    def keys(self) -> tuple[str, ...]:
        """Return which keys are other than before."""
        before = self.before or {}
        return tuple(each for each in sorted({*before, *self.after}) if self.after.get(each) != before.get(each))


@dataclass(frozen=True, slots=True)
class Listed:
    """One list of what a vendor runs: what it is called, its file's SHA-256, and its components, each once.

    `made` is when the list says that it was made, in epoch seconds. `left_out` are those whose name seems a secret.
    """

    source: str
    digest: str
    software: tuple[Software, ...]
    made: float | None
    left_out: int


There = Mapping[tuple[Sort, str], Mapping[str, Any]]
"""What files said of each vendor and dataset."""


def changes(there: There, said: Iterable[Said]) -> list[Change]:
    """Return what becomes of each vendor and dataset that the rows speak of, in their order.

    A row's keys replace those that are there, and the others stay: files know different things of one vendor.
    """
    found: dict[tuple[Sort, str], Change] = {}
    for row in said:
        at = (row.sort, row.name)
        earlier = found.get(at)
        before = earlier.before if earlier else there.get(at)
        stands = earlier.after if earlier else before or {}
        after = {name: value for name, value in {**stands, **row.keys}.items() if value is not None}
        act = Act.ADDED if before is None else Act.SAME if after == before else Act.CHANGED
        where = earlier.where if earlier and after == stands else row.where
        found[at] = Change(act, row.sort, row.name, before, after, where)
    return list(found.values())


def vendor_of(name: str, told: Mapping[str, Any], software: Iterable[Software] = ()) -> Vendor:
    """Return a vendor from what files said of it. Who said nothing of its criticality gets medium."""
    return Vendor(
        name=name,
        title=told.get("title", name),
        criticality=Level(told.get("criticality", Level.MEDIUM)),
        owner=told.get("owner", ""),
        holds=tuple(told.get("holds", ())),
        attestations=tuple(map(attestation_of, told.get("attestations", ()))),
        software=tuple(software),
        breaches=tuple(_breach(each) for each in told.get("breaches", ())),
        user_impact=_judged(told.get("user_impact")),
        cost_of_change=_judged(told.get("cost_of_change")),
        contacts=_texts(told, "contacts"),
        accounts=_texts(told, "accounts"),
        systems=_texts(told, "systems"),
        datasets=_texts(told, "datasets"),
        sub_processors=_texts(told, "sub_processors"),
    )


def dataset_of(name: str, told: Mapping[str, Any]) -> Dataset:
    """Return a dataset from what files said of it."""
    return Dataset(name, Level(told["sensitivity"]), told.get("manifest", ""), told.get("why", ""))


def attestation_of(told: Mapping[str, str]) -> Attestation:
    """Return an attestation from what a file said of it."""
    return Attestation(
        kind=told["kind"],
        issuer=told["issuer"],
        scope=told.get("scope", ""),
        valid_from=date.fromisoformat(told["valid_from"]),
        valid_to=date.fromisoformat(told["valid_to"]),
        digest=told.get("sha256", ""),
    )


def as_told(attestation: Attestation) -> dict[str, str]:
    """Return an attestation as a file says it."""
    told = {"kind": attestation.kind, "issuer": attestation.issuer, "scope": attestation.scope}
    told |= {"valid_from": attestation.valid_from.isoformat(), "valid_to": attestation.valid_to.isoformat()}
    return {each: value for each, value in {**told, "sha256": attestation.digest}.items() if value}


def entries(
    vendors: Iterable[Vendor],
    said: Iterable[Entry],
    known: Iterable[CredentialRef],
    is_grant: Callable[[str], bool],
) -> list[Entry]:
    """Return what the registry says as entries of the inventory: what vendors hold, and the grants that trust them.

    `known` are the credentials that issuers list; what was `said` names others.
    """
    every = list(vendors)
    held = [Entry(Custody(match, vendor=each.name), REGISTRY) for each in every for match in each.holds]
    accounts = [(each.name, account) for each in every for account in each.accounts]
    if not accounts:
        return held
    exact = (key(each.custody.match) for each in said if len(each.custody.match) == len(NAMES))
    refs = sorted({*known, *(CredentialRef(kind, connection, owner, name) for kind, connection, owner, name in exact)})
    grants = {kind for kind in {each.provider for each in refs} if is_grant(kind)}
    return held + [
        Entry(Custody({name: getattr(ref, name) for name in NAMES}, vendor=vendor), _trusting(ref, account))
        for ref in refs
        if ref.provider in grants
        for vendor, account in accounts
        if trusts(ref, account)
    ]


def trusts(ref: CredentialRef, account: str) -> bool:
    """Tell whether a grant is trust in this account: a word of whom its id names, behind what it is trust on."""
    on = (f"{ref.owner}/", f"{ref.owner.rpartition('/')[2]}/")
    whom = ref.id.removeprefix(on[0]).removeprefix(on[1])
    word = rf"(?<![\w-]){re.escape(account)}(?![\w-])"
    return account.lower() in whom.lower() and re.search(word, whom, re.IGNORECASE) is not None


def _trusting(ref: CredentialRef, account: str) -> str:
    is_name = number_of(ref.provider, ref.id) is not None and not account.isdigit()
    return f"{REGISTRY}, account {account}{BY_NAME if is_name else ''}"


def _breach(told: Mapping[str, str]) -> Breach:
    return Breach(date.fromisoformat(told["on"]), told["what"], told.get("source", ""))


def _judged(told: Mapping[str, str] | None) -> vendor.Said | None:
    return None if told is None else vendor.Said(Level(told["level"]), told["why"])


def _texts(told: Mapping[str, Sequence[str]], name: str) -> tuple[str, ...]:
    return tuple(told.get(name, ()))
