"""Databases behind a Vault server: where they are, and a real login there with what the server handed out.

Only PostgreSQL is entered. The address is the one that the server itself uses, so it must be reachable from here too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from rotator.credential import Secret
from rotator.errors import Rejected, Unavailable, Uncertain
from rotator.families.server_login import Login, cut_off, login_in
from rotator.families.vault import Vault
from rotator.families.vault_mounts import nowhere
from rotator.ports.connection import CONNECT_TIMEOUT_S, READ_TIMEOUT_S
from rotator.ports.provider import Answer, Verdict

POSTGRESQL = "postgresql-database-plugin"

_KEPT = ("host", "hostaddr", "port", "dbname", "sslmode")
_CUT = (
    "SELECT count(*) FILTER (WHERE pg_terminate_backend(pid)) FROM pg_stat_activity "
    "WHERE usename = current_user AND pid <> pg_backend_pid()"
)
"""A role may end its own sessions, and needs no other right for it."""


@dataclass(frozen=True, slots=True)
class Database:
    """One database of a mount: which plugin serves it, and its address without a login."""

    plugin: str
    address: Mapping[str, str]

    def knock(self, user: str, password: Secret) -> Verdict:
        """Log in and leave at once. A refusal never names the user: PostgreSQL refuses an unknown one alike."""
        if self.plugin != POSTGRESQL:
            return Verdict(Answer.INCONCLUSIVE, "no_knock_at_this_database")
        try:
            self._enter(user, password).close()
        except psycopg.OperationalError as error:
            return _refusal(str(error))
        except psycopg.Error:
            return Verdict(Answer.INCONCLUSIVE, "not_a_login")
        return Verdict(Answer.ACCEPTED, "logged_in")

    def acts_as(self, user: str, password: Secret) -> str:
        """Log in; return the role that the session acts as.

        Raises Rejected("no_knock_at_this_database"), Rejected("login_refused"), or Unavailable.
        """
        if self.plugin != POSTGRESQL:
            raise Rejected("no_knock_at_this_database", f"nobody here enters {self.plugin}")
        try:
            with self._enter(user, password) as connection, cut_off(connection.fileno(), READ_TIMEOUT_S):
                row = connection.execute("SELECT current_user").fetchone()
        except psycopg.OperationalError as error:
            raise Rejected("login_refused", _refusal(str(error)).reason) from None
        except psycopg.Error:
            raise Unavailable("database_not_entered", user) from None
        return str(row[0]) if row else ""

    def end_sessions(self, user: str, password: Secret) -> int:
        """End all other sessions of the user, entered as that user; return how many."""
        if self.plugin != POSTGRESQL:
            raise Rejected("sessions_not_cut", f"sessions behind {self.plugin} are for its administrator to end")
        try:
            connection = self._enter(user, password)
        except psycopg.Error as error:
            refused = _refusal(str(error)).answer is Answer.REJECTED
            raise (Rejected if refused else Unavailable)("database_not_entered", user) from None
        try:
            with connection, cut_off(connection.fileno(), READ_TIMEOUT_S):
                row = connection.execute(_CUT).fetchone()
        except psycopg.Error:
            raise Uncertain("connection_lost", user) from None
        return int(row[0]) if row else 0

    def _enter(self, user: str, password: Secret) -> psycopg.Connection:
        there = make_conninfo(
            user=user,
            password=password.reveal(),
            passfile="/dev/null",  # nor anything else that the machine's account may hold
            sslrootcert="system" if self.address.get("sslmode", "").startswith("verify") else None,
            connect_timeout=int(CONNECT_TIMEOUT_S),
            **self.address,
        )
        return psycopg.connect(there, autocommit=True)


def database(vault: Vault, mount: str, name: str) -> Database:
    """Return a database as the server has it configured. Raises Rejected("no_database")."""
    reply = vault.read("GET", f"{mount}/config/{quote(name, safe='')}")
    if nowhere(reply) or not reply.ok:
        raise Rejected("no_database", "; ".join(reply.errors) or f"{mount} has no database {name}")
    address = str((reply.data.get("connection_details") or {}).get("connection_url") or "")
    try:
        parts = conninfo_to_dict(address.replace("{{username}}", "user").replace("{{password}}", "password"))
    except psycopg.Error:
        parts = {}
    kept = {key: str(parts[key]) for key in _KEPT if parts.get(key)}
    return Database(str(reply.data.get("plugin_name") or "unknown"), kept)


def handed_out(secret: Secret) -> Login:
    """Read a login as the server hands it out in JSON, or as a connection string, or the password alone.

    Raises Rejected("unreadable").
    """
    text = secret.reveal().strip()
    if not text.startswith("{"):
        return login_in(secret)
    try:
        fields = json.loads(text)
        fields = fields.get("data") or fields
        return Login(fields.get("username"), Secret(fields["password"]))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Rejected("unreadable", "the report's JSON is cut off or holds no password") from None


def _refusal(words: str) -> Verdict:
    # libpq gives no code for a refused login, only the server's words; in another language they are not understood.
    if "password authentication failed" in words:
        return Verdict(Answer.REJECTED, "password_authentication_failed")
    if "is not permitted to log in" in words:
        return Verdict(Answer.REJECTED, "not_permitted_to_log_in")
    if "FATAL" in words:
        return Verdict(Answer.INCONCLUSIVE, "refused_for_another_reason")
    raise Unavailable("database_unreachable")
