"""The nouns every other module speaks of: a credential by name, its material, what a report says of it."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NoReturn, final
from urllib.parse import urlsplit

REDACTED = "[secret]"


@final
class Secret:
    """Hold material that must never be printed, formatted, pickled, copied or logged.

    Only `reveal()` gives the text, so that every place that handles material can be found by that word.
    """

    __slots__ = ("__value",)

    def __init__(self, value: str) -> None:
        self.__value = value

    def reveal(self) -> str:
        """Return the material itself: for a vendor call, a seal or a store, and nothing else."""
        return self.__value

    def __eq__(self, other: object) -> bool:
        """Compare in constant time."""
        return isinstance(other, Secret) and hmac.compare_digest(self.__value.encode(), other.reveal().encode())

    def __hash__(self) -> int:
        return hash(self.__value)

    def __bool__(self) -> bool:
        return bool(self.__value)

    def __repr__(self) -> str:
        return REDACTED

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return REDACTED

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret cannot be pickled or copied")


@dataclass(frozen=True, slots=True, order=True)
class CredentialRef:
    """Name a credential; useless to a thief.

    `provider` is the kind (the module's name), `connection` the account it belongs to, `owner` the principal
    that holds it, `id` the issuer's own id. A changed password is the same id, next generation.
    """

    provider: str
    connection: str
    owner: str
    id: str
    generation: int = 0

    def __str__(self) -> str:
        return f"{self.provider}/{self.connection}/{self.owner or '?'}/{self.id}"

    def with_id(self, credential_id: str) -> CredentialRef:
        """Name another credential of the same owner."""
        return replace(self, id=credential_id)


@dataclass(frozen=True, slots=True)
class Leaked:
    """Say what a report tells of one credential: its id where printed apart, its material where it has it.

    At least one of `id` and `secret` is set. `account` is the issuer's account when the report names one,
    `address` the server it belongs to, `connection` the rotator's own name for that account. `key` is how the
    deployment tells it apart, its id or a keyed fingerprint of the material: the id of what its issuer gives none.
    """

    id: str | None = None
    secret: Secret | None = None
    owner: str | None = None
    account: str | None = None
    address: str | None = None
    connection: str | None = None
    key: str | None = field(default=None, compare=False)

    def may_belong_to(self, account: str | None, address: str | None) -> bool:
        """Tell whether nothing in the report speaks against this account and server; what is not named fits.

        Ports are compared where both name one.
        """
        if self.account and account and self.account != account:
            return False
        if not (self.address and address):
            return True
        (host, port), (our_host, our_port) = _host_and_port(self.address), _host_and_port(address)
        return host == our_host and (port is None or our_port is None or port == our_port)


def _host_and_port(address: str) -> tuple[str, int | None]:
    try:
        parts = urlsplit(address if "//" in address else f"//{address}")
        port = parts.port
    except ValueError:
        return address, None
    return parts.hostname or address, port


@dataclass(frozen=True, slots=True)
class Issued:
    """Carry a new credential between its issuer and the store that keeps it.

    `public` are the fields that are delivered beside the secret (an access key's id, a public key).
    """

    ref: CredentialRef
    secret: Secret
    public: Mapping[str, str] = field(default_factory=dict)

    def document(self, secret_field: str) -> Secret:
        """Return the JSON text that a store keeps: the public fields, the id and the secret under `secret_field`."""
        fields = {"id": self.ref.id, **self.public, secret_field: self.secret.reveal()}
        return Secret(json.dumps(fields, sort_keys=True))


def read_document(document: Secret, secret_field: str) -> tuple[str, Secret, dict[str, str]]:
    """Return (id, secret, public fields) of a stored document.

    Raises ValueError when it is not one of ours.
    """
    try:
        fields = json.loads(document.reveal())
        material = Secret(fields.pop(secret_field))
        credential_id = str(fields.pop("id"))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ValueError("the stored value is not a document that rotator wrote") from None
    return credential_id, material, {str(key): str(value) for key, value in fields.items()}
