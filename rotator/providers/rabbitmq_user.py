"""Passwords of RabbitMQ users. A user has one: the new one takes the place of the old, and there is no overlap.

    endpoint_url = "https://rabbit.example.com:15671"    user = "rotator"    credential = "file:keys/rabbitmq"

An id is the user and the salt of what the server stores, so that a changed password is another credential and is never
hit by the destruction of the one before. The server is sent salted hashes, never a password. A knock is a login over
AMQP, the door of applications: it locks nobody out, and a refused one is a line in the log. A cluster shares its users;
where the plugin rabbitmq_auth_backend_cache stands before them, `settle_s` must be longer than its cache_ttl.
The rotator's own user needs the tag `administrator`.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from rotator.credential import CredentialRef, Issued, Leaked, Secret
from rotator.errors import Rejected
from rotator.families.rabbitmq import ALGORITHM, FAMILY, SALT_BYTES, RabbitMq, is_of, stored, tag_of
from rotator.families.server_login import SECRET_FIELD, issued, login_in, new_password, tagged, untagged
from rotator.kind import Kind
from rotator.permissions import LOOK, Permission
from rotator.ports.connection import Connection
from rotator.ports.listing import Discovered
from rotator.ports.provider import Capability, State, Status, Verdict
from rotator.rest_kind import RestKind

SETTLE_S = 2.0
"""All nodes share one database of users; a login asks it anew."""

_KEPT = "password_id"
_ADMINISTRATOR = "administrator"
_OTHERS_ONLY = ("end_sessions", "revoke")


def connect(connection: Connection, name: str, rest: RestKind | None = None) -> RabbitmqUser:
    """Return the provider of one cluster's users. Raises BadInput when the settings cannot be used."""
    return RabbitmqUser(connection, name)


