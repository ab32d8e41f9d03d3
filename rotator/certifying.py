"""Certify what the rotator can do to the kinds of a connection: one canary of each, minted, killed, and seen dead."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from rotator import __version__, clock
from rotator.bootstrap import Rotator
from rotator.canary import Calls, cannot, living_one, remove
from rotator.credential import CredentialRef
from rotator.errors import BadInput, RotatorError
from rotator.evidence import certificate
from rotator.evidence.certificate import CERTIFIED, FAILED, LIVE_ACCOUNT, Certificate
from rotator.evidence.signing import SigningKey
from rotator.flow.playbook_words import meant
from rotator.ledger import stops
from rotator.ledger.certificates import Certificates
from rotator.ledger.routines import Routines, owner_of
from rotator.live_account import ACCOUNT, place_of
from rotator.nothing_new import refuse_paused
from rotator.ports.abilities import Choosing, SessionEnding
from rotator.ports.connection import Connection
from rotator.shown.kinds import served
from rotator.trial import Trial

MARK = "rotator-canary-"
NO_OWNER = "say for whom: --subject OWNER, best one that is there for this alone"


@dataclass(frozen=True, slots=True)
class Certified:
    """What became of one kind. `why` says why there is no certificate, or why it failed; `left` what may be alive."""

    kind: str
    connection: str
    certificate: Certificate | None
    why: str = ""
    left: str = ""

    @property
    def outcome(self) -> str:
        """Return `certified`, `failed`, or `none` where no canary was made."""
        return str(self.certificate.told["outcome"]) if self.certificate is not None else "none"

    @property
    def data(self) -> dict[str, Any]:
        """Return it as plain data."""
        made = self.certificate
        document = None if made is None else made.document
        said = {"kind": self.kind, "connection": self.connection, "outcome": self.outcome, "why": self.why}
        return {**said, "left": self.left, "document": document}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be certified. `owners` says for whom a canary is minted: by kind, under "" for every other."""

    connection: str
    kind: str | None
    owners: Mapping[str, str]
    by: str


@dataclass(frozen=True, slots=True)
class Pace:
    """How time passes, and who hears what is done."""

    wait: Callable[[float], None]
    tell: Callable[[str], None]
    now: Callable[[], float] = clock.now


def certify(parts: Rotator, wanted: Wanted, pace: Pace) -> Iterator[Certified]:
    """Yield what became of each kind of the connection; what earlier runs left behind is taken away first.

    Raises BadInput before anything is made: for what is not there, what a person stopped, or where no key signs.
    """
    connection, kinds = _meant(parts, wanted)
    key = parts.settings.signing_key()
    if key is None:
        raise BadInput("no key signs evidence here", "evidence.signing_key", "name one; docs/evidence.md says how")
    parts.checkpoints.must_sign(key.public)
    with parts.database.read() as reading:
        stops.refuse(reading, connection.name)
    here = _Here(parts, connection, key, Certificates(parts.database), pace, wanted.by)
    left = here.clear()
    for kind in dict.fromkeys((*left, *kinds)):
        try:
            yield here.held_up(kind, left[kind]) if kind in left else here.one(kind, wanted.owners)
        except RotatorError as error:  # before anything was made
            yield Certified(kind, connection.name, None, str(error))


def _meant(parts: Rotator, wanted: Wanted) -> tuple[Connection, list[str]]:
    known = {each.name: each for each in parts.connections}
    if wanted.connection not in known:
        raise BadInput("no connection is called so", wanted.connection, meant(wanted.connection, known))
    connection = known[wanted.connection]
    kinds = served(parts, connection)
    for each in filter(None, (wanted.kind, *wanted.owners)):
        if each not in kinds:
            raise BadInput("this connection does not serve this kind", each, meant(each, kinds))
    if not kinds:
        raise BadInput("this connection serves no kind", connection.name, "`rotator provider list` says who does")
    return connection, [wanted.kind] if wanted.kind else kinds


