"""A chosen kind that stands on several doors, each with its own list and sessions: like SSH keys on hosts."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any, ClassVar

from rotator.credential import CredentialRef, Issued, Leaked, Secret
from rotator.errors import Rejected
from rotator.ports.provider import Answer, Capability, State, Status, Verdict
from tests.fakes.issuer import Issuer, public_part
from tests.fakes.world import START


class DoorIssuer:
    """Keys in the lists of `doors`; an id is the public part of its material. A change is felt at once."""

    family: ClassVar[str] = "ssh"
    capability: ClassVar[Capability] = Capability.REVOCABLE
    sends_secret: ClassVar[bool] = False
    calls: ClassVar[dict[str, int]] = {}
    secret_field = "private_key"
    settle_s = 0.0
    propagation_s = 0.0

    def __init__(self, issuer: Issuer, doors: tuple[str, ...]) -> None:
        self.at, self.name, self._doors = issuer, issuer.kind, doors

    def plant(self, owner: str | None = None) -> tuple[CredentialRef, Secret]:
        """Let a new key in at every door."""
        secret = Secret(f"canary-private-{secrets.token_hex(16)}")
        ref = CredentialRef(
            self.name, self.at.connection, owner or f"user-{self.at.world.number()}", public_part(secret)
        )
        with self.at.world.open() as state:
            self._kept(state, ref)["doors"] = {door: {"open": True, "sessions": 1} for door in self._doors}
        return ref, secret

    def identify(self, leaked: Leaked) -> CredentialRef:
        name = public_part(leaked.secret) if leaked.secret else leaked.id

        def look(state: dict[str, Any]) -> CredentialRef:
            found = state["credentials"].get(name)
            if found is None or found["connection"] != self.at.connection or not _open(found):
                raise Rejected("unknown_credential", "no door knows it")
            return CredentialRef(self.name, self.at.connection, found["owner"], str(name))

        return self.at.ask("identify", leaked.id or "", look)

    def inspect(self, ref: CredentialRef) -> Status:
        def look(state: dict[str, Any]) -> Status:
            found = state["credentials"].get(ref.id, {"doors": {}, "owner": ref.owner})
            return Status(State.ACTIVE if _open(found) and found["owner"] == ref.owner else State.ABSENT)

        return self.at.ask("inspect", ref.id, look)

    def siblings(self, ref: CredentialRef) -> frozenset[CredentialRef]:
        def look(state: dict[str, Any]) -> frozenset[CredentialRef]:
            return frozenset(
                ref.with_id(name)
                for name, found in state["credentials"].items()
                if found["kind"] == self.name
                and found["connection"] == self.at.connection
                and found["owner"] == ref.owner
                and _open(found)
            )

        return self.at.ask("siblings", ref.owner, look)

    def preserve(self, ref: CredentialRef) -> Mapping[str, str]:
        return {"options": self.at.ask("preserve", ref.id, lambda _: "no-pty")}

    def verify(self, ref: CredentialRef, secret: Secret) -> Verdict:
        def look(state: dict[str, Any]) -> Verdict:
            return _answer(bool(_open(state["credentials"].get(public_part(secret)))) and public_part(secret) == ref.id)

        return self.at.ask("verify", ref.id, look)

    def revoke(self, ref: CredentialRef) -> None:
        def act(state: dict[str, Any]) -> None:
            for door in state["credentials"].get(ref.id, {"doors": {}})["doors"].values():
                door["open"] = False

        self.at.ask("revoke", ref.id, act, changes=True)

    def generate(self, ref: CredentialRef) -> Issued:
        secret = Secret(f"canary-private-{secrets.token_hex(16)}")
        return Issued(ref.with_id(public_part(secret)), secret, {"public_key": public_part(secret)})

    def targets(self, ref: CredentialRef) -> tuple[str, ...]:  # noqa: ARG002 - every key may stand on every door
        return self._doors

    def install(self, target: str, ref: CredentialRef, public: Mapping[str, str], preserved: Mapping[str, str]) -> None:
        if public.get("public_key", ref.id) != ref.id or "options" not in preserved:
            raise Rejected("unreadable", "a key is installed with its public part and its restrictions")

        def act(state: dict[str, Any]) -> None:
            self._kept(state, ref)["doors"].setdefault(target, {"open": True, "sessions": 0})["open"] = True

        self.at.ask("install", f"{ref.id}@{target}", act, changes=True)

    def uninstall(self, target: str, ref: CredentialRef) -> None:
        def act(state: dict[str, Any]) -> None:
            if (door := _door(state, ref, target)) is not None:
                door["open"] = False

        self.at.ask("uninstall", f"{ref.id}@{target}", act, changes=True)

    def inspect_at(self, target: str, ref: CredentialRef) -> Status:
        def look(state: dict[str, Any]) -> Status:
            door = _door(state, ref, target)
            return Status(State.ACTIVE if door and door["open"] else State.ABSENT)

        return self.at.ask("inspect_at", f"{ref.id}@{target}", look)

    def verify_at(self, target: str, ref: CredentialRef, secret: Secret) -> Verdict:
        def look(state: dict[str, Any]) -> Verdict:
            door = _door(state, ref, target)
            return _answer(bool(door and door["open"]) and public_part(secret) == ref.id)

        return self.at.ask("verify_at", f"{ref.id}@{target}", look)

    def end_sessions_at(self, target: str, ref: CredentialRef) -> Mapping[str, str]:
        def act(state: dict[str, Any]) -> Mapping[str, str]:
            door = _door(state, ref, target) or {"sessions": 0}
            ended, door["sessions"] = door["sessions"], 0
            return {"ended": str(ended)}

        return self.at.ask("end_sessions_at", f"{ref.id}@{target}", act, changes=True)

    def _kept(self, state: dict[str, Any], ref: CredentialRef) -> dict[str, Any]:
        return state["credentials"].setdefault(
            ref.id,
            {
                "kind": self.name,
                "connection": self.at.connection,
                "owner": ref.owner,
                "created_at": START,
                "doors": {},
            },
        )


def _open(found: dict[str, Any] | None) -> list[str]:
    return [name for name, door in found["doors"].items() if door["open"]] if found else []


def _door(state: dict[str, Any], ref: CredentialRef, target: str) -> dict[str, Any] | None:
    return state["credentials"].get(ref.id, {"doors": {}})["doors"].get(target)


def _answer(let_in: bool) -> Verdict:
    return Verdict(Answer.ACCEPTED, "logged_in") if let_in else Verdict(Answer.REJECTED, "publickey")
