"""What a kind can do, one part for each capability: a fake is put together of those that its real provider has.

`Account` is at the end of each; a part goes before it and adds its methods, or takes away what the kind lacks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, NoReturn

from rotator.credential import CredentialRef, Issued, Leaked, Secret
from rotator.errors import Rejected
from rotator.ports.provider import Capability, State, Status, Verdict
from tests.fakes.doors import DoorIssuer
from tests.fakes.issuer import Issuer, accepts_or_refuses
from tests.fakes.passwords import PasswordIssuer


class Account:
    """What every kind can do: it is named, seen, knocked with and destroyed."""

    family: ClassVar[str] = "fake"
    capability: ClassVar[Capability] = Capability.REVOCABLE
    sends_secret: ClassVar[bool] = True
    calls: ClassVar[dict[str, int]] = {}
    secret_field = "token"
    settle_s = 0.0
    propagation_s = 0.0

    def __init__(self, issuer: Issuer) -> None:
        self.at, self.name = issuer, issuer.kind

    def plant(self, owner: str | None = None) -> tuple[CredentialRef, Secret]:
        return self.at.plant(owner)

    def identify(self, leaked: Leaked) -> CredentialRef:
        return self.at.identify(leaked)

    def inspect(self, ref: CredentialRef) -> Status:
        return self.at.inspect(ref)

    def siblings(self, ref: CredentialRef) -> frozenset[CredentialRef]:
        return self.at.siblings(ref)

    def verify(self, ref: CredentialRef, secret: Secret) -> Verdict:
        return self.at.knock(ref, secret, accepts_or_refuses)

    def revoke(self, ref: CredentialRef) -> None:
        self.at.revoke(ref)


class Preserves:
    """Its last use is kept."""

    at: Issuer

    def preserve(self, ref: CredentialRef) -> Mapping[str, str]:
        return self.at.preserve(ref)


class Suspends:
    """It can be stopped and started again."""

    at: Issuer

    def suspend(self, ref: CredentialRef) -> None:
        self.at.set_state("suspend", ref, State.SUSPENDED)

    def resume(self, ref: CredentialRef) -> None:
        self.at.set_state("resume", ref, State.ACTIVE)


class TakenOut:
    """It is taken out of where it stands, and put back from what was kept of it."""

    at: Issuer

    def suspend(self, ref: CredentialRef) -> None:
        self.at.set_state("suspend", ref, State.SUSPENDED)

    def restore(self, ref: CredentialRef, preserved: Mapping[str, str]) -> None:
        if "scopes" not in preserved:
            raise Rejected("nothing_preserved", ref.id)
        self.at.set_state("restore", ref, State.ACTIVE)


class Cuts:
    """Its sessions can be ended."""

    at: Issuer

    def end_sessions(self, ref: CredentialRef) -> Mapping[str, str]:
        return self.at.end_sessions(ref)


class IsASession:
    """It is a session itself: what ends its sessions ends it."""

    capability: ClassVar[Capability] = Capability.EXPIRE_ONLY
    at: Issuer

    def end_sessions(self, ref: CredentialRef) -> Mapping[str, str]:
        def act(state: dict[str, Any]) -> Mapping[str, str]:
            found = state["credentials"][ref.id]
            self.at.turn(state, found, State.SUSPENDED)
            found["sessions"] = 0
            return {"denied": ref.id}

        return self.at.ask("end_sessions", ref.id, act, changes=True)


class Mints:
    """Its issuer makes replacements, and marks them as it is told."""

    at: Issuer

    def issue(self, ref: CredentialRef, marker: str, preserved: Mapping[str, str]) -> Issued:  # noqa: ARG002
        return self.at.issue(ref, marker, lambda _: {})

    def marked(self, ref: CredentialRef, marker: str) -> CredentialRef | None:
        return self.at.marked(ref, marker)


class MintsUnmarked:
    """Its issuer makes replacements that carry nothing of ours."""

    at: Issuer

    def issue(self, ref: CredentialRef, marker: str, preserved: Mapping[str, str]) -> Issued:  # noqa: ARG002
        return self.at.issue(ref, "", lambda _: {})

    def marked(self, ref: CredentialRef, marker: str) -> CredentialRef | None:  # noqa: ARG002
        return None


class Versions:
    """Versions of one key: nobody says when each was made, and none goes while an older one lives."""

    at: Issuer

    def inspect(self, ref: CredentialRef) -> Status:
        return Status(self.at.inspect(ref).state)

    def revoke(self, ref: CredentialRef) -> None:
        def look(state: dict[str, Any]) -> list[str]:
            kept = {name: self.at.kept(state, ref.with_id(name)) for name in state["credentials"] if name < ref.id}
            return [name for name, found in kept.items() if found and found["state"] == State.ACTIVE.value]

        if older := self.at.ask("older", ref.id, look):
            raise Rejected("older_versions_live", f"versions {older} would be destroyed too")
        self.at.revoke(ref)


class Unseen:
    """Its issuer shows nobody how one stands."""

    def inspect(self, ref: CredentialRef) -> Status:
        _has_no_view(ref)

    def siblings(self, ref: CredentialRef) -> frozenset[CredentialRef]:
        _has_no_view(ref)


def _has_no_view(ref: CredentialRef) -> NoReturn:
    raise Rejected("no_view", ref.id)


class UntoldRefusal:
    """Part of a kind whose door refuses living ones as it refuses dead ones: it lets replacements in, and no more."""

    no_knock: ClassVar[str] = "its refusal is said to living ones too"


class Doorless:
    """No machine can knock with it."""

    no_knock: ClassVar[str] = "it has no door"

    def verify(self, ref: CredentialRef, secret: Secret) -> Verdict:  # noqa: ARG002 - nobody is shown it
        raise Rejected("no_knock", ref.id)


class Undestroyed:
    """No call destroys it: at most it is stopped."""

    capability: ClassVar[Capability] = Capability.DISABLE_ONLY

    def revoke(self, ref: CredentialRef) -> None:
        raise Rejected("unsupported", ref.id)


class LeftToPeople(Undestroyed):
    """Only a person stops it."""

    capability: ClassVar[Capability] = Capability.MANUAL


class ListedAtDoors:
    """A key that every door refuses once it stands on its list; nothing is made, and nothing kept."""

    family: ClassVar[str] = "ssh"
    capability: ClassVar[Capability] = Capability.REVOCABLE
    sends_secret: ClassVar[bool] = False
    calls: ClassVar[dict[str, int]] = {}
    secret_field = "private_key"
    settle_s = 0.0
    propagation_s = 0.0

    def __init__(self, doors: DoorIssuer) -> None:
        self.at, self.name, self.plant, self.targets = doors.at, doors.name, doors.plant, doors.targets
        self.identify, self.inspect, self.siblings = doors.identify, doors.inspect, doors.siblings
        self.verify, self.revoke, self.inspect_at = doors.verify, doors.revoke, doors.inspect_at
        self.install, self.uninstall = doors.install, doors.uninstall
        self.verify_at, self.end_sessions_at = doors.verify_at, doors.end_sessions_at


class LetInAtDoors(ListedAtDoors):
    """A name that every door lets in which lists it: it is taken off each list and put back, and never destroyed."""

    capability: ClassVar[Capability] = Capability.DISABLE_ONLY

    def __init__(self, doors: DoorIssuer) -> None:
        super().__init__(doors)
        self.preserve, self.revoke = doors.preserve, Undestroyed().revoke


def of(*parts: type, base: type = Account) -> Any:
    """Put a kind together; return what makes it of its issuer."""
    return type("ActingKind", (*parts, base), {})


def chosen(*parts: type) -> Any:
    """Put a kind together whose secret we make and whose issuer learns it."""
    return of(*parts, base=PasswordIssuer)
