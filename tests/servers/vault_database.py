"""A real OpenBao server with a real PostgreSQL behind its database engine, and the rotator's own narrow token."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from rotator.credential import Secret
from rotator.practice.openbao import OpenBao, openbao
from tests.servers.scram_postgres import ScramPostgres, scram_postgres

POLICY = """
path "sys/mounts"                          { capabilities = ["read"] }
path "sys/leases/lookup"                   { capabilities = ["update"] }
path "sys/leases/lookup/database/*"        { capabilities = ["list", "sudo"] }
path "sys/leases/revoke"                   { capabilities = ["update"] }
path "sys/leases/revoke-prefix/database/*" { capabilities = ["update", "sudo"] }
path "database/roles/+"                    { capabilities = ["read"] }
path "database/config/+"                   { capabilities = ["read"] }
path "database/static-roles"               { capabilities = ["list"] }
path "database/static-roles/+"             { capabilities = ["read"] }
path "database/static-creds/+"             { capabilities = ["read"] }
path "database/rotate-role/+"              { capabilities = ["update"] }
"""
LOOKS = """
path "sys/mounts"                          { capabilities = ["read"] }
path "sys/leases/lookup"                   { capabilities = ["update"] }
path "sys/leases/lookup/database/*"        { capabilities = ["list", "sudo"] }
path "database/roles/+"                    { capabilities = ["read"] }
path "database/static-roles"               { capabilities = ["list"] }
path "database/static-roles/+"             { capabilities = ["read"] }
path "database/static-creds/+"             { capabilities = ["read"] }
"""
CREATE = "CREATE ROLE \"{{name}}\" WITH LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}'"


@dataclass(frozen=True)
class VaultDatabase:
    """Both servers. The mount is `database`, the configured database `pg`."""

    bao: OpenBao
    postgres: ScramPostgres
    own: Secret
    narrow: Secret
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def role(self, name: str, *revocation: str) -> str:
        """Make a role that hands out logins; return its owner's name."""
        body = {"db_name": "pg", "creation_statements": [CREATE], "default_ttl": "1h"}
        self.bao.call("POST", f"database/roles/{name}", {**body, "revocation_statements": list(revocation)})
        return f"database/{name}"

    def lease(self, role: str) -> tuple[str, dict[str, str]]:
        """Ask for a login, as an application does; return the lease's id and the login."""
        made = self.bao.call("GET", f"database/creds/{role}")
        return made["lease_id"], made["data"]

    def static(self, name: str) -> dict[str, str]:
        """Make a user whose password the server keeps; return what it hands out."""
        self.postgres.run(f"CREATE ROLE {name} LOGIN PASSWORD 'first'")
        body = {"db_name": "pg", "username": name, "rotation_period": "24h"}
        self.bao.call("POST", f"database/static-roles/{name}", body)
        return self.handed_out(name)

    def handed_out(self, name: str) -> dict[str, str]:
        """Return what consumers of a static role read now."""
        return dict(self.bao.call("GET", f"database/static-creds/{name}")["data"])


@contextlib.contextmanager
def vault_database(folder: Path) -> Iterator[VaultDatabase]:
    """Run both until the block ends."""
    with openbao(folder) as bao, scram_postgres() as postgres:
        bao.call("POST", "sys/mounts/database", {"type": "database"})
        config = {
            "plugin_name": "postgresql-database-plugin",
            "allowed_roles": "*",
            "connection_url": f"postgresql://{{{{username}}}}:{{{{password}}}}@127.0.0.1:{postgres.port}"
            "/postgres?sslmode=disable",
            "username": "admin",
            "password": postgres.admin.reveal(),
        }
        bao.call("POST", "database/config/pg", config)
        bao.write_policy("database", POLICY)
        bao.write_policy("looks", LOOKS)
        yield VaultDatabase(bao, postgres, bao.plant("database", "rotator").token, bao.plant("looks").token)
