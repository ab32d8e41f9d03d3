"""A consumer in a `World`: told to reload, it reads the place and holds what it finds there."""

from __future__ import annotations

import json
from typing import Any

from rotator.ports.consumer import Notice, Told
from tests.fakes.world import World


class FakeConsumer:
    """One user of a secret. One that is `silent` never says what it holds."""

    def __init__(self, world: World, name: str, *, silent: bool = False) -> None:
        self._world, self.name, self._silent = world, name, silent

    def reload(self, notice: Notice) -> Told:
        def act(state: dict[str, Any]) -> Told:
            place = state["places"][f"{notice.places[0].connection}:{notice.places[0].name}"]
            state["consumers"][self.name] = json.loads(place["versions"][place["current"]])["id"]
            return self._told(state)

        return self._world.exchange("consumer.reload", self.name, act, changes=True)

    def holding(self, notice: Notice) -> Told:  # noqa: ARG002 - it is asked what it holds, whatever that is
        return self._world.exchange("consumer.holding", self.name, self._told, changes=False)

    def _told(self, state: dict[str, Any]) -> Told:
        return Told("ok", None if self._silent else state["consumers"].get(self.name))
