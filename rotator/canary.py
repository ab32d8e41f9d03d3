"""A canary: a credential that is minted to be killed. It is kept before it is made, and so found after a crash.

`trial.py` lets one live; here is what becomes of one that was left behind.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol, TypeVar

from rotator.credential import CredentialRef
from rotator.errors import RotatorError, Unavailable, Uncertain
from rotator.lost_issue import CLOCK_SKEW_S, made_between
from rotator.ports.abilities import Choosing, Installable, Issuing, NoCanary, SelfAware, Settable
from rotator.ports.connection import CALL_DEADLINE_S
from rotator.ports.provider import Capability, Provider, State, Status, Verdict

LOOKED_AT = 10
"""How many of an owner's credentials are looked at for one that a canary may be like."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Canary:
    """What is kept of one. `before` are the ids that its owner had; `credential` is its own, once it is known."""

    kind: str
    connection: str
    owner: str
    marker: str
    at: float
    before: tuple[str, ...] = ()
    credential: str | None = None

    @property
    def ref(self) -> CredentialRef:
        """Name it; its owner alone while nobody knows its id."""
        return CredentialRef(self.kind, self.connection, self.owner, self.credential or "")


class Keeping(Protocol):
    """Where canaries are kept that may be alive."""

    def intend(self, canary: Canary) -> None:
        """Keep it before anything is made."""
        ...

    def made(self, marker: str, credential: str) -> None:
        """Keep its id."""
        ...

    def gone(self, marker: str) -> None:
        """Forget it: its issuer says that there is none."""
        ...


@dataclass(frozen=True, slots=True)
class Call:
    """One exchange: when, at which target, and the class of its answer; never its words."""

    name: str
    target: str
    answer: str
    at: float


@dataclass(frozen=True, slots=True)
class Calls:
    """What was asked of an issuer, in order."""

    clock: Callable[[], float]
    made: list[Call] = field(default_factory=list)

    def ask(self, name: str, call: Callable[[], T], target: str = "") -> T:
        """Make a call and note what class of answer came; an error is noted and raised."""
        at = self.clock()
        try:
            answer = call()
        except RotatorError as error:
            self.made.append(Call(name, target, f"{type(error).__name__.lower()} {error.reason}", at))
            raise
        self.made.append(Call(name, target, _class(answer), at))
        return answer


def _class(answer: object) -> str:
    match answer:
        case Verdict():
            return answer.answer.value
        case Status():
            return answer.state.value
    return "done"


def cannot(provider: Provider) -> str:
    """Say why no canary of a kind can be made, "" where one can."""
    if isinstance(provider, NoCanary):
        return provider.no_canary
    if provider.capability is not Capability.REVOCABLE:
        return "what cannot be destroyed is no canary"
    chosen = isinstance(provider, Choosing) and isinstance(provider, Settable | Installable)
    return "" if chosen or isinstance(provider, Issuing) else "no machine makes one"


def living_one(provider: Provider, bare: CredentialRef, calls: Calls) -> CredentialRef:
    """Return a living credential of the owner to which a canary is made alike, `bare` where there is none.

    It is looked at and no more. The rotator's own is never taken: a canary would have its powers.
    """
    own = provider.own() if isinstance(provider, SelfAware) else None
    found = calls.ask("siblings", partial(provider.siblings, bare))
    for each in sorted(each for each in found if each.id != own)[:LOOKED_AT]:
        if calls.ask("inspect", partial(provider.inspect, each)).state is State.ACTIVE:
            return each
    return bare


def ids_of(provider: Provider, ref: CredentialRef, calls: Calls) -> set[str]:
    """Return the ids that the owner has."""
    return {each.id for each in calls.ask("siblings", partial(provider.siblings, ref))}


def remove(provider: Provider, canary: Canary, keeping: Keeping, calls: Calls) -> list[str]:
    """Take away what is left of a canary, and forget it; return its ids.

    Raises Unavailable while it may still appear or is still shown, Uncertain where nobody can tell which it is.
    """
    left = _left(provider, canary, calls)
    for ref in left:
        calls.ask("revoke", partial(provider.revoke, ref))
        if calls.ask("inspect", partial(provider.inspect, ref)).state is not State.ABSENT:
            raise Unavailable("still_there", f"{ref.id} was revoked, and its issuer still shows it")
    keeping.gone(canary.marker)
    return [each.id for each in left]


def _left(provider: Provider, canary: Canary, calls: Calls) -> list[CredentialRef]:
    """Return what may be alive of it: by its id, by its marker, or as the one that nobody else can have made."""
    ref = canary.ref
    if canary.credential is not None:
        return [ref]
    if isinstance(provider, Issuing):
        marked = calls.ask("marked", partial(provider.marked, ref, canary.marker))
        if marked is not None:
            return [marked]
    until = canary.at + CALL_DEADLINE_S
    new = sorted(ids_of(provider, ref, calls) - set(canary.before))
    facts = {each: calls.ask("inspect", partial(provider.inspect, ref.with_id(each))).facts for each in new}
    mine = [each for each in new if made_between(facts[each], canary.at, until)]
    unclear = [each for each in new if "created_at" not in facts[each]]
    if len(mine) > 1 or unclear:
        names = ", ".join(mine + unclear)
        raise Uncertain("canary_unclear", f"{names} of {canary.owner} may be a canary: look there, and take it away")
    if not mine and calls.clock() < until + CLOCK_SKEW_S + provider.settle_s:
        raise Unavailable("may_yet_appear", "a mint whose answer was lost may still land: certify again in a while")
    return [ref.with_id(each) for each in mine]
