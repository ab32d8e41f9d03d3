"""A password of a PostgreSQL role becomes logins of an hour, which the database engine of Vault or OpenBao makes.

Each login is a user of its own that acts as the old role (`SET ROLE`), so rights, and whose the tables are, stay as
they were. The old role needs no password for that, and is kept. The rotator's own token needs: read and update on
MOUNT/roles/ROLE, read on MOUNT/creds/ROLE and MOUNT/config/DATABASE, update on sys/leases/revoke. The user that the
engine enters the database with must be allowed to grant the old role.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from http import HTTPStatus

from rotator.credential import CredentialRef, Secret
from rotator.errors import BadInput, Rejected
from rotator.families.vault import FAMILY, Vault
from rotator.families.vault_database import Database, database
from rotator.families.vault_mounts import at
from rotator.ports import Answer, Connection

ASKS: Mapping[str, str] = {
    "through": "the connection of the Vault or OpenBao",
    "into": "MOUNT/ROLE: the database engine, and what the new role is called there",
    "database": "what the engine calls this database",
}
TTL_S, MOST_S = 3600, 86400
_NAME = re.compile(r"[A-Za-z0-9_$.-]{1,63}")
"""Names that mean the same in SQL and in the engine's templates, whose statements end at a semicolon."""
_CREATES = (
    "CREATE ROLE \"{{name}}\" WITH LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}'",
    'GRANT "%s" TO "{{name}}"',
    'ALTER ROLE "{{name}}" SET ROLE "%s"',
)
_REVOKES = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{{name}}'",
    'DROP ROLE IF EXISTS "{{name}}"',
)


def prepare(
    issuer: Connection,  # noqa: ARG001 - the engine reaches the database by itself
    ref: CredentialRef,
    asked: Mapping[str, str],
    connection: Callable[[str], Connection],
) -> Mapping[str, str]:
    """Make the role, take one login, see it work as the old role, and see it refused once it is revoked.

    Safe to call again: a role that is there must be the same. Raises Rejected for one that is another, and where the
    login does not act as the old role. A login that was not revoked for a crash ends within the hour.
    """
    if not _NAME.fullmatch(ref.owner):
        raise Rejected("unusual_name", f"make the role for {ref.owner} by hand: its name needs quoting")
    through = connection(asked["through"])
    if through.family != FAMILY:
        raise BadInput(
            f"a connection of {FAMILY} is wanted", f"through={through.name}", f"it is one of {through.family}"
        )
    mount, role = at(asked["into"])
    vault = Vault(through)
    _make(vault, f"{mount}/roles/{role}", ref.owner, asked["database"])
    there = database(vault, mount, asked["database"])
    return {
        "made": f"{through.name}:{mount}/roles/{role}",
        "consumers_read": f"{through.name}:{mount}/creds/{role}",
        "acts_as": ref.owner,
        "database": " ".join(f"{name}={value}" for name, value in there.address.items()),
        **_tried(vault, there, f"{mount}/creds/{role}", ref.owner),
    }


def _make(vault: Vault, path: str, owner: str, name: str) -> None:
    wanted = {
        "db_name": name,
        "creation_statements": [each.replace("%s", owner) for each in _CREATES],
        "revocation_statements": list(_REVOKES),
        "default_ttl": TTL_S,
        "max_ttl": MOST_S,
    }
    found = vault.read("GET", path)
    if found.status == HTTPStatus.NOT_FOUND:  # what may not be looked at may be there, and another
        vault.change("POST", path, wanted).accepted()
        found = vault.read("GET", path)
    found.accepted()
    if other := sorted(each for each, value in wanted.items() if found.data.get(each) != value):
        raise Rejected("another_role", f"{path} is there, and has another {', '.join(other)}: take another name")


def _tried(vault: Vault, there: Database, path: str, owner: str) -> dict[str, str]:
    reply = vault.read("GET", path).accepted()
    user, password = str(reply.data["username"]), Secret(str(reply.data["password"]))
    try:
        acts_as = there.acts_as(user, password)
    finally:
        vault.change("POST", "sys/leases/revoke", {"lease_id": reply.body.get("lease_id"), "sync": True}).accepted()
    if acts_as != owner:
        raise Rejected("acts_as_another", f"the login acts as {acts_as}, not as {owner}")
    after = there.knock(user, password)
    if after.answer is not Answer.REJECTED:
        raise Rejected("lives_on", f"the login was revoked, and still is answered {after.reason}")
    return {"tried": "a login acted as the role", "revoked": f"and was refused then: {after.reason}"}
