"""Passwords of PostgreSQL roles. A role has one, so two roles take turns: NAME and NAME_b.

    endpoint_url = "postgresql://db.example.com:5432/postgres"    user = "rotator"    credential = "file:keys/postgres"

The owner is NAME; an id is the role and the salt of what the server stores, so that a changed password is another
credential. The replacement is a password of the other role, which is made with the memberships, attributes and
settings of the first where it does not exist. Consumers must read `username` beside `password`.
The server is sent a finished SCRAM verifier, never a password. One connection is one primary: sessions at its standbys
are not seen from there, and are not cut. A knock is a login: PostgreSQL locks nobody out and keeps no last use; a
refused one is a line in its log, and waits where the extension auth_delay is loaded.
The rotator's own role needs CREATEROLE, pg_signal_backend, SELECT on pg_authid (granted by a superuser in the database
that it enters), and from version 16 on the ADMIN option on the roles and groups it handles; a superuser can do all.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import ClassVar

from psycopg.sql import SQL, Identifier, Literal

from rotator.credential import CredentialRef, Issued, Leaked, Secret
from rotator.errors import Rejected, Unavailable, Uncertain
from rotator.families.postgres import FAMILY, Postgres, Session
from rotator.families.postgres_permissions import permissions
from rotator.families.postgres_roles import Role, role_of, roles
from rotator.families.postgres_scram import SALT_BYTES, is_of, verifier
from rotator.families.postgres_since import made_since
from rotator.families.postgres_twin import make_twin
from rotator.families.server_login import SECRET_FIELD, issued, login_in, new_password, tagged, untagged
from rotator.kind import Kind
from rotator.permissions import Permission
from rotator.ports.connection import Connection
from rotator.ports.listing import Discovered, MintedSince
from rotator.ports.provider import Capability, State, Status, Verdict
from rotator.rest_kind import RestKind

SETTLE_S = 1.0
"""A role is read anew at each login; one more knock shows it."""
SECOND = "_b"
"""What the second role's name ends with."""

_ENDED = """
select count(*)::int as open, (count(*) filter (where pg_terminate_backend(pid, 5000)))::int as ended
from pg_stat_activity where usename = %s and pid <> pg_backend_pid()
"""
_PREPARED = "select count(*)::int as found from pg_prepared_xacts where owner = %s"


def connect(connection: Connection, name: str, rest: RestKind | None = None) -> PostgresRole:
    """Return the provider of one server's roles. Raises BadInput when the settings cannot be used."""
    return PostgresRole(connection, name)


