"""Passwords of entries in an LDAP directory. An entry may have several `userPassword` values at once.

    endpoint_url = "ldaps://ldap.example.com:636"    base = "dc=example,dc=org"
    user = "cn=rotator,dc=example,dc=org"            credential = "file:keys/ldap"

The owner is the entry's DN; an id is the DN and the salt of one stored value. A new one is `{SSHA}` of a long random
password, which every OpenLDAP knows. A connection that was bound cannot be cut: it lives until one of the two closes
it. A knock is a bind. Where the overlay ppolicy counts refused binds (pwdMaxFailure), knocks with a dead password count
too, and can lock the entry with its new password: `keep` records the count, and a refusal of a locked entry whose
password still stands proves nothing. With pwdCheckQuality 2 it refuses hashes, save from the root DN, and so refuses
this. Active Directory keeps passwords otherwise, and is not this kind.
The rotator's own entry needs to read and write userPassword below `base`, and to read the rest of the entries. Whether
it may is asked with the No-Op control, which needs no right; a server that does not know it tells nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

import ldap3
from ldap3.utils.conv import escape_filter_chars

from rotator.credential import CredentialRef, Issued, Leaked, Secret
from rotator.errors import Rejected
from rotator.families.ldap import (
    ALREADY,
    CONSTRAINT,
    FAMILY,
    LOCKED_SINCE,
    NO_SUCH_ATTRIBUTE,
    NO_SUCH_OBJECT,
    SALT_BYTES,
    SCHEMA,
    SUCCESS,
    Directory,
    Entry,
    Session,
    is_of,
    refused,
    stored,
    tag_of,
)
from rotator.families.ldap_permissions import permissions
from rotator.families.server_login import SECRET_FIELD, issued, login_in, new_password, tagged, untagged
from rotator.kind import Kind
from rotator.permissions import Permission
from rotator.ports.connection import Connection
from rotator.ports.listing import Discovered
from rotator.ports.provider import Answer, Capability, State, Status, Verdict
from rotator.rest_kind import RestKind

SETTLE_S = 5.0
"""A server reads the entry at each bind; replicas follow within seconds."""

_ANY = "(userPassword=*)"
_LAST_BIND = ("pwdLastSuccess", "authTimestamp")


def connect(connection: Connection, name: str, rest: RestKind | None = None) -> LdapPassword:
    """Return the provider of one directory's passwords. Raises BadInput when the settings cannot be used."""
    return LdapPassword(connection, name)


