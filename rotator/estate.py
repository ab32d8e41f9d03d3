"""The inventory with its indexes, made once for all who ask what follows from it: at 50,000 that takes seconds."""

from __future__ import annotations

import functools
import threading
from collections.abc import Sequence

from rotator.bootstrap import Rotator
from rotator.credential import CredentialRef
from rotator.flow.attack_graph import AttackGraph
from rotator.flow.blast import Ground
from rotator.flow.inventory import Fitting, key
from rotator.flow.paths import roots_of
from rotator.flow.scope import Custody
from rotator.flow.stock import Stock, stock
from rotator.flow.vendor import Vendor
from rotator.ledger import outlook, vendor_history

_LARGE = 2000
_SHARED = ("entries", "custodies", "estate", "estate_alone")


def estate(parts: Rotator) -> Estate:
    """Return it as these parts read the inventory, and as the issuers' lists are now."""
    of = outlook.mark(parts.database)
    alone: threading.Lock = parts.__dict__.setdefault("estate_alone", threading.Lock())
    with alone:  # two who ask at once share one
        found: Estate | None = parts.__dict__.get("estate")
        if found is None or found.entries is not parts.entries or found.of != of:
            found = parts.__dict__["estate"] = Estate(parts, of)
        return found


class Estate:
    """What people and issuers said of credentials; each index is made when it is asked for first."""

    def __init__(self, parts: Rotator, of: tuple[object, ...]) -> None:
        self.of, self.entries, self._parts = of, parts.entries, parts

    @functools.cached_property
    def said(self) -> list[Custody]:
        """What the entries say."""
        return [each.custody for each in self.entries]

    @functools.cached_property
    def known(self) -> Sequence[CredentialRef]:
        """What issuers list."""
        return self._parts.inventory.known()

    @functools.cached_property
    def stock(self) -> list[Stock]:
        """Each credential, with every entry that fits it."""
        return stock(self.said, self.known)

    @functools.cached_property
    def fitting(self) -> Fitting:
        """Their names, by what a match compares; and what a vendor holds of which nobody knows a credential."""
        refs = [each.ref for each in self.stock]
        of_these = Fitting(refs)
        return Fitting([*refs, *(_as_said(each) for each in self.said if each.vendor and _is_of_none(each, of_these))])

    @functools.cached_property
    def ground(self) -> Ground:
        """What a search for all that follows goes over."""
        return Ground(self.stock, roots_of(self._parts.connections), self._parts.issuers)

    @functools.cached_property
    def graph(self) -> AttackGraph:
        """What leads where."""
        parts = self._parts
        return AttackGraph(self.stock, parts.custodies, roots_of(parts.connections), parts.issuers)

    @functools.cached_property
    def numbers(self) -> dict[CredentialRef, int]:
        """The number of each credential in the graph."""
        return {each.ref: number for number, each in enumerate(self.graph.stock)}


def _is_of_none(custody: Custody, of: Fitting) -> bool:
    """Tell whether an entry names something, and none of these."""
    return bool(custody.match) and not of.of(custody.match)


def _as_said(custody: Custody) -> CredentialRef:
    """Return what an entry names: a person has to say which it is."""
    provider, connection, owner, name = key(custody.match)
    return CredentialRef(provider, connection, owner, name)


def as_now(parts: Rotator) -> AsNow:
    """Return what gives these parts as they are now, one for everybody who asks."""
    found: AsNow = parts.__dict__.setdefault("as_now", AsNow(parts))
    return found


class AsNow:
    """Parts that read the inventory as it is now: the same ones, with their estate, for as long as it says the same."""

    def __init__(self, parts: Rotator) -> None:
        self._parts, self._alone = parts, threading.Lock()
        self._seen: tuple[object, ...] = ()
        self._of: tuple[object, ...] = ()
        self._now: Rotator | None = None
        self._version = 0

    def version(self) -> int:
        """Return another number once the inventory says something else."""
        self.parts()
        return self._version

    def parts(self) -> Rotator:
        """Return them."""
        with self._alone:
            ledger = self._parts.database
            listed = outlook.mark(ledger)
            seen = (listed, vendor_history.mark(ledger))
            if self._now is not None and seen == self._seen:
                return self._now
            of = (listed, *map(_bears_on, self._parts.vendors.every(software=False)))
            if self._now is None or of != self._of:
                self._now, self._version = self._parts.on(ledger), self._version + 1
            self._seen, self._of = seen, of
            return self._now

    def ruled(self) -> Rotator:
        """Return parts with the rule of approval as it is now, that know of the inventory what these know.

        Raises BadInput where the rule cannot be read now.
        """
        now = self.parts()
        estate(now)
        found = self._parts.on(self._parts.database)
        found.__dict__ |= {name: now.__dict__[name] for name in _SHARED if name in now.__dict__}
        return found

    def is_large(self) -> bool:
        """Tell whether what follows from it takes more than a moment."""
        return outlook.size(self._parts.database) > _LARGE


def _bears_on(vendor: Vendor) -> tuple[object, ...]:
    """Return what of a vendor is an entry of the inventory."""
    return vendor.name, vendor.holds, vendor.accounts
