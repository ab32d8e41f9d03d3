"""What was made with an exposed credential since: keys and passwords, and doors that a person must look at.

Whoever made them may be the thief or the owner at work; a log does not tell, and what was made is known to whoever has
the exposed one. What it made is followed in turn, to a fixed point: keys, sessions, users and roles.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from rotator.access.event import Event, moment
from rotator.access.lasting import KEYS, SESSIONS, lasting
from rotator.credential import Leaked
from rotator.flow.exposure import LIST, Certainty, Exposure
from rotator.flow.scope import Unresolved
from rotator.intake.fields import mapping, word

SOURCE = "access"
"""The source of what no kind of credential answers for: a person must look at it."""


@dataclass(frozen=True, slots=True)
class Minted:
    """What was made: credentials for the issuer to name, and what is left to a person."""

    exposures: tuple[Exposure, ...] = ()
    unresolved: tuple[Unresolved, ...] = ()


def minted(acts: Acts, exposed_at: Mapping[str, float], ways: Mapping[str, tuple[str, ...]] | None = None) -> Minted:
    """Return what was made with these credentials since each was exposed, and with what was so made.

    `exposed_at` has their ids, in seconds since 1970; `ways` the links that explain each. Attempts that were refused
    made nothing.
    """
    exposures: list[Exposure] = []
    left: list[Unresolved] = []
    roles: dict[tuple[str, str], list[_Act]] = {}
    told = {name: (ways or {}).get(name) or (f"{name} is exposed",) for name in exposed_at}
    waiting = deque((name, since, told[name]) for name, since in exposed_at.items())
    reached = set(exposed_at)
    done: set[int] = set()
    while waiting:
        actor, since, way = waiting.popleft()
        for number, act in acts.of(actor):
            if act.at < since or number in done:
                continue
            done.add(number)
            links = (*way, f"{actor} made the call {act.name} for {act.subject} at {moment(act.at)} ({act.where})")
            if act.kind:
                exposures.append(act.exposure(links))
            elif act.name in SESSIONS:
                roles.setdefault((actor, act.subject), []).append(act)
            else:
                left.append(act.task(links))
            for made in act.made:
                if made not in reached:
                    reached.add(made)
                    waiting.append((made, act.at, links))
    left += (_sessions(actor, subject, each) for (actor, subject), each in roles.items())
    return Minted(tuple(exposures), tuple(left))


@dataclass(frozen=True, slots=True)
class _Act:
    """A call that left something behind: who made it, for what, and whatever can act from then on."""

    at: float
    name: str
    subject: str
    kind: str
    id: str
    account: str
    made: tuple[str, ...]
    file: str
    record: int

    @property
    def where(self) -> str:
        return f"{self.file}, record {self.record}"

    def exposure(self, links: tuple[str, ...]) -> Exposure:
        return Exposure(
            source=LIST,
            rule=self.kind,
            leaked=Leaked(id=self.id, owner=self.subject or None, account=self.account or None),
            path=self.where,
            seen_at=datetime.fromtimestamp(self.at, UTC),
            certainty=Certainty.REACHABLE,
            via=links,
        )

    def task(self, links: tuple[str, ...]) -> Unresolved:
        return _task(self, self.subject, links, lasting(self.name))


def _task(act: _Act, subject: str, links: tuple[str, ...], mend: str) -> Unresolved:
    exposure = Exposure(
        source=SOURCE,
        rule=act.name,
        leaked=Leaked(id=subject, account=act.account or None),
        path=act.where,
        seen_at=datetime.fromtimestamp(act.at, UTC),
        certainty=Certainty.REACHABLE,
        via=links,
    )
    return Unresolved(None, f"{act.name} {subject}", (exposure,), links[-1], mend)


def _sessions(actor: str, subject: str, found: list[_Act]) -> Unresolved:
    """Leave all sessions of one role to a person at once: each ends by itself, and none can be ended alone."""
    first, last = min(found, key=lambda each: each.at), max(found, key=lambda each: each.at)
    times = f"{len(found):,} times from {moment(first.at)} to {moment(last.at)}" if len(found) > 1 else moment(first.at)
    links = (f"{actor} made the call {first.name} for {subject}, {times} ({first.where})",)
    return _task(first, subject, links, lasting(first.name))


class Acts:
    """The calls that left something behind, found by who made them. All others are forgotten as they come."""

    def __init__(self, found: Iterable[Event] = ()) -> None:
        self._acts: list[_Act] = []
        self._by: dict[str, list[int]] = {}
        for event in found:
            self.add(event)

    def add(self, event: Event) -> None:
        """Keep what is needed of an event."""
        if not event.error and lasting(event.name):
            for actor in {event.key_id, event.who} - {""}:
                self._by.setdefault(actor, []).append(len(self._acts))
            self._acts.append(_act(event))

    def of(self, actor: str) -> Iterator[tuple[int, _Act]]:
        for number in self._by.get(actor, ()):
            yield number, self._acts[number]


def _act(event: Event) -> _Act:
    kind, holder, field = KEYS.get(event.name, ("", "", ""))
    inner = mapping(event.answered.get(holder)) if holder else {}
    user = word(inner, "userName") or word(event.asked, "userName")
    name = word(inner, field) if holder else user
    if kind and not name:
        kind = ""
    session = word(mapping(event.answered.get("credentials")), "accessKeyId") if event.name in SESSIONS else ""
    arns = (word(mapping(event.answered.get(each)), "arn") for each in ("user", "role"))
    return _Act(
        at=event.at,
        name=event.name,
        subject=user if kind else _subject(event),
        kind=kind,
        id=name,
        account=event.account,
        made=tuple(each for each in (name if kind and holder else "", session, *arns) if each),
        file=event.file,
        record=event.record,
    )


_NAMES = (
    "roleArn", "userName", "roleName", "groupName", "policyArn", "policyName", "name", "sAMLProviderArn", "url",
    "openIDConnectProviderArn", "keyName", "keyId", "functionName", "serialNumber", "virtualMFADeviceName", "secretId",
    "trailName", "repo", "user", "org",
)  # fmt: skip


def _subject(event: Event) -> str:
    """Return what the call was about, as far as its request names it."""
    named = [f"{value}" for each in _NAMES if (value := word(event.asked, each)[:200])]
    return ", ".join(named[:3]) or event.who or "what its request does not name"