class LdapPassword(Kind):
    """The passwords of one directory's entries."""

    family: ClassVar[str] = FAMILY
    capability: ClassVar[Capability] = Capability.REVOCABLE
    sends_secret: ClassVar[bool] = False
    calls: ClassVar[Mapping[str, int]] = {"preserve": 2, "verify": 2, "compare": 0}
    secret_field: str = SECRET_FIELD
    settle_s = SETTLE_S

    def __init__(self, connection: Connection, name: str) -> None:
        super().__init__(connection, name)
        self._directory = Directory(connection)

    def identify(self, leaked: Leaked) -> CredentialRef:
        """Name the password by comparing hashes here; it is sent nowhere. An owner is a DN, a uid or a cn."""
        self._must_belong(leaked, self._connection.endpoint_url)
        if leaked.secret is None:
            dn, tag = untagged(leaked.id or "")
            having = [(entry, tag) for entry in self._named(dn) if tag in map(tag_of, entry.values)]
        else:
            login = login_in(leaked.secret)
            asked = self._named(leaked.owner or login.name)
            having = [(each, tag_of(value)) for each in asked for value in each.values if is_of(value, login.password)]
        if len({entry.dn for entry, _ in having}) > 1:
            raise Rejected("several_entries", f"{len(having)} entries have this password: name each by its id")
        if not having:
            raise Rejected("unknown_credential", f"no entry of {self._connection.name} is known to have this password")
        return self._ref(*having[0])

    def own(self) -> str | None:
        """Return the id of the password that the rotator comes in with; None for a root DN that is no entry."""
        dn, password = self._directory.own()
        with self._directory.session() as session:
            entry = self._read(session, dn)
        values = [value for value in entry.values if is_of(value, password)] if entry else []
        return tagged(entry.dn, tag_of(values[0])) if entry and values else None

    def inspect(self, ref: CredentialRef) -> Status:
        """Return ACTIVE while the entry has this value, ABSENT when it has others or none."""
        dn, tag = untagged(ref.id)
        with self._directory.session() as session:
            entry = self._read(session, dn)
        if entry is None or tag not in map(tag_of, entry.values):
            return Status(State.ABSENT)
        return Status(State.ACTIVE, {"dn": entry.dn, "values": str(len(entry.values)), **entry.told})

    def siblings(self, ref: CredentialRef) -> frozenset[CredentialRef]:
        """Return every password of the entry."""
        with self._directory.session() as session:
            entry = self._read(session, ref.owner)
        return frozenset(self._ref(entry, tag_of(value)) for value in entry.values) if entry else frozenset()

    def discover(self) -> Iterable[Discovered]:
        """Yield every password below the base; the last bind is told where it can only be this password's."""
        for entry in self._named(None):
            last = next((entry.told[name] for name in _LAST_BIND if name in entry.told), None)
            used = {"last_used_at": _iso(last)} if last and len(entry.values) == 1 else {}
            for value in entry.values:
                yield Discovered(self._ref(entry, tag_of(value)), {"state": State.ACTIVE.value, **used, **entry.told})

    def generate(self, ref: CredentialRef) -> Issued:
        """Make another password and its salt for the same entry."""
        return issued(ref, ref.owner, secrets.token_hex(SALT_BYTES), new_password())

    def set_secret(self, ref: CredentialRef, secret: Secret, preserved: Mapping[str, str]) -> None:  # noqa: ARG002
        """Add this password to the entry's. Raises Rejected("refused_by_policy") where a policy wants to see it."""
        dn, tag = untagged(ref.id)
        try:
            value = stored(secret, tag)
        except ValueError:
            raise Rejected("mispaired", f"{ref.id} was not made here") from None
        with self._directory.session() as session:
            code = session.modify(dn, (ldap3.MODIFY_ADD, value))
        if code == CONSTRAINT:
            raise Rejected("refused_by_policy", f"{dn}: pwdCheckQuality 2 refuses hashes, save from the root DN")
        if code not in (SUCCESS, ALREADY):
            raise Rejected("no_such_entry", dn) if code == NO_SUCH_OBJECT else refused(code)

    def verify(self, ref: CredentialRef, secret: Secret) -> Verdict:
        """Bind with it; where that is refused, see whether the entry is locked and still has the password."""
        dn, _ = untagged(ref.id)
        password = login_in(secret).password
        verdict = self._directory.knock(dn, password)
        if verdict.answer is not Answer.REJECTED:
            return verdict
        with self._directory.session() as session:
            entry = self._read(session, dn)
        if entry and LOCKED_SINCE in entry.told and any(is_of(value, password) for value in entry.values):
            return Verdict(Answer.INCONCLUSIVE, "account_locked")
        return verdict

    def revoke(self, ref: CredentialRef) -> None:
        """Take this one value away; where the entry must have one, a password that nobody has takes its place."""
        dn, tag = untagged(ref.id)
        if self._is_own(dn):
            raise Rejected("own_credential", "the rotator comes in as this entry: give the connection another first")
        with self._directory.session() as session:
            entry = self._read(session, dn)
            for value in entry.values if entry else ():
                if tag_of(value) == tag:
                    _take_away(session, dn, value)

    def preserve(self, ref: CredentialRef) -> Mapping[str, str]:
        """Return how the entry stands: with ppolicy or lastbind when it was entered last, and how often refused."""
        return self.inspect(ref).facts or {"state": State.ABSENT.value}

    def permissions(self, whose: str | None) -> Sequence[Permission]:
        """Return how the directory would answer changes of this entry's passwords; none is made."""
        with self._directory.session() as session:
            said = list(permissions(session, self._directory.base, whose))
        if whose and self._is_own(whose):
            said.append(Permission(("revoke",), "another entry to come in as", granted=False, why="it is our own"))
        return said

    def _is_own(self, dn: str) -> bool:
        return dn.lower() == self._directory.own()[0].lower()

    def _named(self, name: str | None) -> list[Entry]:
        """Return the entry of a DN, those of a uid or cn, or all; each with its passwords."""
        with self._directory.session() as session:
            if name is None:
                return session.entries(self._directory.base, _ANY)
            if "=" in name:
                entry = self._read(session, name)
                return [entry] if entry else []
            word = escape_filter_chars(name)
            return session.entries(self._directory.base, f"(&{_ANY}(|(uid={word})(cn={word})))")

    def _read(self, session: Session, dn: str) -> Entry | None:
        """Return one entry. Raises Rejected where the directory would not show its passwords: they are not absent."""
        found = session.entries(dn, "(objectClass=*)", below=False)
        if not any(entry.values for entry in found) and not session.sees_passwords(self._directory.base):
            raise Rejected("permission_denied", f"no userPassword below {self._directory.base or '``'} is shown to us")
        return found[0] if found else None

    def _ref(self, entry: Entry, tag: str) -> CredentialRef:
        return self._ref_of(entry.dn, tagged(entry.dn, tag))


def _take_away(session: Session, dn: str, value: bytes) -> None:
    code = session.modify(dn, (ldap3.MODIFY_DELETE, value))
    if code == SCHEMA:
        nobodys = stored(new_password(), secrets.token_hex(SALT_BYTES))
        code = session.modify(dn, (ldap3.MODIFY_DELETE, value), (ldap3.MODIFY_ADD, nobodys))
    if code not in (SUCCESS, NO_SUCH_ATTRIBUTE):
        raise refused(code)


def _iso(moment: str) -> str:
    """Write a generalized time (20261122074500Z, with or without parts of a second) as ISO 8601."""
    return f"{moment[:4]}-{moment[4:6]}-{moment[6:8]}T{moment[8:10]}:{moment[10:12]}:{moment[12:14]}+00:00"
