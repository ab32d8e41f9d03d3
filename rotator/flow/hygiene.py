"""Hygiene: which credentials are old enough to be replaced, and when in a window each one's turn comes.

Nothing is counted but age and the clock, so what was missed while nobody looked is caught up once. An age that nobody
knows is said, never guessed.
"""

from __future__ import annotations

import functools
import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from enum import StrEnum

from rotator.credential import CredentialRef
from rotator.flow.selector import Selector
from rotator.flow.timetable import Timetable

_OPENINGS = 1000
"""How many windows ahead one is looked for that no freeze shuts."""


@dataclass(frozen=True, slots=True)
class Freeze:
    """Days, the first and the last included, on which nothing is begun."""

    first: date
    last: date
    why: str


@dataclass(frozen=True, slots=True)
class Policy:
    """One policy. Durations in seconds; `expires` in epoch seconds.

    Of `max_age`, at most `jitter` is given away, so that what was made on one day does not come on one day. Both
    credentials live for `overlap` at least; after `deadline` a person is asked. `at_once` are replaced at a time.
    """

    name: str
    select: Selector
    max_age_s: float
    timetable: Timetable
    window_s: float
    zone: tzinfo
    jitter_s: float
    overlap_s: float
    deadline_s: float
    at_once: int
    freezes: tuple[Freeze, ...]
    approved_by: str
    expires: float
    destroys: bool = False

    def frozen(self, at: float) -> Freeze | None:
        """Return the freeze in which a moment lies, None where it lies in none."""
        day = datetime.fromtimestamp(at, self.zone).date()
        return next((each for each in self.freezes if each.first <= day <= each.last), None)


@dataclass(frozen=True, slots=True)
class Window:
    """One opening of a policy, from when until when, in epoch seconds."""

    opens_at: float
    closes_at: float


@dataclass(frozen=True, slots=True)
class Known:
    """A credential that hygiene may be for: what selectors compare, when it was made, and why not now.

    `made_at` is None where nobody knows it, `ends_at` where it does not expire by itself, or nobody says when.
    `busy` is "" where nothing else is done with it.
    """

    ref: CredentialRef
    attributes: Mapping[str, str]
    made_at: float | None
    busy: str = ""
    ends_at: float | None = None


class Turn(StrEnum):
    """How a credential stands with its policy."""

    YOUNG = "young"
    UNKNOWN = "age unknown"
    BUSY = "busy"
    WAITS = "waits"
    NOW = "now"


@dataclass(frozen=True, slots=True)
class Due:
    """One credential under a policy: since when it is due, and when its turn comes, None where nobody can say."""

    known: Known
    policy: str
    turn: Turn
    due_at: float | None = None
    starts_at: float | None = None


def window(policy: Policy, now: float) -> Window | None:
    """Return the window that is open now, None where none is or a freeze shuts it."""
    opened = policy.timetable.before(now, policy.zone)
    if opened is None or now >= opened + policy.window_s or _is_shut(policy, opened, now):
        return None
    return _from(policy, opened)


def next_window(policy: Policy, now: float) -> Window | None:
    """Return the next window that no freeze shuts, None where none is to be seen."""
    at = now
    for _ in range(_OPENINGS):
        opens = policy.timetable.after(at, policy.zone)
        if opens is None:
            return None
        if policy.frozen(opens) is None:
            return _from(policy, opens)
        at = opens
    return None


def _from(policy: Policy, opens_at: float) -> Window:
    """Return the window that opens then. It ends with the next: else no turn behind that would ever come."""
    following = policy.timetable.after(opens_at, policy.zone)
    closes_at = opens_at + policy.window_s
    return Window(opens_at, closes_at if following is None else min(closes_at, following))


def _is_shut(policy: Policy, opened: float, now: float) -> bool:
    return policy.frozen(opened) is not None or policy.frozen(now) is not None


def covered(policies: Sequence[Policy], known: Known) -> Policy | None:
    """Return the policy that a credential is under: of those that fit, the closest, and of these the first."""
    fitting = [each for each in policies if each.select.fits(known.attributes)]
    if len(fitting) > 1:
        return max(fitting, key=lambda each: each.select.closeness)
    return fitting[0] if fitting else None


def turns(policies: Sequence[Policy], credentials: Iterable[Known], now: float) -> list[Due]:
    """Return how every credential stands that a policy covers, the one whose turn comes first before the others.

    The oldest come first among those whose turn it is: a window may be too short for all.
    """
    at = {each.name: (window(each, now), next_window(each, now)) for each in policies}
    found = (
        _turn(policy, known, *at[policy.name], now)
        for known in credentials
        if (policy := covered(policies, known)) is not None
    )
    return sorted(found, key=_by_turn)


