"""The stock: each credential that discovery or the inventory knows of, with all that people said of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

from rotator.credential import CredentialRef, Leaked
from rotator.flow.inventory import NAMES, Fitting, key
from rotator.flow.numbered import name_of
from rotator.flow.scope import Custody

_IN_A_STORE = frozenset({"aws_secret", "aws_ssm_parameter", "gcp_secret_version", "azure_key_vault_secret"})
"""Kinds that are themselves what a reader of their connection reads: the owner is the name in the store."""
_NAMELESS = CredentialRef("", "", "", "")
_STATIC_ROLE = "vault_database_static_role"


@dataclass(frozen=True, slots=True)
class Stock:
    """One credential. Where only entries speak of it, its `ref` is blank in what they leave open."""

    ref: CredentialRef
    custodies: tuple[Custody, ...]

    @property
    def short(self) -> str:
        """Return what the links of an explanation call it."""
        return f"{self.ref.provider or 'a credential'} {self.ref.owner or self.ref.id or 'of nobody knows whom'}"

    @property
    def full(self) -> str:
        """Return all that is known of its name, as `flow/reach.py` writes it: the same is then one credential."""
        on = f" on {self.ref.connection}" if self.ref.connection else ""
        return " ".join(filter(None, (self.ref.provider or "credential", self.ref.owner, self.ref.id))) + on

    @property
    def leaked(self) -> Leaked:
        """Return what there is to tell an issuer."""
        return Leaked(id=self.ref.id or None, owner=self.ref.owner or None, connection=self.ref.connection or None)

    @property
    def issued_as(self) -> tuple[str, ...]:
        """Return what a path of `administers` may call it."""
        owner, name = self.ref.owner, self.ref.id
        return (owner, name, f"{owner}/{name}") if owner and name else (owner or name,)

    @property
    def own_place(self) -> str | None:
        """Return the path at which its own issuer shows it to readers; None for what is shown nowhere."""
        owner = self.ref.owner
        if owner and self.ref.provider == _STATIC_ROLE:
            mount, _, role = owner.rpartition("/")
            return f"{mount}/static-creds/{role}"
        return owner.lstrip("/") if owner and self.ref.provider in _IN_A_STORE else None


def stock(entries: Sequence[Custody], known: Iterable[CredentialRef]) -> list[Stock]:
    """Return each credential that discovery knows, with every entry that fits it, and each of which only entries speak.

    Not only the most exact entry is heard: that one says what it reads does not unsay where another says it is kept.
    """
    refs = list(dict.fromkeys(known))
    fitting = Fitting(refs)
    told: dict[CredentialRef, None] = {}
    for entry in entries:
        provider, connection, owner, name = key(entry.match)
        if not fitting.of(entry.match) and (entry.deliver or owner or name):
            told[CredentialRef(provider, connection, owner, name)] = None
    # What a wider entry says holds for those too that only a closer one names.
    fitting = Fitting([*refs, *told])
    found: dict[CredentialRef, list[Custody]] = {ref: [] for ref in (*refs, *told)}
    for entry in entries:
        # An entry that compares nothing fits none in particular: it is of a credential of which nothing is known.
        for ref in fitting.of(entry.match) or ([_NAMELESS] if entry.deliver else ()):
            found.setdefault(ref, []).append(entry)
    return [Stock(ref, tuple(custodies)) for ref, custodies in found.items()]


def spoken_of_as(ref: CredentialRef) -> Iterator[CredentialRef]:
    """Yield the credential, and what it is called by entries that leave some of its name open, or its number."""
    name = name_of(ref.provider, ref.id)
    for each in (ref,) if name == ref.id else (ref, ref.with_id(name)):
        for blank in product((False, True), repeat=len(NAMES)):
            open_ = {name: "" for name, is_blank in zip(NAMES, blank, strict=True) if is_blank}
            yield replace(each, generation=0, **open_)
