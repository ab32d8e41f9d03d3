"""Roles of PostgreSQL that have a password, as the server keeps them."""

from __future__ import annotations

from dataclasses import dataclass

from rotator.families.postgres import Session
from rotator.families.postgres_scram import tag_of
from rotator.ports.provider import State

_ROLES = """
select a.rolname as name, a.rolcanlogin as login, a.rolpassword as stored, a.rolvaliduntil::text as valid_until,
       a.rolsuper as superuser,
       (select b.rolname from pg_roles b where a.rolname = b.rolname || '_b') as first,
       (select count(*)::int from pg_stat_activity s where s.usesysid = a.oid) as sessions
from pg_authid a where a.rolpassword is not null
"""


@dataclass(frozen=True, slots=True)
class Role:
    """A role that has a password."""

    name: str
    login: bool
    stored: str
    valid_until: str | None
    superuser: bool
    first: str | None
    sessions: int

    @property
    def tag(self) -> str:
        return str(tag_of(self.stored))

    @property
    def state(self) -> State:
        return State.ACTIVE if self.login else State.SUSPENDED

    def facts(self) -> dict[str, str]:
        told = {"role": self.name, "sessions": str(self.sessions), "superuser": str(self.superuser).lower()}
        return told | ({"valid_until": self.valid_until} if self.valid_until else {})


def roles(session: Session) -> dict[str, Role]:
    """Return every such role of the server, by name."""
    return {row["name"]: Role(**row) for row in session.execute(_ROLES).fetchall()}


def role_of(session: Session, name: str) -> Role | None:
    """Return the role of that name, None where there is none or it has no password."""
    row = session.execute(_ROLES + " and a.rolname = %s", [name]).fetchone()
    return Role(**row) if row else None
