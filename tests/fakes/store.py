"""A store in a `World`: versions, the tokens they were staged under, and which one consumers read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from rotator.credential import Secret
from rotator.errors import Rejected
from tests.fakes.world import World

T = TypeVar("T")


class FakeStore:
    """Places of one connection, changed by compare-and-set."""

    def __init__(self, world: World, connection: str, reachable: bool = True) -> None:
        self._world, self._connection, self._reachable = world, connection, reachable

    def current(self, name: str) -> str | None:
        return self._ask("current", name, lambda place: place["current"])

    def staged(self, name: str, token: str) -> str | None:
        return self._ask("staged", name, lambda place: place["tokens"].get(token))

    def stage(self, name: str, document: Secret, token: str) -> str:
        def act(place: dict[str, Any]) -> str:
            if token not in place["tokens"]:
                place["tokens"][token] = self._add(place, document.reveal())
            return str(place["tokens"][token])

        return self._ask("stage", name, act, changes=True)

    def read(self, name: str, version: str) -> Secret:
        def look(place: dict[str, Any]) -> Secret:
            if version not in place["versions"]:
                raise Rejected("not_found", f"{name} has no version {version}")
            return Secret(place["versions"][version])

        return self._ask("read", name, look)

    def promote(self, name: str, version: str, expected: str | None) -> str:
        def act(place: dict[str, Any]) -> str:
            if place["current"] != version:
                self._move(name, place, version, expected)
            return version

        return self._ask("promote", name, act, changes=True)

    def demote(self, name: str, version: str, previous: str | None) -> None:
        def act(place: dict[str, Any]) -> None:
            if place["current"] == version:
                place["current"] = previous

        self._ask("demote", name, act, changes=True)

    def put(self, name: str, document: str) -> None:
        """Write a new current value, as another hand does."""
        with self._world.open() as state:
            place = self._place(state, name)
            place["current"] = self._add(place, document)

    def consumed(self, name: str) -> str | None:
        """Return what a consumer reads now."""
        with self._world.open() as state:
            place = self._place(state, name)
            return place["versions"].get(place["current"])

    def _move(self, name: str, place: dict[str, Any], version: str, expected: str | None) -> None:
        if place["current"] != expected:
            raise Rejected("store_changed", f"{name} is at {place['current']}, not at {expected}")
        place["current"] = version

    def _add(self, place: dict[str, Any], document: str) -> str:
        version = f"v{self._world.number()}"
        place["versions"][version] = document
        return version

    def _ask(self, what: str, name: str, act: Callable[[dict[str, Any]], T], *, changes: bool = False) -> T:
        return self._world.exchange(
            f"store.{what}",
            f"{self._connection}:{name}",
            lambda state: act(self._place(state, name)),
            changes=changes,
            reachable=self._reachable,
        )

    def _place(self, state: dict[str, Any], name: str) -> dict[str, Any]:
        return state["places"].setdefault(f"{self._connection}:{name}", {"versions": {}, "tokens": {}, "current": None})
