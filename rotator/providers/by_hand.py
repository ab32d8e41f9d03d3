"""Kinds that no machine can look at, try or revoke: a private key on a disk, a webhook's address, a vendor's web form.

The playbook says what a person does, and asks him to see it refused; the run keeps the clock. Such a death is stated.
A credential is named by its id where the report tells one, else by the deployment's keyed fingerprint of it.
"""

from __future__ import annotations

from typing import ClassVar

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.errors import Rejected
from rotator.families.by_hand import FAMILY
from rotator.kind import Kind
from rotator.ports.connection import Connection
from rotator.ports.provider import Capability, Status, Verdict
from rotator.rest_kind import RestKind


def connect(connection: Connection, name: str, rest: RestKind | None = None) -> ByHand:
    """Return the provider of the kind that the playbook `name` describes."""
    return ByHand(connection, name)


class ByHand(Kind):
    """One kind that is left to people."""

    family: ClassVar[str] = FAMILY
    capability: ClassVar[Capability] = Capability.MANUAL
    no_knock: ClassVar[str] = "only a person can try it"
    sends_secret: ClassVar[bool] = False
    secret_field = "secret"  # noqa: S105 - the name of a field

    def identify(self, leaked: Leaked) -> CredentialRef:
        """Name it as the report does; nobody is asked. Raises Rejected("unreadable") where the report names nothing."""
        known = leaked.id or leaked.key
        if not known:
            raise Rejected("unreadable", "the report names neither an id nor a secret")
        return self._ref_of(leaked.owner or "", known)

    def inspect(self, ref: CredentialRef) -> Status:
        raise Rejected("no_view", f"only a person can look how {ref.id} stands")

    def siblings(self, ref: CredentialRef) -> frozenset[CredentialRef]:
        raise Rejected("no_view", f"only a person can look what the owner of {ref.id} has besides")

    def verify(self, ref: CredentialRef, secret: Secret) -> Verdict:  # noqa: ARG002 - nobody is shown it
        raise Rejected("no_knock", self.no_knock)

    def revoke(self, ref: CredentialRef) -> None:
        raise Rejected("unsupported", f"only a person can revoke {ref.id}")