class RabbitmqUser(Kind):
    """The passwords of one cluster's users; the owner is the user."""

    family: ClassVar[str] = FAMILY
    capability: ClassVar[Capability] = Capability.REVOCABLE
    sends_secret: ClassVar[bool] = False
    no_canary: ClassVar[str] = "a user has one password, and it would take its place"
    nobody: ClassVar[tuple[str, str]] = ("rotator-provider-check", "rotator-provider-check:none")
    calls: ClassVar[Mapping[str, int]] = {"preserve": 2, "install": 2, "revoke": 2, "end_sessions": 3, "compare": 0}
    secret_field: str = SECRET_FIELD
    settle_s = SETTLE_S

    def __init__(self, connection: Connection, name: str) -> None:
        super().__init__(connection, name)
        self._rabbit = RabbitMq(connection)

    def identify(self, leaked: Leaked) -> CredentialRef:
        """Name the password by comparing hashes here; it is sent nowhere."""
        self._must_belong(leaked, self._connection.endpoint_url)
        users = self._rabbit.users()
        if leaked.secret is None:
            having = [each for each in users if self._ref(each).id == leaked.id and tag_of(each)]
        else:
            login = login_in(leaked.secret)
            named = leaked.owner or login.name
            having = [each for each in users if named in (None, each["name"]) and is_of(each, login.password)]
        if len(having) > 1:
            names = ", ".join(str(each["name"]) for each in having)
            raise Rejected("several_users", f"{names} have this password; the report names none")
        if not having:
            raise Rejected("unknown_credential", f"no user of {self._connection.name} has this password now")
        return self._ref(having[0])

    def own(self) -> str | None:
        """Return the id of the password that the rotator comes in with; the server tells its salt."""
        user = self._rabbit.user(self._rabbit.own()[0])
        return self._ref(user).id if user is not None else None

    def inspect(self, ref: CredentialRef) -> Status:
        """Return ACTIVE while the user has this password; another by now means ABSENT. No last use is recorded."""
        user = self._having(ref)
        return Status(State.ABSENT) if user is None else Status(State.ACTIVE, _facts(user))

    def siblings(self, ref: CredentialRef) -> frozenset[CredentialRef]:
        """Return the one password of the user."""
        user = self._rabbit.user(ref.owner)
        return frozenset({self._ref(user)} if user is not None and tag_of(user) else ())

    def discover(self) -> Iterable[Discovered]:
        """Yield every user's password."""
        for user in self._rabbit.users():
            if tag_of(user):
                yield Discovered(self._ref(user), {"state": State.ACTIVE.value, **_facts(user)})

    def generate(self, ref: CredentialRef) -> Issued:
        """Make another password and its salt."""
        return issued(ref, ref.owner, secrets.token_hex(SALT_BYTES), new_password())

    def set_secret(self, ref: CredentialRef, secret: Secret, preserved: Mapping[str, str]) -> None:
        """Give the user this password in place of the exposed one.

        Raises Rejected("changed_meanwhile") when the user has neither the exposed one nor none: somebody gave it
        another, and may use that.
        """
        user = self._rabbit.user(ref.owner)
        if user is None:
            raise Rejected("no_such_user", f"{self._connection.name} has no user {ref.owner}")
        try:
            new = stored(secret, untagged(ref.id)[1])
        except ValueError:
            raise Rejected("mispaired", f"{ref.id} was not made here") from None
        if user["password_hash"] == new:
            return
        if tag_of(user) is not None and self._ref(user).id != preserved.get(_KEPT):
            raise Rejected(
                "changed_meanwhile", f"{ref.owner} has got another password since: revoke {self._ref(user).id} first"
            )
        self._rabbit.put_user(ref.owner, new, ALGORITHM, user.get("tags"))

    def verify(self, ref: CredentialRef, secret: Secret) -> Verdict:
        """Log in over AMQP."""
        return self._rabbit.knock(untagged(ref.id)[0], login_in(secret).password)

    def revoke(self, ref: CredentialRef) -> None:
        """Take the password away; the user stays, with its permissions and queues. A newer password stays too."""
        self._not_own(ref.owner)
        user = self._having(ref)
        if user is not None:
            self._rabbit.put_user(str(user["name"]), "", str(user["hashing_algorithm"]), user.get("tags"))

    def end_sessions(self, ref: CredentialRef) -> Mapping[str, str]:
        """Close all connections of the user, whichever password opened them."""
        self._not_own(ref.owner)
        before = self._rabbit.connections(ref.owner)
        self._rabbit.close_connections(ref.owner)
        return {"connections_closed": str(before), "of": f"user {ref.owner}, whichever password opened them"}

    def preserve(self, ref: CredentialRef) -> Mapping[str, str]:
        """Return which password the user has, so that no other is overwritten later."""
        user = self._having(ref)
        return {"state": State.ABSENT.value} if user is None else {_KEPT: ref.id, **_facts(user)}

    def permissions(self, whose: str | None) -> Sequence[Permission]:
        """Return whether the rotator's user has the one tag that allows all of it (rabbitmq.com, "Management Plugin").

        Seen on 3.10: with any other tag users are neither shown nor changed, and no connection is closed.
        """
        tags = self._rabbit.own_tags()
        may = _ADMINISTRATOR in tags
        verbs = (LOOK, "install", "uninstall", *_OTHERS_ONLY)
        has = f"its tags: {', '.join(tags)}" if any(tags) else "it has no tag that lets it in here"
        said = [Permission(verbs, f"the tag {_ADMINISTRATOR}", may, "" if may else has)]
        if whose == self._rabbit.own()[0]:
            said.append(Permission(_OTHERS_ONLY, "another user to come in as", granted=False, why="it is our own"))
        return said

    def _having(self, ref: CredentialRef) -> Mapping[str, Any] | None:
        name, tag = untagged(ref.id)
        user = self._rabbit.user(name) if tag else None
        return user if user is not None and tag_of(user) == tag else None

    def _not_own(self, user: str) -> None:
        if user == self._rabbit.own()[0]:
            raise Rejected("own_credential", "the rotator comes in as this user: give the connection another first")

    def _ref(self, user: Mapping[str, Any]) -> CredentialRef:
        name = str(user["name"])
        return self._ref_of(name, tagged(name, tag_of(user) or "none"))


def _facts(user: Mapping[str, Any]) -> dict[str, str]:
    tags = user.get("tags")
    return {"user": str(user["name"]), "tags": ",".join(tags) if isinstance(tags, list) else str(tags or "")}
