"""What incoming webhooks share: the address itself is the secret, and whoever holds it may post.

No credential is used. A stolen address is only ever sent to the service that it names; a connection's `endpoint_url`
is a proxy or an emulator, to which its path alone goes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, NoReturn

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.errors import Rejected, asking
from rotator.families.http_wire import Reply, Wire
from rotator.kind import Kind
from rotator.ports.connection import Connection
from rotator.ports.provider import Status

FAMILY = "webhook"
SETTINGS = frozenset({"ca_file"})
"""Keys of `[[connections]]` that this family alone knows."""


@dataclass(frozen=True, slots=True)
class Address:
    """An address taken apart: what may be told of it, and the path that opens."""

    id: str
    owner: str
    path: Secret


class WebhookKind(Kind):
    """A kind whose material is an address of one service. `form` has the groups `path`, `id` and perhaps `owner`."""

    sends_secret: ClassVar[bool] = False
    calls: ClassVar[Mapping[str, int]] = {}
    secret_field: str = "url"  # noqa: S105 - the name of a field
    site: ClassVar[str]
    form: ClassVar[re.Pattern[str]]

    def __init__(self, connection: Connection, name: str) -> None:
        super().__init__(connection, name)
        self._site = (connection.endpoint_url or self.site).rstrip("/")
        self._wire = Wire(self._site, connection.settings.get("ca_file"))

    def identify(self, leaked: Leaked) -> CredentialRef:
        """Name it by the part of its address that is no secret; nobody is asked. Raises Rejected("unreadable")."""
        self._must_belong(leaked)
        if leaked.secret is None:
            raise Rejected(
                "needs_secret", "the address alone opens it, and it alone can be tried: the report must hold it"
            )
        found = self._read(leaked.secret)
        if found is None:
            raise Rejected("unreadable", f"this is no whole address of a webhook at {self.site}")
        self._must_pair(leaked, found.id)
        return self._ref_of(found.owner, found.id)

    def inspect(self, ref: CredentialRef) -> Status:
        """Raise Rejected: nobody shows how a webhook stands without its address."""
        self._has_no_view(ref)

    def siblings(self, ref: CredentialRef) -> frozenset[CredentialRef]:
        """Raise Rejected: nobody lists webhooks by one of them."""
        self._has_no_view(ref)

    def _has_no_view(self, ref: CredentialRef) -> NoReturn:
        raise Rejected("no_view", f"{ref.id}: only a knock tells how a webhook stands")

    def _read(self, secret: Secret) -> Address | None:
        """Take an address apart, None for what is none of the kind."""
        found = self.form.fullmatch(secret.reveal().strip())
        return (
            None if found is None else Address(found["id"], found.groupdict().get("owner") or "", Secret(found["path"]))
        )

    def _ask(self, method: str, address: Address, body: object = None) -> Reply:
        with asking():
            return self._send(method, address, body)

    def _send(self, method: str, address: Address, body: object = None) -> Reply:
        return self._wire.send(method, self._site + address.path.reveal(), {"User-Agent": "rotator"}, body)
