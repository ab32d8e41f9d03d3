"""Passwords of Redis users. A user may have several at once; one is named by the user and the first of its SHA-256.

    endpoint_url = "rediss://redis.example.com:6379"    user = "rotator"    credential = "file:keys/redis"

Only hashes are sent (`#` adds one, `!` takes one away), so that no password stands in a log, a MONITOR or a SLOWLOG.
A password cannot be suspended: taking it away is for good. The server forgets what it was told when it restarts unless
it was saved: ACL SAVE is sent where an aclfile is configured; where users stand in redis.conf, they must be changed
there too, and `inspect` says so (`kept_in: memory`). Users are not replicated: each server of a replica set or a
cluster is a connection of its own, and `inspect` tells how many replicas there are. A knock is a login (AUTH): it locks
nobody out, and a refused one leaves an entry in ACL LOG.
The rotator's own user needs +acl, +client|kill, +config|get and +info; +acl holds the questions about permissions too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rotator.credential import CredentialRef, Issued, Leaked, Secret
from rotator.errors import Rejected
from rotator.families.redis import FAMILY, Redis, Session
from rotator.families.redis_permissions import permissions
from rotator.families.server_login import (
    SECRET_FIELD,
    issued,
    login_in,
    new_password,
    tagged,
    untagged,
)
from rotator.kind import Kind
from rotator.permissions import Permission
from rotator.ports.connection import Connection
from rotator.ports.listing import Discovered
from rotator.ports.provider import Answer, Capability, State, Status, Verdict
from rotator.rest_kind import RestKind

SETTLE_S = 1.0
"""A server knows of a change at once; one more knock shows it."""

_TAG = 8
"""Hexadecimal digits of a hash that name it: enough to tell a user's few apart, too few to guess a password by."""


def connect(connection: Connection, name: str, rest: RestKind | None = None) -> RedisAclUser:
    """Return the provider of one server's users. Raises BadInput when the settings cannot be used."""
    return RedisAclUser(connection, name)


@dataclass(frozen=True, slots=True)
class User:
    """One line of ACL LIST."""

    name: str
    on: bool
    any_password: bool
    hashes: tuple[str, ...]

    def hash(self, tag: str) -> str | None:
        """Return the hash that begins so. Raises Rejected where two do."""
        found = [each for each in self.hashes if len(tag) == _TAG and each.startswith(tag)]
        if len(found) > 1:
            raise Rejected("ambiguous", f"two passwords of {self.name} are called {tag}")
        return found[0] if found else None


