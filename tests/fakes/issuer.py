"""Issuers of each shape, in a `World`: what they keep of a credential, and how long a change takes to be felt."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar, TypeVar

from rotator.credential import CredentialRef, Issued, Leaked, Secret
from rotator.errors import Rejected
from rotator.ports.provider import Answer, Capability, State, Status, Verdict
from tests.fakes.world import START, World

T = TypeVar("T")
LONG_AGO = START - 86400.0
QUOTA = 2


def told(last_used: str) -> str:
    """Return a last use as issuers tell it."""
    is_number = last_used.replace(".", "").isdigit()
    return datetime.fromtimestamp(float(last_used), UTC).isoformat() if is_number else last_used


@dataclass(frozen=True)
class Issuer:
    """One account: what all shapes share. `propagation_s` passes before a change is felt at the door."""

    world: World
    kind: str
    connection: str
    propagation_s: float = 0.0
    reachable: bool = True
    quota: int | None = None

    def ask(self, what: str, about: str, act: Callable[[dict[str, Any]], T], *, changes: bool = False) -> T:
        return self.world.exchange(f"issuer.{what}", about, act, changes=changes, reachable=self.reachable)

    def plant(self, owner: str | None = None, doors: tuple[str, ...] = ()) -> tuple[CredentialRef, Secret]:
        """Make a live credential as its owner once did."""
        with self.world.open() as state:
            return self.make(state, owner or f"owner-{self.world.number()}", LONG_AGO, doors=doors)

    def make(
        self, state: dict[str, Any], owner: str, at: float, marker: str = "", doors: tuple[str, ...] = ()
    ) -> tuple[CredentialRef, Secret]:
        number = self.world.number()
        name, material = f"KEY{number:05d}", f"canary-material-{number:05d}-{self.kind}"
        state["credentials"][name] = {
            "kind": self.kind,
            "connection": self.connection,
            "owner": owner,
            "material": material,
            "state": State.ACTIVE.value,
            "before": State.ABSENT.value,
            "changed_at": at,
            "created_at": at,
            "marker": marker,
            "last_used_at": "never",
            "sessions": 0 if at >= START else 1,
            "doors": {door: {"open": True, "sessions": 1} for door in doors},
        }
        return CredentialRef(self.kind, self.connection, owner, name), Secret(material)

    def kept(self, state: dict[str, Any], ref: CredentialRef) -> dict[str, Any] | None:
        found = state["credentials"].get(ref.id)
        if found is None or (found["kind"], found["connection"], found["owner"]) != (
            self.kind,
            self.connection,
            ref.owner,
        ):
            return None
        return found if found["state"] != State.ABSENT.value else None

    def felt(self, state: dict[str, Any], found: dict[str, Any]) -> str:
        """Return the state that the door knows of by now."""
        fresh = state["now"] - found["changed_at"] < self.propagation_s
        return str(found["before"] if fresh else found["state"])

    def turn(self, state: dict[str, Any], found: dict[str, Any], new: State) -> None:
        if found["state"] != new.value:
            found.update(before=self.felt(state, found), state=new.value, changed_at=state["now"])

    def identify(self, leaked: Leaked) -> CredentialRef:
        def look(state: dict[str, Any]) -> CredentialRef:
            for name, found in state["credentials"].items():
                mine = (found["kind"], found["connection"]) == (self.kind, self.connection)
                named = leaked.id == name or (leaked.secret and leaked.secret.reveal() == found["material"])
                if mine and named and found["state"] != State.ABSENT.value:
                    return CredentialRef(self.kind, self.connection, found["owner"], name)
            raise Rejected("unknown_credential", f"{self.connection} never issued it")

        return self.ask("identify", leaked.id or "", look)

    def inspect(self, ref: CredentialRef) -> Status:
        def look(state: dict[str, Any]) -> Status:
            found = self.kept(state, ref)
            if found is None:
                return Status(State.ABSENT)
            created = datetime.fromtimestamp(found["created_at"], UTC).isoformat(timespec="seconds")
            return Status(State(found["state"]), {"created_at": created, "last_used_at": told(found["last_used_at"])})

        return self.ask("inspect", ref.id, look)

    def siblings(self, ref: CredentialRef) -> frozenset[CredentialRef]:
        def look(state: dict[str, Any]) -> frozenset[CredentialRef]:
            named = [ref.with_id(name) for name in state["credentials"]]
            return frozenset(each for each in named if self.kept(state, each))

        return self.ask("siblings", ref.owner, look)

    def preserve(self, ref: CredentialRef) -> Mapping[str, str]:
        def look(state: dict[str, Any]) -> Mapping[str, str]:
            found = self.kept(state, ref)
            return {} if found is None else {"scopes": "read", "last_used_at": found["last_used_at"]}

        return self.ask("preserve", ref.id, look)

    def revoke(self, ref: CredentialRef) -> None:
        def act(state: dict[str, Any]) -> None:
            if (found := self.kept(state, ref)) is not None:
                self.turn(state, found, State.ABSENT)
                found["doors"] = {}

        self.ask("revoke", ref.id, act, changes=True)

    def set_state(self, what: str, ref: CredentialRef, new: State) -> None:
        def act(state: dict[str, Any]) -> None:
            if (found := self.kept(state, ref)) is None:
                raise Rejected("not_found", f"there is no {ref.id}")
            self.turn(state, found, new)

        self.ask(what, ref.id, act, changes=True)

    def issue(self, ref: CredentialRef, marker: str, public: Callable[[str], Mapping[str, str]]) -> Issued:
        def act(state: dict[str, Any]) -> Issued:
            held = [name for name in state["credentials"] if self.kept(state, ref.with_id(name))]
            if self.quota is not None and len(held) >= self.quota:
                raise Rejected("quota", f"{ref.owner} has {len(held)} already")
            made, secret = self.make(state, ref.owner, state["now"], marker)
            return Issued(made, secret, public(made.id))

        return self.ask("issue", ref.owner, act, changes=True)

    def marked(self, ref: CredentialRef, marker: str) -> CredentialRef | None:
        def look(state: dict[str, Any]) -> CredentialRef | None:
            for name in state["credentials"]:
                found = self.kept(state, ref.with_id(name))
                if found and found["marker"] == marker:
                    return ref.with_id(name)
            return None

        return self.ask("marked", ref.owner, look)

    def end_sessions(self, ref: CredentialRef) -> Mapping[str, str]:
        def act(state: dict[str, Any]) -> Mapping[str, str]:
            found = state["credentials"].get(ref.id)
            ended, found["sessions"] = found["sessions"], 0
            return {"ended": str(ended)}

        return self.ask("end_sessions", ref.id, act, changes=True)

    def knock(self, ref: CredentialRef, secret: Secret, answer: Callable[[str | None, bool], Verdict]) -> Verdict:
        """Let the door answer what its shape says to (the id's state, whether the material is the id's)."""

        def act(state: dict[str, Any]) -> Verdict:
            found = state["credentials"].get(ref.id)
            ours = found is not None and found["owner"] == ref.owner
            felt = self.felt(state, found) if ours else None
            right = ours and found["material"] == secret.reveal()
            if felt == State.ACTIVE.value and right:
                found["last_used_at"] = str(state["now"])
            return answer(felt, right)

        return self.ask("verify", ref.id, act)


class KeyIssuer:
    """Minted, suspendable, with sessions; no marker, two for an owner. The id is checked first: like AWS keys."""

    family: ClassVar[str] = "aws"
    capability: ClassVar[Capability] = Capability.REVOCABLE
    sends_secret: ClassVar[bool] = False
    calls: ClassVar[dict[str, int]] = {}
    secret_field = "secret_access_key"

    def __init__(self, issuer: Issuer, settle_s: float = 0.0) -> None:
        self.at, self.name, self.settle_s = issuer, issuer.kind, settle_s
        self.propagation_s = 0.0
        self.identify, self.inspect, self.siblings = issuer.identify, issuer.inspect, issuer.siblings
        self.preserve, self.revoke, self.end_sessions = issuer.preserve, issuer.revoke, issuer.end_sessions

    def issue(self, ref: CredentialRef, marker: str, preserved: Mapping[str, str]) -> Issued:  # noqa: ARG002
        return self.at.issue(ref, "", lambda name: {"access_key_id": name})

    def marked(self, ref: CredentialRef, marker: str) -> CredentialRef | None:  # noqa: ARG002
        return None

    def suspend(self, ref: CredentialRef) -> None:
        self.at.set_state("suspend", ref, State.SUSPENDED)

    def resume(self, ref: CredentialRef) -> None:
        self.at.set_state("resume", ref, State.ACTIVE)

    def verify(self, ref: CredentialRef, secret: Secret) -> Verdict:
        def answer(felt: str | None, right: bool) -> Verdict:
            if felt != State.ACTIVE.value:
                return Verdict(Answer.REJECTED, "InvalidClientTokenId", names_id=True)
            if not right:
                return Verdict(Answer.INCONCLUSIVE, "SignatureDoesNotMatch", mismatch=True)
            return Verdict(Answer.ACCEPTED, "GetCallerIdentity")

        return self.at.knock(ref, secret, answer)


class MarkedIssuer:
    """Minted, suspendable, marked; a refusal names nothing: like the API tokens of a small service."""

    family: ClassVar[str] = "http"
    capability: ClassVar[Capability] = Capability.REVOCABLE
    sends_secret: ClassVar[bool] = True
    calls: ClassVar[dict[str, int]] = {}
    secret_field = "token"

    def __init__(self, issuer: Issuer, settle_s: float = 0.0) -> None:
        self.at, self.name, self.settle_s = issuer, issuer.kind, settle_s
        self.propagation_s = 0.0
        self.identify, self.inspect, self.siblings = issuer.identify, issuer.inspect, issuer.siblings
        self.preserve, self.revoke, self.marked = issuer.preserve, issuer.revoke, issuer.marked

    def issue(self, ref: CredentialRef, marker: str, preserved: Mapping[str, str]) -> Issued:  # noqa: ARG002
        return self.at.issue(ref, marker, lambda _: {})

    def suspend(self, ref: CredentialRef) -> None:
        self.at.set_state("suspend", ref, State.SUSPENDED)

    def resume(self, ref: CredentialRef) -> None:
        self.at.set_state("resume", ref, State.ACTIVE)

    def verify(self, ref: CredentialRef, secret: Secret) -> Verdict:
        return self.at.knock(ref, secret, accepts_or_refuses)


class TokenIssuer:
    """Minted and marked, but never suspended: containment is destruction, as with Vault tokens."""

    family: ClassVar[str] = "vault"
    capability: ClassVar[Capability] = Capability.REVOCABLE
    sends_secret: ClassVar[bool] = True
    calls: ClassVar[dict[str, int]] = {}
    secret_field = "token"

    def __init__(self, issuer: Issuer, settle_s: float = 0.0) -> None:
        self.at, self.name, self.settle_s = issuer, issuer.kind, settle_s
        self.propagation_s = 0.0
        self.identify, self.inspect, self.siblings = issuer.identify, issuer.inspect, issuer.siblings
        self.preserve, self.revoke, self.marked = issuer.preserve, issuer.revoke, issuer.marked

    def issue(self, ref: CredentialRef, marker: str, preserved: Mapping[str, str]) -> Issued:  # noqa: ARG002
        return self.at.issue(ref, marker, lambda _: {})

    def verify(self, ref: CredentialRef, secret: Secret) -> Verdict:
        return self.at.knock(ref, secret, accepts_or_refuses)


def accepts_or_refuses(felt: str | None, right: bool) -> Verdict:
    """Answer like a door that checks the material alone."""
    if felt == State.ACTIVE.value and right:
        return Verdict(Answer.ACCEPTED, "welcome")
    return Verdict(Answer.REJECTED, "permission_denied")


def public_part(secret: Secret) -> str:
    """Return what a door may know of chosen material."""
    return hashlib.sha256(secret.reveal().encode()).hexdigest()[:32]
