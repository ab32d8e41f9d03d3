"""A password of a PostgreSQL role becomes logins of an hour, which the database engine of Vault or OpenBao makes.

Each login is a user of its own that acts as the old role (`SET ROLE`), so rights, and whose the tables are, stay as
they were. What only the one who logs in has is given to each: its settings (`ALTER ROLE … SET`, also of one database)
and its limit of connections, as they are now. The old role needs no password for that, and is kept.
What the rotator's own token needs: `families/vault_dynamic.py`. The user that the engine enters the database with must
be allowed to grant the old role, and to set what it sets. `session_user` is the login's name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from rotator.conversions import GONE, TAKEN, Loss, Notes, Thing, refuse_losses
from rotator.credential import CredentialRef, Secret
from rotator.errors import Rejected
from rotator.families import vault_dynamic
from rotator.families.postgres import Postgres
from rotator.families.vault_database import Database, database
from rotator.families.vault_dynamic import engine_role
from rotator.families.vault_trying import Trying, made_and_tried
from rotator.ports.connection import Connection
from rotator.ports.provider import Answer

ASKS = vault_dynamic.ASKS
PASSING = frozenset(vault_dynamic.Passing)
_NAME = re.compile(r"[A-Za-z0-9_$.-]{1,63}")
"""Names that mean the same in SQL and in the engine's templates, whose statements end at a semicolon."""
_SPLITS = re.compile(r"[;\x00-\x1f]|\{\{")
_LISTS = frozenset({"search_path", "temp_tablespaces", "local_preload_libraries", "session_preload_libraries"})
"""Settings that are kept as lists of quoted names: they are said again as they stand, and not as one text."""
_FACTS = "select rolreplication, rolconnlimit from pg_roles where rolname = %s"
_SETS = """
select d.datname as database, s.setconfig as said from pg_db_role_setting s
join pg_roles r on r.oid = s.setrole left join pg_database d on d.oid = s.setdatabase
where r.rolname = %s order by d.datname nulls first
"""
_CREATE = "CREATE ROLE \"{{name}}\" WITH LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}'"
_ACTS = ('GRANT "%s" TO "{{name}}"', 'ALTER ROLE "{{name}}" SET ROLE "%s"')
_REVOKES = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{{name}}'",
    'DROP ROLE IF EXISTS "{{name}}"',
)


class Conversion:
    """Passwords at one server become logins that an engine hands out."""

    def __init__(self, issuer: Connection, connection: Callable[[str], Connection]) -> None:
        self._issuer, self._connection = issuer, connection

    def prepare(self, ref: CredentialRef, asked: Mapping[str, str], notes: Notes) -> Mapping[str, str]:
        """Make the role, take one login, see it work as the old role, and see it refused once it is revoked.

        A role that is there must be the same; who made it before may use it by now, so it is not tried again. Raises
        BadInput for what would be lost, Rejected for a role that is another, and where the login does not act as the
        old role.
        """
        if not _NAME.fullmatch(ref.owner):
            raise Rejected("unusual_name", f"make the role for {ref.owner} by hand: its name needs quoting")
        facts, sets = _read(self._issuer, ref.owner)
        given, lost = _settings(sets)
        if facts["rolreplication"]:
            lost.append(Loss("replication", "a login may not replicate, whatever role it acts as"))
        without = refuse_losses(lost, asked)
        limit = f" CONNECTION LIMIT {facts['rolconnlimit']}" if facts["rolconnlimit"] >= 0 else ""
        creates = [_CREATE + limit, *(each.replace("%s", ref.owner) for each in _ACTS), *given]
        through = self._connection(asked["through"])
        role = engine_role(through, asked["into"], asked["database"], creates, _REVOKES)
        there = database(role.vault, role.mount, asked["database"])
        trying = Trying(
            lambda user, password: self._came_in(there, ref.owner, user, password),
            lambda user, password: self._gone(there, user, password),
        )
        return {
            "made": f"{role.server}:{role.path}",
            "consumers_read": f"{role.server}:{role.creds}",
            "acts_as": ref.owner,
            "database": " ".join(f"{name}={value}" for name, value in there.address.items()),
            **({"given": "; ".join(given)} if given else {}),
            **({"without": ", ".join(without)} if without else {}),
            **made_and_tried(role, notes, trying),
        }

    def take_away(self, thing: Thing) -> str:
        """Delete the engine's role that a preparation made, or end the login that tried it.

        Raises Rejected for a role that is another by now, and for a login that the server has still.
        """
        return TAKEN if vault_dynamic.take_away(self._connection(thing["through"]), thing, self._has) else GONE

    def _has(self, user: str) -> bool:
        with Postgres(self._issuer).session() as session:
            return session.execute("select 1 from pg_roles where rolname = %s", (user,)).fetchone() is not None

    def _came_in(self, there: Database, owner: str, user: str, password: Secret) -> str:
        if not self._has(user):
            raise Rejected("another_server", "the engine's database is on another server than the role")
        acts_as = there.acts_as(user, password)
        if acts_as != owner:
            raise Rejected("acts_as_another", f"the login acts as {acts_as}, not as {owner}")
        return "a login acted as the role"

    def _gone(self, there: Database, user: str, password: Secret) -> str:
        after = there.knock(user, password)
        if after.answer is not Answer.REJECTED or self._has(user):
            raise Rejected("lives_on", f"the login was revoked, and still is answered {after.reason}")
        return f"and was refused then: {after.reason}"


def _read(issuer: Connection, role: str) -> tuple[Mapping[str, Any], list[Mapping[str, Any]]]:
    with Postgres(issuer).session() as session:
        facts = session.execute(_FACTS, (role,)).fetchone()
        sets = session.execute(_SETS, (role,)).fetchall()
    if facts is None:
        raise Rejected("unknown_credential", f"{issuer.name} has no role {role}")
    return facts, list(sets)


def _settings(sets: Iterable[Mapping[str, Any]]) -> tuple[list[str], list[Loss]]:
    """Return the statements that set for a login what is set for the role, and what cannot be said so."""
    given, lost = [], []
    for row in sets:
        inside = "" if row["database"] is None else f" IN DATABASE {_quoted(row['database'])}"
        for each in row["said"]:
            name, _, value = each.partition("=")
            statement = f'ALTER ROLE "{{{{name}}}}"{inside} SET {name} TO {_value(name, value)}'
            if name == "role":
                lost.append(Loss(name, "it acts as another role by itself: convert that one"))
            elif _SPLITS.search(inside + each):
                lost.append(Loss(name, "its value cannot stand in a statement of the engine: set it by hand"))
            else:
                given.append(statement)
    return given, lost


def _value(name: str, value: str) -> str:
    if name in _LISTS:
        return value or "''"
    return "'" + value.replace("'", "''") + "'"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
