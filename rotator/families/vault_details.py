"""What stands in the paths of permissions besides names: a role's database, a key's type, a mount's issuers."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

from rotator.errors import Rejected
from rotator.families.vault import Vault
from rotator.families.vault_permissions import ANY_NAME, Place, Unknown
from rotator.families.vault_ssh import SshEngine
from rotator.families.vault_transit import KNOCKABLE

_STAYS = Unknown("its material never leaves the server: there is nothing to deliver")
_KEEPS_ONE = Unknown("the server keeps one authority for each mount, and makes none beside it")


def with_database(vault: Vault, place: Place, folder: str) -> Iterator[Place]:
    """Add the database, which the role tells."""
    told = vault.read("GET", f"{quote(str(place['mount']))}/{folder}/{quote(str(place['name']), safe='')}")
    yield {**place, "database": str(told.data["db_name"]) if told.ok else Unknown()}


def with_calls(vault: Vault, place: Place) -> Iterator[Place]:
    """Add what the key's type decides: with which call it is knocked, and where its versions are exported."""
    told = vault.read("GET", f"{quote(str(place['mount']))}/keys/{quote(str(place['name']), safe='')}")
    if not told.ok:
        yield {**place, **dict.fromkeys(("call", "export", "version", "next"), Unknown())}
        return
    key = told.data
    more: dict[str, str | Unknown] = {}
    if key["type"] in KNOCKABLE and not key.get("derived"):
        more["call"] = "verify" if key.get("supports_signing") else "decrypt"
    if key.get("exportable"):
        latest = int(key["latest_version"])
        more["export"] = "encryption-key" if key.get("supports_encryption") else "signing-key"
        more |= {"version": str(latest), "next": str(latest + 1)}
    else:
        more |= dict.fromkeys(("export", "version", "next"), _STAYS)
    yield {**place, **more}


def with_issuers(vault: Vault, place: Place) -> Iterator[Place]:
    """Add each authority of the mount, and one that is yet to be made."""
    mount = str(place["mount"])
    try:
        issuers = SshEngine(vault).issuers(mount)
    except Rejected:
        yield {**place, "any": ANY_NAME, "several": mount, "issuer": Unknown(), "only": Unknown()}
        return
    if any(not issuer.id for issuer in issuers):
        yield {**place, "any": ANY_NAME, "only": mount, "several": _KEEPS_ONE}
        return
    for issuer in (*(each.id for each in issuers), ANY_NAME):
        yield {**place, "any": ANY_NAME, "several": mount, "issuer": issuer}