class RedisAclUser(Kind):
    """The passwords of one server's users; the owner is the user."""

    family: ClassVar[str] = FAMILY
    capability: ClassVar[Capability] = Capability.REVOCABLE
    sends_secret: ClassVar[bool] = False
    calls: ClassVar[Mapping[str, int]] = {"preserve": 2, "compare": 0}
    secret_field: str = SECRET_FIELD
    settle_s = SETTLE_S

    def __init__(self, connection: Connection, name: str) -> None:
        super().__init__(connection, name)
        self._redis = Redis(connection)

    def identify(self, leaked: Leaked) -> CredentialRef:
        """Name the password by comparing hashes here; it is sent nowhere."""
        self._must_belong(leaked, self._connection.endpoint_url)
        with self._redis.session() as session:
            users = _users(session)
        if leaked.secret is None:
            name, tag = untagged(leaked.id or "")
            user = users.get(name)
            if user is None or user.hash(tag) is None:
                raise Rejected("unknown_credential", f"{self._connection.name} knows no {leaked.id}")
            return self._ref(name, tag)
        login = login_in(leaked.secret)
        wanted = _hash(login.password)
        named = leaked.owner or login.name
        having = [each.name for each in users.values() if wanted in each.hashes and named in (None, each.name)]
        if not having and named in users and users[named].any_password:
            raise Rejected("any_password", f"{named} is let in with any password at all (nopass): give it one")
        if len(having) > 1:
            raise Rejected("several_users", f"{', '.join(sorted(having))} have this password; the report names none")
        if not having:
            raise Rejected("unknown_credential", f"no user of {self._connection.name} has this password")
        return self._ref(having[0], wanted[:_TAG])

    def own(self) -> str | None:
        """Return the id of the password that the rotator comes in with; the server is not asked."""
        own = self._redis.own()
        return tagged(str(own.name), _hash(own.password)[:_TAG])

    def inspect(self, ref: CredentialRef) -> Status:
        """Return ACTIVE while the user has it and is on. Redis records neither its age nor its last use."""
        with self._redis.session() as session:
            user, found = _found(session, ref)
            if found is None or user is None:
                return Status(State.ABSENT)
            facts = {"user": user.name, "passwords": str(len(user.hashes)), **_kept(session)}
        return Status(State.ACTIVE if user.on else State.SUSPENDED, facts)

    def siblings(self, ref: CredentialRef) -> frozenset[CredentialRef]:
        """Return every password of the user."""
        with self._redis.session() as session:
            user = _users(session).get(ref.owner)
        return frozenset(self._ref(ref.owner, each[:_TAG]) for each in (user.hashes if user else ()))

    def discover(self) -> Iterable[Discovered]:
        """Yield every password of every user."""
        with self._redis.session() as session:
            users = _users(session)
        for user in users.values():
            state = State.ACTIVE if user.on else State.SUSPENDED
            for each in user.hashes:
                yield Discovered(self._ref(user.name, each[:_TAG]), {"state": state.value})

    def generate(self, ref: CredentialRef) -> Issued:
        """Make another password for the same user."""
        password = new_password()
        return issued(ref, ref.owner, _hash(password)[:_TAG], password)

    def set_secret(self, ref: CredentialRef, secret: Secret, preserved: Mapping[str, str]) -> None:  # noqa: ARG002
        """Give the user one more password. Raises Rejected("no_such_user"): one made here could do nothing."""
        wanted = _hash(secret)
        if untagged(ref.id) != (ref.owner, wanted[:_TAG]):
            raise Rejected("mispaired", f"this is not the password called {ref.id}")
        with self._redis.session() as session:
            user = _users(session).get(ref.owner)
            if user is None:
                raise Rejected("no_such_user", f"{self._connection.name} has no user {ref.owner}")
            if user.any_password:
                raise Rejected("any_password", f"{user.name} is let in with any password at all (nopass)")
            aclfile = _aclfile(session)
            if wanted not in user.hashes:
                session.change("ACL", "SETUSER", user.name, f"#{wanted}")
            _save(session, aclfile)

    def verify(self, ref: CredentialRef, secret: Secret) -> Verdict:
        """Log in. What is not the password of that id is not sent: a refusal of it would prove nothing."""
        name, tag = untagged(ref.id)
        password = login_in(secret).password
        if _hash(password)[:_TAG] != tag:
            return Verdict(Answer.INCONCLUSIVE, "another_password", mismatch=True)
        return self._redis.knock(name, password.reveal())

    def revoke(self, ref: CredentialRef) -> None:
        """Take this one password away from the user, and save that. It may have been done before, and not saved."""
        if ref.id == self.own():
            raise Rejected("own_credential", "the rotator comes in with this: give the connection another first")
        with self._redis.session() as session:
            user, found = _found(session, ref)
            aclfile = _aclfile(session)  # all questions come first: one that is lost then means that nothing was done
            if user is not None and found is not None:
                session.change("ACL", "SETUSER", user.name, f"!{found}")
            _save(session, aclfile)

    def end_sessions(self, ref: CredentialRef) -> Mapping[str, str]:
        """Close all connections of the user, whichever password opened them: the server does not tell."""
        with self._redis.session() as session:
            ended = session.change("CLIENT", "KILL", "USER", ref.owner)
        return {"connections_closed": str(ended), "of": f"user {ref.owner}, whichever password opened them"}

    def preserve(self, ref: CredentialRef) -> Mapping[str, str]:
        """Return what the server knows: not when the password was last used."""
        return self.inspect(ref).facts or {"state": State.ABSENT.value}

    def permissions(self, whose: str | None) -> Sequence[Permission]:  # noqa: ARG002 - a command is allowed for all
        """Return which commands the server allows the rotator; who may handle one user may handle all."""
        with self._redis.session() as session:
            return permissions(session, str(self._redis.own().name))

    def _ref(self, user: str, tag: str) -> CredentialRef:
        return self._ref_of(user, tagged(user, tag))


def _hash(password: Secret) -> str:
    return hashlib.sha256(password.reveal().encode()).hexdigest()


def _users(session: Session) -> dict[str, User]:
    """Return all users. A line reads `user NAME on #HASH … ~KEYS +COMMANDS`; a name holds no space."""
    users = {}
    for line in session.read("ACL", "LIST"):
        _, name, *rules = line.split(" ")
        hashes = tuple(rule[1:] for rule in rules if rule.startswith("#"))
        users[name] = User(name, "on" in rules, "nopass" in rules, hashes)
    return users


def _found(session: Session, ref: CredentialRef) -> tuple[User | None, str | None]:
    name, tag = untagged(ref.id)
    user = _users(session).get(name)
    return user, (user.hash(tag) if user else None)


def _aclfile(session: Session) -> str:
    found = session.read("CONFIG", "GET", "aclfile")
    return str(found[1]) if found else ""


def _save(session: Session, aclfile: str) -> None:
    if not aclfile:
        return
    try:
        session.change("ACL", "SAVE")
    except Rejected as error:
        if error.reason == "permission_denied":
            raise
        raise Rejected("acl_not_saved", "done until the server restarts: its aclfile could not be written") from None


def _kept(session: Session) -> dict[str, str]:
    """Say what a restart, and a fail-over, would bring back."""
    lines = str(session.read("INFO", "replication")).splitlines()
    replicas = next((line.partition(":")[2] for line in lines if line.startswith("connected_slaves:")), "0")
    return {"kept_in": "aclfile" if _aclfile(session) else "memory", "replicas_with_users_of_their_own": replicas}
