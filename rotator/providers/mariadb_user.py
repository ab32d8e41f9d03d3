"""Passwords of MariaDB accounts (10.4 and later). An account has several ways in, of which some are passwords.

    endpoint_url = "mysql://db.example.com:3306"    user = "rotator"    credential = "file:keys/mariadb"

The owner is the account, NAME@HOST; an id is the account and the first digits of the stored hash. Only clauses of
`mysql_native_password` are added and taken away, by their hash: no password is in any statement. All others (ed25519,
unix_socket, parsec, pam …) are written back as they stand, since the server can only be told all of them at once; calls
of ours wait for each other. An account cannot be suspended by one password: taking it away is for good.
One connection is one server: changes reach replicas, but connections at them are not closed. A knock is a login; a
refused one counts for `max_password_errors` (no limit unless set) and may be logged. With a plugin that validates
passwords, `strict_password_validation` refuses hashes, and so refuses this.
The rotator's own account needs CREATE USER, CONNECTION ADMIN and SELECT on mysql.global_priv.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

from rotator.credential import CredentialRef, Issued, Leaked, Secret
from rotator.errors import Rejected
from rotator.families.mysql import FAMILY, MariaDb
from rotator.families.mysql_accounts import Account, Clause, account_of, every_account, write
from rotator.families.mysql_knock import NATIVE, stored
from rotator.families.mysql_permissions import closes_nobody, permissions
from rotator.families.server_login import SECRET_FIELD, issued, login_in, new_password, tagged, untagged
from rotator.kind import Kind
from rotator.permissions import Permission
from rotator.ports.connection import Connection
from rotator.ports.listing import Discovered, Made, MintedSince
from rotator.ports.provider import Answer, Capability, State, Status, Verdict
from rotator.rest_kind import RestKind

SETTLE_S = 1.0
"""An account is changed at once; one more knock shows it."""

_NO_PASSWORD = "invalid"  # noqa: S105 - what the server itself writes where no password is right
_SET = "an account, made or its password set"
_UNTOLD = ("rights, which have no time, and what it wrote into databases (an audit log tells)",)


def connect(connection: Connection, name: str, rest: RestKind | None = None) -> MariadbUser:
    """Return the provider of one server's accounts. Raises BadInput when the settings cannot be used."""
    return MariadbUser(connection, name)


