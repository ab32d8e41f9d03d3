"""What access logs say of credentials: who uses each, and what of its use began only after it was exposed.

A network is an IPv4 address's /24 or an IPv6 address's /48: providers' own numbers (ASN) are in no log. What is kept of
each credential is bounded; what goes beyond is counted, and where it could have been known before, nothing is called
new.
"""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from rotator.access.event import Event, beginning, moment
from rotator.flow.access import Seen, Sign, User, Uses

_KEPT = 1_000
"""Networks, calls, regions and users that are kept of each credential."""
_SHOWN = 3
"""New ones of a sort that are told each by itself."""
_HOUR_S = 3600
_TIMES_MORE, _AT_LEAST = 10, 100
"""An hour's calls are unusual above so many times the busiest hour before, and not below so many."""
_AGENT = 60
_IPV4 = re.compile(r"(?:[0-9]{1,3}\.){3}[0-9]{1,3}")


def uses(found: Iterable[Event], exposed_at: Mapping[str, float | None]) -> dict[str, Uses]:
    """Return what the events say of each of these ids that they name.

    `exposed_at` has the ids, and since when each is exposed, in seconds since 1970; None where nobody knows, and then
    nothing is called new.
    """
    told: dict[str, _Told] = {}
    begins: float | None = None
    for event in found:
        begins = event.at if begins is None else min(begins, event.at)
        if event.key_id in exposed_at:
            if event.key_id not in told:
                told[event.key_id] = _Told(exposed_at[event.key_id])
            told[event.key_id].add(event)
    return {name: each.uses(name, begins) for name, each in told.items()}


@lru_cache(maxsize=1 << 14)
def network(address: str) -> str:
    """Return the network of an address; the name of a service stays as it is."""
    if _IPV4.fullmatch(address):
        return f"{address.rpartition('.')[0]}.0/24"
    try:
        found = ipaddress.IPv6Address(address)
    except ValueError:
        return address
    return (
        network(str(found.ipv4_mapped)) if found.ipv4_mapped else str(ipaddress.ip_network((found, 48), strict=False))
    )


@dataclass(frozen=True, slots=True)
class First:
    """What is kept of an event that is the first of something."""

    at: float
    file: str
    name: str
    address: str
    agent: str
    error: str
    record: int

    @classmethod
    def of(cls, event: Event) -> First:
        """Keep it."""
        agent = beginning(event.agent, _AGENT)
        return cls(event.at, event.file, event.name, event.address, agent, event.error, event.record)

    def __str__(self) -> str:
        refused = f", refused with {self.error}" if self.error else ""
        by = f" by {self.agent}" if self.agent else ""
        where = f"{self.file}, record {self.record}"
        return f"{self.name} at {moment(self.at)} from {self.address or 'nowhere told'}{by}{refused} ({where})"


@dataclass(slots=True)
class _Sort:
    """One sort of thing that can be new: what was there before, and what came after, with its first event."""

    before: set[str] = field(default_factory=set)
    after: dict[str, First] = field(default_factory=dict)
    left_out: int = 0
    before_is_whole: bool = True

    def add(self, name: str, event: Event, *, is_after: bool) -> None:
        if not is_after:
            if name not in self.before and len(self.before) >= _KEPT:
                self.left_out, self.before_is_whole = self.left_out + 1, False
            else:
                self.before.add(name)
        elif name not in self.after and len(self.after) >= _KEPT:
            self.left_out += 1
        elif name not in self.after or event.at < self.after[name].at:
            self.after[name] = First.of(event)

    def new(self) -> list[tuple[str, First]]:
        found = [each for each in self.after.items() if each[0] not in self.before] if self.before_is_whole else []
        return sorted(found, key=lambda each: each[1].at)


class _Told:
    """What is known of one credential while the logs are read, in whatever order they are."""

    def __init__(self, exposed_at: float | None) -> None:
        self._exposed_at = exposed_at
        self._sorts = {Sign.NEW_NETWORK: _Sort(), Sign.NEW_CALL: _Sort(), Sign.NEW_REGION: _Sort()}
        self._hours: dict[bool, Counter[int]] = {False: Counter(), True: Counter()}
        self._users: dict[tuple[str, str], list[float]] = {}
        self._files: dict[str, None] = {}
        self._first_at, self._last_at = float("inf"), float("-inf")
        self._first_after: First | None = None
        self._calls = self._left_out = 0

    def add(self, event: Event) -> None:
        at = network(event.address)
        after = self._exposed_at is not None and event.at >= self._exposed_at
        self._calls += 1
        self._files[event.file] = None
        self._first_at, self._last_at = min(self._first_at, event.at), max(self._last_at, event.at)
        if after and (self._first_after is None or event.at < self._first_after.at):
            self._first_after = First.of(event)
        user = self._users.get(key := (at, beginning(event.agent.partition(" ")[0], _AGENT)))
        if user is not None:
            user[:] = user[0] + 1, min(user[1], event.at), max(user[2], event.at)
        elif len(self._users) < _KEPT:
            self._users[key] = [1, event.at, event.at]
        else:
            self._left_out += 1
        if self._exposed_at is not None:
            self._sorts[Sign.NEW_NETWORK].add(at, event, is_after=after)
            self._sorts[Sign.NEW_CALL].add(event.name, event, is_after=after)
            self._sorts[Sign.NEW_REGION].add(event.region, event, is_after=after)
            self._hours[after][int(event.at // _HOUR_S)] += 1

    def uses(self, name: str, begins: float | None) -> Uses:
        users = [User(at, agent, int(calls), first, last) for (at, agent), (calls, first, last) in self._users.items()]
        return Uses(
            id=name,
            calls=self._calls,
            first_used_at=self._first_at,
            last_used_at=self._last_at,
            sources=tuple(sorted(users, key=lambda each: (-each.last_at, -each.calls, each.name))),
            signs=tuple(self._signs(begins)),
            told_by=tuple(self._files),
            left_out=self._left_out + sum(each.left_out for each in self._sorts.values()),
        )

    def _signs(self, begins: float | None) -> Iterator[Seen]:
        first = self._first_after
        if first is None or self._exposed_at is None:
            return
        if not self._hours[False]:
            if begins is not None and begins < self._exposed_at:
                words = f"no use in these logs from {moment(begins)} to {moment(self._exposed_at)}, then {first}"
                yield Seen(Sign.FIRST_USE, words, first.at, first.file)
            return  # what was usual before is not known, so nothing is new
        for sign, sort in self._sorts.items():
            new = sort.new()
            for name, event in new[:_SHOWN]:
                more = f"; {len(new) - _SHOWN:,} more such" if len(new) > _SHOWN and event is new[_SHOWN - 1][1] else ""
                yield Seen(sign, f"{name}: {event}{more}", event.at, event.file)
        hour, calls = max(self._hours[True].items(), key=lambda each: (each[1], -each[0]))
        usual = max(self._hours[False].values())
        if calls >= _AT_LEAST and calls > _TIMES_MORE * usual:
            words = (
                f"{calls:,} calls in the hour from {moment(hour * _HOUR_S)}, and {usual:,} at most in an hour before"
            )
            yield Seen(Sign.VOLUME, words, hour * _HOUR_S, first.file)
