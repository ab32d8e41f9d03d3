"""What issuers list: asked for, kept, and compared with what people said."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from rotator.bootstrap import Rotator
from rotator.credential import CredentialRef
from rotator.errors import BadInput, RotatorError
from rotator.flow.inventory import Coverage, disused
from rotator.flow.inventory import coverage as compared
from rotator.flow.playbook_words import meant
from rotator.ports.abilities import SelfAware
from rotator.ports.connection import Connection
from rotator.ports.listing import Discoverable, Discovered
from rotator.ports.provider import Provider
from rotator.shown.kinds import served


@dataclass(slots=True)
class Lists:
    """What was listed: by (kind, connection), the kinds that no issuer lists, and those of which the list failed.

    `own` are those by which the rotator itself is let in.
    """

    found: dict[tuple[str, str], list[Discovered]] = field(default_factory=dict)
    silent: dict[tuple[str, str], str] = field(default_factory=dict)
    failed: dict[tuple[str, str], str] = field(default_factory=dict)
    own: set[CredentialRef] = field(default_factory=set)

    @property
    def all(self) -> list[Discovered]:
        """Return all that were listed."""
        return [one for each in self.found.values() for one in each]

    @property
    def data(self) -> list[dict[str, Any]]:
        """Return them as plain data, with what their issuers tell of each."""
        return [{"kind": one.ref.provider, "owner": one.ref.owner, "id": one.ref.id, **one.facts} for one in self.all]

    @property
    def not_listable(self) -> list[dict[str, Any]]:
        """Return what could not be listed, and whether that is a failure or its issuer's way."""
        return [
            {"provider": kind, "connection": at, "why": why, "failed": failed}
            for lot, failed in ((self.silent, False), (self.failed, True))
            for (kind, at), why in lot.items()
        ]


def discovered(parts: Rotator, connection: str, kind: str | None = None) -> Lists:
    """Ask a connection's issuer which credentials it knows, of one kind or of all that it serves. Changes nothing.

    Raises BadInput for a connection that is not there, or a kind that it does not serve.
    """
    lists = Lists()
    _list(parts, _named(parts, connection), lists, kind)
    return lists


def coverage(parts: Rotator, connection: str | None) -> tuple[Coverage, Lists]:
    """Compare what issuers list with what people said, of one connection or of all. Raises BadInput as `discovered`."""
    lists = Lists()
    for each in [_named(parts, connection)] if connection else parts.connections:
        _list(parts, each, lists)
    asked = {
        **dict.fromkeys(lists.found, True),
        **dict.fromkeys(lists.silent, False),
        **dict.fromkeys(lists.failed, False),
    }
    return compared(lists.all, parts.entries, asked, everywhere=connection is None), lists


def kept(parts: Rotator, lists: Lists) -> list[dict[str, Any]]:
    """Keep what was listed in the inventory, as known to exist; return of each kind how many are new, known, gone."""
    told: list[dict[str, Any]] = []
    for (kind, at), listed in lists.found.items():
        each = parts.inventory.keep(kind, at, listed)
        told.append({"kind": kind, "new": each.new, "known": each.known, "gone": each.gone})
    return told


def data(found: Coverage, lists: Lists) -> dict[str, Any]:
    """Return a comparison as plain data."""
    return {
        "listed": found.listed,
        "covered": found.listed - len(found.uncovered),
        "covered_broadly": found.broadly,
        "uncovered": [
            {
                "provider": each.ref.provider,
                "connection": each.ref.connection,
                "owner": each.ref.owner,
                "id": each.ref.id,
                "unused": "" if each.ref in lists.own else disused(each.facts),
                "own": each.ref in lists.own,
                **each.facts,
            }
            for each in found.uncovered
        ],
        "gone": [{"match": dict(each.custody.match), "from": each.origin} for each in found.gone],
        "not_listable": lists.not_listable,
    }


def _named(parts: Rotator, name: str) -> Connection:
    connections = {each.name: each for each in parts.connections}
    if name not in connections:
        raise BadInput("no connection is called so", name, meant(name, connections) if connections else "add one")
    return connections[name]


def _list(parts: Rotator, connection: Connection, lists: Lists, kind: str | None = None) -> None:
    """List one kind, or all, of what a connection serves."""
    kinds: Iterable[str] = served(parts, connection)
    if kind is not None and kind not in kinds:
        raise BadInput(f"{connection.name} serves no such kind", kind, meant(kind, kinds))
    for each in [kind] if kind else kinds:
        at = (each, connection.name)
        try:
            provider = parts.outside.provider_of(each, connection.name)
            if isinstance(provider, Discoverable):
                lists.found[at] = list(provider.discover())
                own = _own(provider)
                lists.own.update(one.ref for one in lists.found[at] if one.ref.id == own)
            else:
                lists.silent[at] = "its issuer cannot list what there is"
        except RotatorError as error:
            lists.failed[at] = str(error)


def _own(provider: Provider) -> str | None:
    """Return by what we are let in here ourselves: some issuers keep no last use, and would call it never used."""
    try:
        return provider.own() if isinstance(provider, SelfAware) else None
    except RotatorError:
        return None
