"""What access logs tell of a stolen credential but for our own uses: the last before its exposure, and all since."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rotator.access.event import Event, beginning
from rotator.access.own import Own
from rotator.access.usage import network
from rotator.flow.access import User

_KEPT = 1_000
_AGENT = 60


@dataclass(frozen=True, slots=True)
class Use:
    """One use as its log tells it: `at` in epoch seconds, and where it stands in which file."""

    at: float
    name: str
    address: str
    agent: str
    error: str
    file: str
    record: int


@dataclass(frozen=True, slots=True)
class Story:
    """What logs tell of one credential. `ours` uses are left out, `more` of users beyond those that are kept.

    `before` is the last use before its exposure, `first` the first since, `since` all who used it since, the first one
    first. Where nobody knows since when it is exposed, all is before.
    """

    before: Use | None = None
    first: Use | None = None
    since: tuple[User, ...] = ()
    ours: int = 0
    more: int = 0


def stories(found: Iterable[Event], exposed_at: Mapping[str, float | None], own: Own) -> dict[str, Story]:
    """Return what the events tell of those of these ids that they name, each exposed since then; None is not known."""
    told: dict[str, _Told] = {}
    for event in found:
        if event.key_id in exposed_at:
            if event.key_id not in told:
                told[event.key_id] = _Told(exposed_at[event.key_id])
            told[event.key_id].add(event, is_ours=own.has(event))
    return {name: each.story() for name, each in told.items()}


class _Told:
    def __init__(self, exposed_at: float | None) -> None:
        self._exposed_at = exposed_at
        self._before: Event | None = None
        self._first: Event | None = None
        self._users: dict[tuple[str, str], list[float]] = {}
        self._ours = self._more = 0

    def add(self, event: Event, *, is_ours: bool) -> None:
        if is_ours:
            self._ours += 1
        elif self._exposed_at is None or event.at < self._exposed_at:
            if self._before is None or event.at >= self._before.at:
                self._before = event
        else:
            self._since(event)

    def _since(self, event: Event) -> None:
        if self._first is None or event.at < self._first.at:
            self._first = event
        key = network(event.address), beginning(event.agent.partition(" ")[0], _AGENT)
        user = self._users.get(key)
        if user is not None:
            user[:] = user[0] + 1, min(user[1], event.at), max(user[2], event.at)
        elif len(self._users) < _KEPT:
            self._users[key] = [1, event.at, event.at]
        else:
            self._more += 1

    def story(self) -> Story:
        users = [User(at, agent, int(calls), first, last) for (at, agent), (calls, first, last) in self._users.items()]
        users.sort(key=lambda each: (each.first_at, each.name))
        return Story(_use(self._before), _use(self._first), tuple(users), self._ours, self._more)


def _use(event: Event | None) -> Use | None:
    if event is None:
        return None
    agent = beginning(event.agent, _AGENT)
    return Use(event.at, event.name, event.address, agent, event.error, event.file, event.record)
