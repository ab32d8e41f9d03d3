"""What every kind that is written in Python begins with: its name, its connection, and the pace of its issuer.

A kind is found by its module and judged by its methods (`ports/`); this only spares each of them the same ten lines.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from rotator.credential import CredentialRef, Leaked
from rotator.errors import Rejected
from rotator.ports.connection import Connection


class Kind:
    """A kind on one connection, whose own pace goes before that of the class."""

    settle_s: float = 0.0
    propagation_s: float = 0.0
    calls: ClassVar[Mapping[str, int]] = {}
    is_grant: ClassVar[bool] = False
    """Whether it is trust that we gave to somebody else's identity, who comes with a secret of his own."""

    def __init__(self, connection: Connection, name: str) -> None:
        self.name = name
        self._connection = connection
        if connection.settle_s is not None:
            self.settle_s = connection.settle_s
        if connection.propagation_s is not None:
            self.propagation_s = connection.propagation_s

    def _ref_of(self, owner: str, credential_id: str) -> CredentialRef:
        """Name a credential of this kind on this connection."""
        return CredentialRef(self.name, self._connection.name, owner, credential_id)

    def _must_belong(self, leaked: Leaked, address: str | None = None) -> None:
        """Raise Rejected("not_this_account") where the report speaks of another account, or of another server."""
        if not leaked.may_belong_to(self._connection.account, address):
            raise Rejected("not_this_account", f"{leaked.account or leaked.address} is not {self._connection.name}")

    def _must_pair(self, leaked: Leaked, credential_id: str) -> None:
        """Raise Rejected("mispaired") where the report's id is not that of its secret."""
        if leaked.id not in (None, credential_id):
            raise Rejected("mispaired", f"the report's secret is not the one of {leaked.id}")