@dataclass(frozen=True, slots=True)
class _Here:
    """One connection, whose kinds are certified one after the other."""

    parts: Rotator
    connection: Connection
    key: SigningKey
    kept: Certificates
    pace: Pace
    by: str

    def clear(self) -> dict[str, str]:
        """Take away what earlier runs left behind, of every kind; return by kind why something may still be alive."""
        left: dict[str, str] = {}
        for each in self.kept.left(self.connection.name):
            if each.kind not in self.parts.playbooks:
                left[each.kind] = f"for {each.owner}, it may be alive: no kind is called so now"
                continue
            try:
                provider = self.parts.outside.provider_of(each.kind, self.connection.name)
                gone = remove(provider, each, self.kept, Calls(self.pace.now))
            except RotatorError as error:
                left[each.kind] = f"for {each.owner}, it may be alive: {error}"
            else:
                self.pace.tell(f"{each.kind}: {', '.join(gone) or 'nothing'} was left by an earlier run, and is gone")
        return left

    def held_up(self, kind: str, left: str) -> Certified:
        """Say that none of a kind is made while one may be alive."""
        return Certified(kind, self.connection.name, None, "one of an earlier run is left", left)

    def one(self, kind: str, owners: Mapping[str, str]) -> Certified:
        """Certify a kind, where a canary of it can be made."""
        provider = self.parts.outside.provider_of(kind, self.connection.name)
        owner, calls = _owner(self.parts, owners, kind), Calls(self.pace.now)
        why = cannot(provider) or (NO_OWNER if owner is None else self._busy(kind, owner))
        if why or owner is None:
            return Certified(kind, self.connection.name, None, why)
        like = living_one(provider, CredentialRef(kind, self.connection.name, owner, ""), calls)
        refuse_paused(self.parts, like)
        if not like.id and isinstance(provider, Choosing):
            return Certified(kind, self.connection.name, None, f"{owner} has none there that a canary could be like")
        until = f"dead is proven {provider.settle_s:.0f} s after it is refused, at the soonest"
        self.pace.tell(f"{kind}: a canary for {owner or 'the account'}; {until}")
        return self._tried(Trial(provider, self.kept, calls, self.pace.wait), like)

    def _tried(self, trial: Trial, like: CredentialRef) -> Certified:
        why, marker = "", f"{MARK}{secrets.token_hex(8)}"
        try:
            trial.live(like, marker)
        except RotatorError as error:
            if not trial.seen.credential:  # nothing was made, so nothing was seen
                return Certified(like.provider, like.connection, None, str(error), self._left(marker))
            why = error.reason
            self.pace.tell(f"{like.provider}: {error}")
        told = {
            **_about(self.parts, self.connection, like),
            **_seen(trial),
            "at": round(self.pace.now(), 3),
            "by": self.by,
            "outcome": FAILED if why else CERTIFIED,
            "why": why,
        }
        made = certificate.make(self.key, told)
        self.kept.keep(made)
        return Certified(like.provider, like.connection, made, why, self._left(marker))

    def _left(self, marker: str) -> str:
        alive = any(each.marker == marker for each in self.kept.left(self.connection.name))
        return "its canary may be alive: certify again, which takes it away" if alive else ""

    def _busy(self, kind: str, owner: str) -> str:
        """Say what is done of the same owner: a comparison would take a canary for somebody else's credential."""
        of = owner_of(CredentialRef(kind, self.connection.name, owner, ""))
        return Routines(self.parts.database).busy().get(of, "")


def _owner(parts: Rotator, owners: Mapping[str, str], kind: str) -> str | None:
    """Return for whom a canary is minted; the account itself where the kind's issuer names no owners."""
    given = owners.get(kind, owners.get(""))
    rest = parts.playbooks[kind].http
    listed = rest.list if rest is not None else None
    names_none = listed is not None and listed.owner is None and not listed.per_owner
    return "" if given is None and names_none else given


def _about(parts: Rotator, connection: Connection, like: CredentialRef) -> dict[str, Any]:
    place = place_of(connection)
    return {
        "rotator": __version__,
        "kind": like.provider,
        "family": connection.family,
        "playbook": parts.playbooks[like.provider].digest,
        "connection": connection.name,
        "account": parts.account_of(connection.name),
        "place": place,
        "grade": LIVE_ACCOUNT if place == ACCOUNT else "",
        "owner": like.owner,
    }


def _seen(trial: Trial) -> dict[str, Any]:
    seen = asdict(trial.seen)
    clocks = {name: None if at is None else round(at, 3) for name, at in seen.items() if name.endswith("_at")}
    return {
        "canary": trial.seen.credential,
        "evidence": trial.seen.evidence.value,
        "settle_s": trial.provider.settle_s,
        "clocks": clocks,
        "lost": list(trial.seen.lost),
        "calls": [{**asdict(each), "at": round(each.at, 3)} for each in trial.calls.made],
        # It would cut what others of the owner have open.
        "not_tried": ["end_sessions"] if isinstance(trial.provider, SessionEnding) else [],
    }