class PostgresRole(Kind):
    """The passwords of one server's roles; the owner is the role whose name has no `_b`."""

    family: ClassVar[str] = FAMILY
    capability: ClassVar[Capability] = Capability.REVOCABLE
    sends_secret: ClassVar[bool] = False
    no_canary: ClassVar[str] = "its second role would stay behind"
    calls: ClassVar[Mapping[str, int]] = {"preserve": 2, "revoke": 2, "compare": 0}
    secret_field: str = SECRET_FIELD
    settle_s = SETTLE_S

    def __init__(self, connection: Connection, name: str) -> None:
        super().__init__(connection, name)
        self._postgres = Postgres(connection)

    def identify(self, leaked: Leaked) -> CredentialRef:
        """Name the password by comparing it here with what the server stores; it is sent nowhere."""
        self._must_belong(leaked, self._connection.endpoint_url)
        roles = self._all()
        if leaked.secret is None:
            name, tag = untagged(leaked.id or "")
            if name in roles and roles[name].tag == tag:
                return self._ref(roles[name])
            raise Rejected("unknown_credential", f"{self._connection.name} knows no {leaked.id}")
        login = login_in(leaked.secret)
        named = leaked.owner or login.name
        asked = [each for each in roles.values() if named in (None, each.name, each.first)]
        having = [each for each in asked if is_of(each.stored, each.name, login.password)]
        if len(having) > 1:
            raise Rejected("several_roles", f"{', '.join(each.name for each in having)} have this password")
        if not having:
            raise Rejected("unknown_credential", f"{named or 'no role'} of {self._connection.name} has this password")
        return self._ref(having[0])

    def own(self) -> str | None:
        """Return the id of the password that the rotator comes in with; the server tells its salt."""
        role = self._role(self._postgres.own()[0])
        return tagged(role.name, role.tag) if role else None

    def inspect(self, ref: CredentialRef) -> Status:
        """Return ACTIVE or SUSPENDED (NOLOGIN) while the role has this password; another by now means ABSENT."""
        role = self._having(ref)
        return Status(role.state, role.facts()) if role else Status(State.ABSENT)

    def siblings(self, ref: CredentialRef) -> frozenset[CredentialRef]:
        """Return the passwords of both roles."""
        found = (self._role(name) for name in (ref.owner, ref.owner + SECOND))
        return frozenset(ref.with_id(tagged(role.name, role.tag)) for role in found if role)

    def discover(self) -> Iterable[Discovered]:
        """Yield the password of every role. PostgreSQL tells neither their age nor their last use."""
        for role in self._all().values():
            yield Discovered(self._ref(role), {"state": role.state.value, **role.facts()})

    def generate(self, ref: CredentialRef) -> Issued:
        """Make a password for the other role."""
        role, _ = untagged(ref.id)
        other = ref.owner if role != ref.owner else ref.owner + SECOND
        return issued(ref, other, secrets.token_hex(SALT_BYTES), new_password())

    def set_secret(self, ref: CredentialRef, secret: Secret, preserved: Mapping[str, str]) -> None:  # noqa: ARG002
        """Give the role this password, and let it log in; make the role if need be.

        Raises Rejected("quota") while the role has another password: somebody may use it, so a person takes it away.
        """
        name = self._own_name(ref)
        try:
            stored = verifier(secret, untagged(ref.id)[1])
        except ValueError:
            raise Rejected("mispaired", f"{ref.id} was not made here") from None
        with self._changing(name) as session:
            role = role_of(session, name)
            if role is not None and role.stored == stored:
                return
            if role is not None:
                raise Rejected(
                    "quota",
                    f"both roles of {ref.owner} have passwords: if nobody uses {tagged(name, role.tag)}, revoke it; "
                    f"else choose revoke_only for this one",
                )
            if session.execute("select 1 from pg_roles where rolname = %s", [name]).fetchone():
                session.execute(
                    SQL("ALTER ROLE {} LOGIN PASSWORD {}").format(Identifier(name), Literal(stored)),
                )
            else:
                first = ref.owner if name != ref.owner else ref.owner + SECOND
                make_twin(session, first, name, stored)

    def verify(self, ref: CredentialRef, secret: Secret) -> Verdict:
        """Log in over TCP with SCRAM, as any application does."""
        return self._postgres.knock(untagged(ref.id)[0], login_in(secret).password)

    def suspend(self, ref: CredentialRef) -> None:
        """Let the role log in no more (NOLOGIN). Raises Rejected("not_found") when it has another password by now."""
        self._let(ref, "NOLOGIN")

    def resume(self, ref: CredentialRef) -> None:
        """Let the role log in again."""
        self._let(ref, "LOGIN")

    def revoke(self, ref: CredentialRef) -> None:
        """Take the password away for good (PASSWORD NULL, NOLOGIN) and end the role's sessions; another one stays."""
        name = self._own_name(ref)
        with self._changing(name) as session:
            role = role_of(session, name)
            if role is not None and role.tag != untagged(ref.id)[1]:
                return
            if role is not None:
                session.execute(SQL("ALTER ROLE {} NOLOGIN PASSWORD NULL").format(Identifier(name)))
        try:
            self.end_sessions(ref)
        except Unavailable as error:
            raise Uncertain(error.reason, error.detail) from None

    def end_sessions(self, ref: CredentialRef) -> Mapping[str, str]:
        """Terminate the role's backends, whichever password let them in, and see that they are gone."""
        name = self._own_name(ref)
        with self._postgres.session(at_once=True) as session:
            found = session.execute(_ENDED, [name]).fetchone() or {}
            prepared = session.execute(_PREPARED, [name]).fetchone() or {}
        if found["open"] != found["ended"]:
            raise Uncertain("sessions_remain", f"{found['open'] - found['ended']} of {name} did not end in 5 s")
        return {"sessions_ended": str(found["ended"]), "prepared_transactions_left": str(prepared["found"])}

    def preserve(self, ref: CredentialRef) -> Mapping[str, str]:
        """Return what the server knows of the role: not when it last logged in."""
        role = self._having(ref)
        return role.facts() if role else {"state": State.ABSENT.value}

    def minted_since(self, ref: CredentialRef, since: float) -> MintedSince:
        """Return the roles and memberships that were written since. See families/postgres_since.py."""
        with self._postgres.session() as session:
            return made_since(session, self.name, ref, (ref.owner, ref.owner + SECOND), since)

    def permissions(self, whose: str | None) -> Sequence[Permission]:
        """Return what the catalog says of the rotator's role, and of both roles of an owner."""
        with self._postgres.session() as session:
            return permissions(session, (whose, whose + SECOND) if whose else None)

    def _let(self, ref: CredentialRef, login: str) -> None:
        name = self._own_name(ref)
        with self._changing(name) as session:
            role = role_of(session, name)
            if role is None or role.tag != untagged(ref.id)[1]:
                raise Rejected("not_found", f"{name} has another password by now, or none")
            session.execute(SQL("ALTER ROLE {} {}").format(Identifier(name), SQL(login)))

    @contextlib.contextmanager
    def _changing(self, name: str) -> Iterator[Session]:
        """Give a transaction in which no other call of ours changes the role between its look and its act."""
        with self._postgres.session(changes=True) as session:
            session.execute("select pg_advisory_xact_lock(hashtext(%s))", [f"rotator:{name}"])
            yield session

    def _own_name(self, ref: CredentialRef) -> str:
        """Return the role that may be changed: one of the owner's two, and not the rotator's own."""
        name = untagged(ref.id)[0]
        if name not in (ref.owner, ref.owner + SECOND):
            raise Rejected("not_this_owner", f"{name} is not a role of {ref.owner}")
        if name == self._postgres.own()[0]:
            raise Rejected("own_credential", "the rotator comes in as this role: give the connection another first")
        return name

    def _having(self, ref: CredentialRef) -> Role | None:
        name, tag = untagged(ref.id)
        role = self._role(name)
        return role if role and role.tag == tag else None

    def _role(self, name: str) -> Role | None:
        with self._postgres.session() as session:
            return role_of(session, name)

    def _all(self) -> dict[str, Role]:
        with self._postgres.session() as session:
            return roles(session)

    def _ref(self, role: Role) -> CredentialRef:
        return self._ref_of(role.first or role.name, tagged(role.name, role.tag))
