"""Authorities that a server makes and keeps, and doors trust by a list of their own: like the SSH engine of a vault."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any, ClassVar

from rotator.credential import CredentialRef, Issued, Secret
from rotator.errors import Rejected
from rotator.ports.provider import Answer, Capability, Verdict
from tests.fakes.doors import DoorIssuer
from tests.fakes.issuer import public_part


class AuthorityIssuer:
    """Minted and marked by the server, trusted at each door, and then signed with. What no door trusts is absent."""

    family: ClassVar[str] = "vault"
    capability: ClassVar[Capability] = Capability.REVOCABLE
    sends_secret: ClassVar[bool] = False
    calls: ClassVar[dict[str, int]] = {}
    secret_field = "public_key"
    settle_s = 0.0
    propagation_s = 0.0

    def __init__(self, doors: DoorIssuer) -> None:
        self.at, self.name, self.doors, self.targets = doors.at, doors.name, doors, doors.targets
        self.identify, self.inspect, self.inspect_at = doors.identify, doors.inspect, doors.inspect_at
        self.preserve, self.install, self.uninstall = doors.preserve, doors.install, doors.uninstall
        self.verify_at, self.end_sessions_at = doors.verify_at, doors.end_sessions_at

    def plant(self, owner: str | None = None) -> tuple[CredentialRef, Secret]:
        """Let the server have a key, and every door trust it."""
        ref, secret = self.doors.plant(owner)
        with self.at.world.open() as state:
            state["credentials"][ref.id] |= {"held": True, "signs": True, "marker": ""}
        return ref, secret

    def siblings(self, ref: CredentialRef) -> frozenset[CredentialRef]:
        def look(state: dict[str, Any]) -> frozenset[CredentialRef]:
            return frozenset(map(ref.with_id, self._held(state, ref)))

        return self.at.ask("siblings", ref.owner, look)

    def issue(self, ref: CredentialRef, marker: str, preserved: Mapping[str, str]) -> Issued:  # noqa: ARG002
        secret = Secret(f"canary-authority-{secrets.token_hex(16)}")
        made = ref.with_id(public_part(secret))

        def act(state: dict[str, Any]) -> None:
            kept = {"kind": self.name, "connection": self.at.connection, "owner": ref.owner, "doors": {}}
            state["credentials"][made.id] = {**kept, "held": True, "signs": False, "marker": marker}

        self.at.ask("issue", ref.owner, act, changes=True)
        return Issued(made, secret, {"public_key": made.id})

    def marked(self, ref: CredentialRef, marker: str) -> CredentialRef | None:
        def look(state: dict[str, Any]) -> CredentialRef | None:
            found = (name for name, each in self._held(state, ref).items() if each["marker"] == marker)
            return next(map(ref.with_id, found), None)

        return self.at.ask("marked", ref.owner, look)

    def set_secret(self, ref: CredentialRef, secret: Secret, preserved: Mapping[str, str]) -> None:  # noqa: ARG002
        def act(state: dict[str, Any]) -> None:
            there = self._held(state, ref)
            if ref.id not in there:
                raise Rejected("not_found", f"the server has no {ref.id}")
            for name, each in there.items():
                each["signs"] = name == ref.id

        self.at.ask("set_secret", ref.id, act, changes=True)

    def verify(self, ref: CredentialRef, secret: Secret) -> Verdict:
        """Ask for something signed with it, and come in with that anywhere."""

        def knock(state: dict[str, Any]) -> Verdict:
            found = self._held(state, ref).get(ref.id, {"signs": False, "doors": {}})
            let_in = found["signs"] and any(door["open"] for door in found["doors"].values())
            right = public_part(secret) == ref.id
            return Verdict(Answer.ACCEPTED if let_in and right else Answer.REJECTED, "signed")

        return self.at.ask("verify", ref.id, knock)

    def revoke(self, ref: CredentialRef) -> None:
        def act(state: dict[str, Any]) -> None:
            found = state["credentials"].get(ref.id, {"doors": {}})
            found |= {"held": False, "signs": False}
            for door in found["doors"].values():
                door["open"] = False

        self.at.ask("revoke", ref.id, act, changes=True)

    def _held(self, state: dict[str, Any], ref: CredentialRef) -> dict[str, Any]:
        mine = (self.name, self.at.connection, ref.owner)
        return {
            name: each
            for name, each in state["credentials"].items()
            if (each["kind"], each["connection"], each["owner"]) == mine and each["held"]
        }