def _by_turn(each: Due) -> tuple[int, float, float, CredentialRef]:
    at = each.starts_at if each.starts_at is not None and each.turn is not Turn.NOW else 0.0
    due_at = each.due_at if each.due_at is not None else 0.0
    return -list(Turn).index(each.turn), at, due_at, each.known.ref


def _turn(policy: Policy, known: Known, opened: Window | None, coming: Window | None, now: float) -> Due:
    due_at = due_since(policy, known)
    if due_at is None:
        return Due(known, policy.name, Turn.UNKNOWN)
    if known.busy:
        return Due(known, policy.name, Turn.BUSY if due_at <= now else Turn.YOUNG, due_at)
    if opened is not None:
        starts_at = _starts_at(policy, known, due_at, opened)
        if starts_at < opened.closes_at:
            turn = Turn.NOW if starts_at <= now else Turn.WAITS if due_at <= now else Turn.YOUNG
            return Due(known, policy.name, turn, due_at, starts_at)
    if due_at > now:
        coming = window(policy, due_at) or next_window(policy, due_at) if coming is not None else None
    begins_at = None if coming is None else _starts_at(policy, known, due_at, coming)
    return Due(known, policy.name, Turn.YOUNG if due_at > now else Turn.WAITS, due_at, begins_at)


def _starts_at(policy: Policy, known: Known, due_at: float, opening: Window) -> float:
    length_s = opening.closes_at - opening.opens_at
    return max(opening.opens_at + share(policy.name, "window", known.ref) * length_s, due_at)


def aged(policies: Sequence[Policy], credentials: Iterable[Known], now: float) -> list[Known]:
    """Return those that are young no more, or of an age that nobody knows: of few others does anybody ask the turn."""
    found = []
    for known in credentials:
        policy = covered(policies, known)
        if policy is not None and ((due_at := due_since(policy, known)) is None or due_at <= now):
            found.append(known)
    return found


def soon(policies: Sequence[Policy], credentials: Iterable[Known], until: float) -> list[Known]:
    """Return those of which some may be due by then; what is made after this cannot be, before `youngest_s`."""
    found = []
    for known in credentials:
        policy = covered(policies, known)
        if policy is not None and (due_at := due_since(policy, known)) is not None and due_at <= until:
            found.append(known)
    return found


def youngest_s(policies: Sequence[Policy]) -> float:
    """Return how old a credential must be at least, in seconds, to be due by its age."""
    return min((each.max_age_s - each.jitter_s for each in policies), default=math.inf)


def ripe(policies: Sequence[Policy], credentials: Iterable[Known], now: float) -> list[Due]:
    """Return those whose turn it is now, as `turns` does, without asking when that of others comes."""
    opened = {each.name: window(each, now) for each in policies}
    found = []
    for known in credentials:
        policy = covered(policies, known)
        if policy is None or (opening := opened[policy.name]) is None:
            continue
        due_at = due_since(policy, known)
        if due_at is not None and due_at <= now:
            starts_at = _starts_at(policy, known, due_at, opening)
            if starts_at <= now and starts_at < opening.closes_at:
                found.append(Due(known, policy.name, Turn.NOW, due_at, starts_at))
    return sorted(found, key=_by_turn)


def due_since(policy: Policy, known: Known) -> float | None:
    """Return since when it is due: too old, or so near to its end that there is just time for the overlap."""
    found = [] if known.ends_at is None else [known.ends_at - policy.deadline_s]
    if known.made_at is not None:
        found.append(known.made_at + policy.max_age_s - policy.jitter_s * share(policy.name, "age", known.ref))
    return min(found, default=None)


def share(policy: str, of: str, ref: CredentialRef) -> float:
    """Return where a credential stands between 0 and 1: the same each time, evenly spread, another in each policy."""
    name = repr((ref.provider, ref.connection, ref.owner, ref.id)).encode("utf-8", "backslashreplace")
    return int.from_bytes(hashlib.blake2b(name, digest_size=7, key=_key(policy, of)).digest()) / 2**56


@functools.lru_cache
def _key(policy: str, of: str) -> bytes:
    return hashlib.sha256(f"{of} of {policy}".encode()).digest()


def chosen(found: Sequence[Due], policy: Policy, at_work: int) -> list[Due]:
    """Return those whose turn it is, as many as may be replaced beside those at work; of each owner the first alone.

    The credentials of one owner share places, and one replacement at a time is made for them.
    """
    left, owners, taken = policy.at_once - at_work, set[tuple[str, str, str]](), list[Due]()
    for each in found:
        ref = each.known.ref
        owner = (ref.provider, ref.connection, ref.owner or ref.id)
        if each.turn is Turn.NOW and each.policy == policy.name and len(taken) < left and owner not in owners:
            owners.add(owner)
            taken.append(each)
    return taken
