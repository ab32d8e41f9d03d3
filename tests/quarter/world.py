"""The world of a quarter: tens of thousands of credentials, found by their owner, and users who let go of them late."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from rotator.credential import CredentialRef, Secret
from rotator.errors import Rejected
from rotator.ports.consumer import Notice, Told
from rotator.ports.listing import Discovered
from rotator.ports.provider import State, Status
from tests.fakes.consumer import FakeConsumer
from tests.fakes.issuer import Issuer, KeyIssuer, MarkedIssuer, TokenIssuer, told
from tests.fakes.world import World

T = TypeVar("T")
Fields = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Stop:
    """A credential that was stopped, and whether somebody still used it."""

    id: str
    at: float
    in_use: bool


class Town(World):
    """The world from a moment on. Each exchange takes a few milliseconds, by a die of its own."""

    def __init__(self, begins: float, seed: str) -> None:
        super().__init__()
        self._state["now"] = begins
        self._die = random.Random(f"{seed}/latency")
        self._of_owner: dict[tuple[str, str, str], Fields] = {}
        self._numbers = itertools.count(1)
        self.lingers: dict[str, float] = {}
        """Until when somebody uses a credential, whatever its consumers were told."""
        self.refuses: set[str] = set()
        """Credentials that their issuer does not stop for us."""
        self.minted: set[str] = set()
        self.stops: list[Stop] = []

    def exchange(
        self, what: str, about: str, act: Callable[[Fields], T], *, changes: bool, reachable: bool = True
    ) -> T:
        with self.open() as state:
            state["now"] += round(self._die.uniform(0.004, 0.04), 3)
        return super().exchange(what, about, act, changes=changes, reachable=reachable)

    def number(self) -> int:
        return next(self._numbers)

    def keep(self, ref: CredentialRef, record: Fields) -> None:
        """Find it by its owner from now on."""
        record["id"] = ref.id
        self._state["credentials"][ref.id] = record
        self._of_owner.setdefault((ref.provider, ref.connection, ref.owner), {})[ref.id] = record

    def among(self, kind: str, connection: str, what: str, about: str) -> Fields:
        """Return the credentials that a question can be about: to look through all would take the quarter."""
        if what in {"siblings", "issue", "marked"}:
            return self._of_owner.get((kind, connection, about), {})
        found = self.credentials.get(about)
        if found is None and what == "identify":  # by its material alone
            return self.credentials
        return {} if found is None else {about: found}

    def of(self, kind: str, connection: str) -> Iterator[tuple[str, Fields]]:
        """Yield what an issuer keeps, by name."""
        for name, each in self._state["credentials"].items():
            if (each["kind"], each["connection"], each["state"] == State.ABSENT.value) == (kind, connection, False):
                yield name, each

    @property
    def credentials(self) -> dict[str, Fields]:
        return self._state["credentials"]

    @property
    def places(self) -> dict[str, Fields]:
        return self._state["places"]


@dataclass(frozen=True)
class TownIssuer(Issuer):
    """An issuer that finds a credential among tens of thousands, and tells of uses as they were."""

    world: Town

    def ask(self, what: str, about: str, act: Callable[[Fields], T], *, changes: bool = False) -> T:
        def narrowed(state: Fields) -> T:
            return act({**state, "credentials": self.world.among(self.kind, self.connection, what, about)})

        return super().ask(what, about, narrowed, changes=changes)

    def make(
        self, state: Fields, owner: str, at: float, marker: str = "", doors: tuple[str, ...] = ()
    ) -> tuple[CredentialRef, Secret]:
        ref, secret = super().make(state, owner, at, marker, doors)
        self.world.keep(ref, state["credentials"][ref.id])
        if at >= state["now"]:
            self.world.minted.add(ref.id)
        return ref, secret

    def turn(self, state: Fields, found: Fields, new: State) -> None:
        name = found["id"]
        if name in self.world.refuses:
            raise Rejected("access_denied", f"{name} is not ours to stop")
        if found["state"] == State.ACTIVE.value and new is not State.ACTIVE:
            self.world.stops.append(Stop(name, state["now"], self.world.lingers.get(name, 0.0) > state["now"]))
        super().turn(state, found, new)

    def inspect(self, ref: CredentialRef) -> Status:
        until = self.world.lingers.get(ref.id)
        if until is not None:
            with self.world.open() as state:
                state["credentials"][ref.id]["last_used_at"] = str(min(state["now"], until))
        return super().inspect(ref)

    def discover(self) -> Iterator[Discovered]:
        """List all that it keeps."""
        for name, each in self.world.of(self.kind, self.connection):
            made = datetime.fromtimestamp(each["created_at"], UTC).isoformat(timespec="seconds")
            facts = {"created_at": made, "last_used_at": told(each["last_used_at"]), "state": each["state"]}
            yield Discovered(CredentialRef(self.kind, self.connection, each["owner"], name), facts)


class _Listed:
    """What every provider of the town has: a list of all that there is."""

    at: TownIssuer

    def discover(self) -> Iterator[Discovered]:
        return self.at.discover()


class Keys(_Listed, KeyIssuer):
    """Access keys."""


class Tokens(_Listed, MarkedIssuer):
    """Tokens of a small service."""


class Accessors(_Listed, TokenIssuer):
    """Tokens that are revoked at once."""


class User(FakeConsumer):
    """A consumer that uses what it holds until it reads anew; one of its processes may do that only `late_s` later."""

    def __init__(self, world: Town, name: str, late_s: float = 0.0) -> None:
        super().__init__(world, name)
        self._town, self._late_s = world, late_s

    def reload(self, notice: Notice) -> Told:
        with self._town.open() as state:
            held = state["consumers"].get(self.name)
            if held in state["credentials"]:
                state["credentials"][held]["last_used_at"] = str(state["now"])
                if self._late_s:
                    self._town.lingers[held] = state["now"] + self._late_s
        return super().reload(notice)


def document(credential: str) -> str:
    """Return what a place holds of a credential."""
    return json.dumps({"id": credential})