class MariadbUser(Kind):
    """The native passwords of one server's accounts."""

    family: ClassVar[str] = FAMILY
    capability: ClassVar[Capability] = Capability.REVOCABLE
    sends_secret: ClassVar[bool] = False
    calls: ClassVar[Mapping[str, int]] = {"preserve": 2, "compare": 0}
    secret_field: str = SECRET_FIELD
    settle_s = SETTLE_S

    def __init__(self, connection: Connection, name: str) -> None:
        super().__init__(connection, name)
        self._server = MariaDb(connection)

    def identify(self, leaked: Leaked) -> CredentialRef:
        """Name the password by comparing hashes here; it is sent nowhere."""
        self._must_belong(leaked, self._connection.endpoint_url)
        with self._server.session() as session:
            accounts = every_account(session)
        if leaked.secret is None:
            label, tag = untagged(leaked.id or "")
            having = [each for each in accounts if str(each) == label and tag in each.tags]
        else:
            login = login_in(leaked.secret)
            named, tag = leaked.owner or login.name, str(Clause(NATIVE, stored(login.password)).tag)
            asked = [each for each in accounts if named in (None, each.name, str(each))]
            having = [each for each in asked if Clause(NATIVE, stored(login.password)) in each.clauses]
        if len(having) > 1:
            raise Rejected("several_accounts", f"{', '.join(map(str, having))} have this password: name each by its id")
        if not having:
            raise Rejected("unknown_credential", f"no account of {self._connection.name} has this native password")
        return self._ref(having[0], tag)

    def own(self) -> str | None:
        """Return the id of the password that the rotator comes in with; the server tells which account that is."""
        with self._server.session() as session:
            [found] = session.read("select current_user() as it")
        return tagged(found["it"], str(Clause(NATIVE, stored(self._server.own()[1])).tag))

    def inspect(self, ref: CredentialRef) -> Status:
        """Return ACTIVE while the account has it and is not locked. MariaDB records no last use."""
        label, tag = untagged(ref.id)
        with self._server.session() as session:
            account = account_of(session, label)
        if account is None or tag not in account.tags:
            return Status(State.ABSENT)
        return Status(account.state, account.facts())

    def siblings(self, ref: CredentialRef) -> frozenset[CredentialRef]:
        """Return every native password of the account."""
        with self._server.session() as session:
            account = account_of(session, ref.owner)
        return frozenset(self._ref(account, tag) for tag in account.tags) if account else frozenset()

    def discover(self) -> Iterable[Discovered]:
        """Yield every native password of every account."""
        with self._server.session() as session:
            accounts = every_account(session)
        for account in accounts:
            for tag in account.tags:
                yield Discovered(self._ref(account, tag), {"state": account.state.value, **account.facts()})

    def generate(self, ref: CredentialRef) -> Issued:
        """Make another password for the same account."""
        password = new_password()
        made = issued(ref, ref.owner, str(Clause(NATIVE, stored(password)).tag), password)
        return Issued(made.ref, made.secret, {"username": ref.owner.rpartition("@")[0]})

    def set_secret(self, ref: CredentialRef, secret: Secret, preserved: Mapping[str, str]) -> None:  # noqa: ARG002
        """Let the account be entered with one more password."""
        new = Clause(NATIVE, stored(secret))
        if untagged(ref.id) != (ref.owner, new.tag):
            raise Rejected("mispaired", f"this is not the password called {ref.id}")
        with self._server.session() as session:
            session.alone(ref.owner)
            account = account_of(session, ref.owner)
            if account is None:
                raise Rejected("no_such_account", f"{self._connection.name} has no account {ref.owner}")
            if new not in account.clauses:
                kept = [each for each in account.clauses if each != Clause(NATIVE, _NO_PASSWORD)]
                write(session, account, [*kept, new])

    def verify(self, ref: CredentialRef, secret: Secret) -> Verdict:
        """Log in with this password. What is not the password of that id is not sent: a refusal would prove nothing."""
        label, tag = untagged(ref.id)
        password = login_in(secret).password
        if Clause(NATIVE, stored(password)).tag != tag:
            return Verdict(Answer.INCONCLUSIVE, "another_password", mismatch=True)
        return self._server.knock(label.rpartition("@")[0], password)

    def revoke(self, ref: CredentialRef) -> None:
        """Take this one password away from the account; the last way in becomes a password that nobody has."""
        label, tag = untagged(ref.id)
        self._not_own(label)
        with self._server.session() as session:
            session.alone(label)
            account = account_of(session, label)
            if account is None or tag not in account.tags:
                return
            if account.tags.count(tag) > 1:
                raise Rejected("ambiguous", f"two passwords of {label} are called {tag}")
            kept = [each for each in account.clauses if each.tag != tag]
            write(session, account, kept or [Clause(NATIVE, _NO_PASSWORD)])

    def end_sessions(self, ref: CredentialRef) -> Mapping[str, str]:
        """Close all connections of the name, from wherever: the server does not tell which account let them in."""
        name = ref.owner.rpartition("@")[0]
        self._not_own(ref.owner)
        with self._server.session() as session:
            closed = session.change("KILL HARD CONNECTION USER %s", name)
            if not closed and closes_nobody(session):
                raise Rejected("permission_denied", "KILL closes nothing without CONNECTION ADMIN, and says nothing")
        return {"connections_closed": str(closed), "of": f"every account called {name}, whichever password let them in"}

    def preserve(self, ref: CredentialRef) -> Mapping[str, str]:
        """Return what the server knows: not when the password was last used."""
        return self.inspect(ref).facts or {"state": State.ABSENT.value}

    def minted_since(self, ref: CredentialRef, since: float) -> MintedSince:
        """Return the accounts whose ways in were set since: the server keeps when, and not by whom."""
        with self._server.session() as session:
            accounts = [each for each in every_account(session) if each.changed and each.changed >= since]
        made = [
            Made(_SET, str(each), float(each.changed), self.name, str(each), tagged(str(each), tag), sure=False)
            for each in accounts
            for tag in each.tags
        ]
        made += [Made(_SET, str(each), float(each.changed), sure=False) for each in accounts if not each.tags]
        return MintedSince(
            "the times of its accounts' passwords",
            tuple(each for each in made if each.id != ref.id),
            cannot_tell=_UNTOLD,
        )

    def permissions(self, whose: str | None) -> Sequence[Permission]:
        """Return what the account's own grants say, which hold for all; its own passwords are not taken away."""
        with self._server.session() as session:
            said = list(permissions(session))
        if whose and whose.rpartition("@")[0] == self._server.own()[0]:
            said.append(Permission(("end_sessions", "revoke"), "another account to come in by", False, "it is our own"))
        return said

    def _not_own(self, label: str) -> None:
        if label.rpartition("@")[0] == self._server.own()[0]:
            raise Rejected("own_credential", "the rotator comes in by this name: give the connection another first")

    def _ref(self, account: Account, tag: str) -> CredentialRef:
        return self._ref_of(str(account), tagged(str(account), tag))
