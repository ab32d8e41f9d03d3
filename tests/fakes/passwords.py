"""A chosen kind that its issuer must learn: passwords, several of which one owner may have at a time."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from rotator.credential import CredentialRef, Issued, Leaked, Secret
from rotator.errors import Rejected
from rotator.ports.listing import Discovered
from rotator.ports.provider import Answer, Capability, State, Status, Verdict
from tests.fakes.issuer import LONG_AGO, Issuer


def tagged(owner: str, secret: Secret) -> str:
    """Name one password of an owner by what the issuer stores of it."""
    return f"{owner}:{hashlib.sha256(secret.reveal().encode()).hexdigest()[:8]}"


class PasswordIssuer:
    """Owners with passwords; a change is felt at once."""

    family: ClassVar[str] = "passwords"
    capability: ClassVar[Capability] = Capability.REVOCABLE
    sends_secret: ClassVar[bool] = True
    calls: ClassVar[dict[str, int]] = {}
    secret_field = "password"
    settle_s = 0.0
    propagation_s = 0.0

    def __init__(self, issuer: Issuer) -> None:
        self.at, self.name = issuer, issuer.kind

    def plant(self, owner: str | None = None) -> tuple[CredentialRef, Secret]:
        secret = Secret(f"canary-password-{secrets.token_hex(16)}")
        owner = owner or f"user-{self.at.world.number()}"
        ref = CredentialRef(self.name, self.at.connection, owner, tagged(owner, secret))
        with self.at.world.open() as state:
            self._keep(state, ref, secret, LONG_AGO)
        return ref, secret

    def identify(self, leaked: Leaked) -> CredentialRef:
        def look(state: dict[str, Any]) -> CredentialRef:
            for name, kept in state["credentials"].items():
                mine = kept["connection"] == self.at.connection and kept["kind"] == self.name
                known = leaked.secret is None or kept["material"] == leaked.secret.reveal()
                if mine and known and leaked.id in (None, name) and kept["state"] == State.ACTIVE.value:
                    return CredentialRef(self.name, self.at.connection, kept["owner"], name)
            raise Rejected("unknown_credential", "nobody has this password")

        return self.at.ask("identify", leaked.id or "", look)

    def inspect(self, ref: CredentialRef) -> Status:
        def look(state: dict[str, Any]) -> Status:
            return Status(State.ACTIVE if self._lives(state, ref) else State.ABSENT)

        return self.at.ask("inspect", ref.id, look)

    def siblings(self, ref: CredentialRef) -> frozenset[CredentialRef]:
        return frozenset(each.ref for each in self.discover() if each.ref.owner == ref.owner)

    def discover(self) -> Iterable[Discovered]:
        def look(state: dict[str, Any]) -> list[Discovered]:
            return [
                Discovered(CredentialRef(self.name, self.at.connection, kept["owner"], name))
                for name, kept in state["credentials"].items()
                if kept["kind"] == self.name and kept["connection"] == self.at.connection
                if kept["state"] == State.ACTIVE.value
            ]

        return self.at.ask("list", "", look)

    def verify(self, ref: CredentialRef, secret: Secret) -> Verdict:
        def knock(state: dict[str, Any]) -> Verdict:
            if tagged(ref.owner, secret) != ref.id:
                return Verdict(Answer.INCONCLUSIVE, "another_password", mismatch=True)
            return Verdict(Answer.ACCEPTED if self._lives(state, ref) else Answer.REJECTED, "login")

        return self.at.ask("verify", ref.id, knock)

    def generate(self, ref: CredentialRef) -> Issued:
        secret = Secret(f"canary-password-{secrets.token_hex(16)}")
        return Issued(ref.with_id(tagged(ref.owner, secret)), secret)

    def set_secret(self, ref: CredentialRef, secret: Secret, preserved: Mapping[str, str]) -> None:  # noqa: ARG002
        def learn(state: dict[str, Any]) -> None:
            if not self._lives(state, ref):
                self._keep(state, ref, secret, float(state["now"]))

        self.at.ask("set_secret", ref.id, learn, changes=True)

    def revoke(self, ref: CredentialRef) -> None:
        def forget(state: dict[str, Any]) -> None:
            if ref.id in state["credentials"]:
                state["credentials"][ref.id]["state"] = State.ABSENT.value

        self.at.ask("revoke", ref.id, forget, changes=True)

    def _lives(self, state: dict[str, Any], ref: CredentialRef) -> bool:
        found = state["credentials"].get(ref.id)
        return found is not None and found["owner"] == ref.owner and found["state"] == State.ACTIVE.value

    def _keep(self, state: dict[str, Any], ref: CredentialRef, secret: Secret, at: float) -> None:
        self.at.make(state, ref.owner, at)
        made = state["credentials"].popitem()[1]
        state["credentials"][ref.id] = {**made, "material": secret.reveal(), "before": State.ABSENT.value}
