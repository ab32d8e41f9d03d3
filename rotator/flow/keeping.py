"""Where the credentials of a stock are kept, and who issued them: found by a path of `reads` or `administers`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from rotator.flow.paths import CASELESS, Names, Roots, names_of
from rotator.flow.stock import Stock


class Keeping:
    """The numbers of a stock's credentials by the names of their `places`, and by what they are `issued` as.

    Both are by connection. `issuers` names the connections that serve a kind, for entries that name none.
    """

    def __init__(self, found: Sequence[Stock], roots: Roots, issuers: Callable[[str], Collection[str]]) -> None:
        self._issuers = issuers
        places: dict[str, list[tuple[str, int]]] = {}
        issued: dict[str, list[tuple[str, int]]] = {}
        caseless: set[str] = set()
        for number, each in enumerate(found):
            for connection in self.issued_by(each):
                issued.setdefault(connection, []).extend((name, number) for name in each.issued_as)
                if each.own_place is not None:
                    places.setdefault(connection, []).append((each.own_place, number))
            for place in dict.fromkeys(place for custody in each.custodies for place in custody.deliver):
                names = dict.fromkeys(names_of(place, roots))
                caseless.update((place.connection,) if place.store in CASELESS else ())
                places.setdefault(place.connection, []).extend((name, number) for name in names)
        self.places = {at: Names(named, caseless=at in caseless) for at, named in places.items()}
        self.issued = {connection: Names(named) for connection, named in issued.items()}

    def issued_by(self, one: Stock) -> tuple[str, ...]:
        """Return the connection that issued it, or all that may have."""
        if one.ref.connection:
            return (one.ref.connection,)
        return tuple(self._issuers(one.ref.provider)) if one.ref.provider else ()
