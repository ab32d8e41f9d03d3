"""Issuers, doors and stores of a soak: they may be down, and their changes are felt here before they are felt there."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from rotator.credential import CredentialRef, Issued, Secret
from rotator.ports.provider import State
from tests.fakes.doors import DoorIssuer
from tests.fakes.issuer import Issuer, public_part
from tests.fakes.store import FakeStore
from tests.soak.stage import acting

T = TypeVar("T")
Fields = dict[str, Any]


@dataclass(frozen=True)
class SoakIssuer(Issuer):
    """An issuer with many edges: while a change spreads, some know of it and some do not."""

    def ask(self, what: str, about: str, act: Callable[[Fields], T], *, changes: bool = False) -> T:
        reachable = self.reachable and self.world.reaches(self.connection)
        return self.world.exchange(f"issuer.{what}", about, act, changes=changes, reachable=reachable)

    def make(
        self, state: Fields, owner: str, at: float, marker: str = "", doors: tuple[str, ...] = ()
    ) -> tuple[CredentialRef, Secret]:
        ref, secret = super().make(state, owner, at, marker, doors)
        state["credentials"][ref.id]["spreads_s"] = self.propagation_s
        return ref, secret

    def felt(self, state: Fields, found: Fields) -> str:
        fresh = state["now"] - found["changed_at"] < self.propagation_s
        return str(found["before"] if fresh and self.world.edges.random() < 0.5 else found["state"])

    def turn(self, state: Fields, found: Fields, new: State) -> None:
        if found["state"] == new.value:
            return
        fresh = state["now"] - found["changed_at"] < self.propagation_s
        known = found["before"] if fresh and found["before"] == State.ACTIVE.value else found["state"]
        found.update(before=known, state=new.value, changed_at=state["now"])


class SoakDoors(DoorIssuer):
    """Doors whose keys are numbered, so that a night can be played again."""

    def plant(self, owner: str | None = None) -> tuple[CredentialRef, Secret]:
        secret = self._material()
        ref = CredentialRef(self.name, self.at.connection, str(owner), public_part(secret))
        with self.at.world.open() as state:
            self._kept(state, ref)["doors"] = {door: {"open": True, "sessions": 1} for door in self._doors}
        return ref, secret

    def generate(self, ref: CredentialRef) -> Issued:
        secret = self._material()
        return Issued(ref.with_id(public_part(secret)), secret, {"public_key": public_part(secret)})

    def _material(self) -> Secret:
        return Secret(f"canary-private-{self.at.world.number():05d}-ssh_authorized_key")


class SoakStore(FakeStore):
    """A store that may be down, and that remembers when each value came."""

    @property
    def _reachable(self) -> bool:
        return self._world.reaches(self._connection)

    @_reachable.setter
    def _reachable(self, _given: bool) -> None:
        """Let the world alone say so."""

    def _add(self, place: Fields, document: str) -> str:
        version = super()._add(place, document)
        place.setdefault("came_at", {})[version] = self._world.now()
        if acting() is None:
            place.setdefault("persons", set()).add(version)
        return version

    def _found(self, name: str) -> str | None:
        """Return what is there, asked by nobody: for a planted bug that does not compare."""
        with self._world.open() as state:
            return self._place(state, name)["current"]

    def _move(self, name: str, place: Fields, version: str, expected: str | None) -> None:
        before = place["current"]
        super()._move(name, place, version, expected)
        unread = before in place["persons"] and place["came_at"][before] > place["read_at"]
        place.setdefault("moves", []).append(
            {"to": version, "id": json.loads(place["versions"][version])["id"], "over_unread": unread}
        )

    def current(self, name: str) -> str | None:
        def act(place: Fields) -> str | None:
            place["read_at"] = self._world.now()
            return place["current"]

        return self._ask("current", name, act)
