"""Revoke SSH keys and certificates on every host of a connection, by the lists that sshd names as `RevokedKeys`.

    revoked_keys = "/etc/ssh/revoked_keys"    # as in sshd_config; `{host}` is filled in
    administrator = "root"                    # an account that may replace that file and write beside it

sshd reads the list at each login, so nothing is reloaded. The new list goes to a file beside it, ssh-keygen on the host
itself must find in it what is meant and let the rotator's own key stand, and only then it takes the old one's name.
There is no way back: a key that was revoked is never taken off a list by rotator.

The administrator needs SFTP, a POSIX shell and ssh-keygen there, the accounts a shell that may end their sessions; the
shells of both say beforehand what may be done (`families/ssh_permissions.py`).
"""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

import asyncssh

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.errors import Rejected, RotatorError
from rotator.families.authorized_keys import is_fingerprint
from rotator.families.ssh import Session, Work, fleet_of
from rotator.families.ssh_bearer import Bearer
from rotator.families.ssh_cutting import cut_sessions_of
from rotator.families.ssh_errors import Phase, none_told
from rotator.families.ssh_files import edit_keys, keep_mode, read_keys
from rotator.families.ssh_keys import SECRET_FIELD, fingerprint_of, own_key
from rotator.families.ssh_knock import knock, together
from rotator.families.ssh_krl import revokes, with_revoked
from rotator.families.ssh_permissions import Replaced, asked
from rotator.families.ssh_settings import Host
from rotator.kind import Kind
from rotator.permissions import Permission
from rotator.ports.connection import Connection
from rotator.ports.provider import Answer, Capability, State, Status, Verdict

_QUERY = "ssh-keygen -Q -f {krl} /dev/stdin"


class RevokedByList(Kind):
    """One kind of what lists revoke; the owner is the accounts it opens, the id the key's SHA256 fingerprint.

    No host can list what was never revoked: a key that no list names counts as alive.
    """

    family: ClassVar[str] = "ssh"
    capability: ClassVar[Capability] = Capability.REVOCABLE
    sends_secret: ClassVar[bool] = False
    settle_s = 2.0  # sshd reads the list at each login
    secret_field = SECRET_FIELD

    def __init__(self, connection: Connection, name: str, read: Callable[[Secret], Bearer]) -> None:
        super().__init__(connection, name)
        self._read = read
        self._fleet = fleet_of(connection)
        self._users = self._fleet.settings.users

    def identify(self, leaked: Leaked) -> CredentialRef:
        """Name the key offline, then the accounts that it opens, by knocking at each; the key is sent nowhere.

        A fingerprint alone opens nothing: the report must then name the account, unless there is but one.
        """
        named = (leaked.owner,) if leaked.owner in self._users else ()
        if leaked.secret is None:
            if not (leaked.id and is_fingerprint(leaked.id)):
                raise Rejected("unreadable", "neither a private key nor a fingerprint (SHA256:...)")
            if not named and len(self._users) > 1:
                raise Rejected("account_unknown", f"name it in the report: one of {', '.join(self._users)}")
            return self._ref(named or self._users, leaked.id)
        bearer = self._read(leaked.secret)
        name = fingerprint_of(bearer.key)
        if leaked.id and is_fingerprint(leaked.id) and leaked.id != name:
            raise Rejected("unreadable", f"the private key is {name}, the id beside it says {leaked.id}")
        opened, failed = self._opened(bearer)
        if found := {*opened, *named, *(user for user in bearer.accounts if user in self._users)}:
            return self._ref(found, name)
        if failed:
            raise none_told(failed)
        raise Rejected("unknown_credential", f"no host of {self._connection.name} lets it in")

    def own(self) -> str | None:
        """Return the fingerprint of the key that the rotator comes in with; no host is asked."""
        return fingerprint_of(own_key(self._connection))

    def inspect(self, ref: CredentialRef) -> Status:
        """Return ABSENT when every host's list names it, ACTIVE when one does not."""
        self._accounts(ref)
        done, failed = self._fleet.at_each(self._look(ref))
        spared = [host for host, revoked in done.items() if not revoked]
        if failed and not spared:
            raise none_told(failed)
        told = {"not_revoked_on": ",".join(spared), "not_reached": ",".join(failed)}
        return Status(State.ACTIVE if spared else State.ABSENT, told)

    def inspect_at(self, target: str, ref: CredentialRef) -> Status:
        """Return what one host's list says."""
        self._accounts(ref)
        return Status(State.ABSENT if self._fleet.at_target(target, self._look(ref)) else State.ACTIVE)

    def siblings(self, ref: CredentialRef) -> frozenset[CredentialRef]:
        """Return the key alone while it is not revoked: no host lists the others of an account."""
        return frozenset() if self.inspect(ref).state is State.ABSENT else frozenset({ref})

    def targets(self, ref: CredentialRef) -> tuple[str, ...]:  # noqa: ARG002
        """Return the hosts' names, in the order of the settings."""
        return tuple(self._fleet.settings.hosts)

    def install(self, target: str, ref: CredentialRef, public: Mapping[str, str], preserved: Mapping[str, str]) -> None:  # noqa: ARG002
        """Raise Rejected: what lets keys in is a certificate authority or a directory, which rotator does not run."""
        raise Rejected("not_let_in_here", f"{target} has no list of who is let in; the key's issuer must see to that")

    def uninstall(self, target: str, ref: CredentialRef) -> None:
        """Add the key to one host's list."""
        self._fleet.at_target(target, self._revoked(ref))

    def revoke(self, ref: CredentialRef) -> None:
        """Add the key to every host's list; one that fails does not stop the others, and is raised."""
        self._fleet.everywhere(self._revoked(ref))

    def verify_at(self, target: str, ref: CredentialRef, secret: Secret) -> Verdict:
        """Knock at one host, at each of the accounts."""
        knocked = self._knock(ref, secret)
        return knocked if isinstance(knocked, Verdict) else self._fleet.at_target(target, knocked)

    def verify(self, ref: CredentialRef, secret: Secret) -> Verdict:
        """Knock at every host: accepted when any lets it in, rejected only when all refuse."""
        knocked = self._knock(ref, secret)
        return knocked if isinstance(knocked, Verdict) else together(*self._fleet.at_each(knocked))

    def end_sessions_at(self, target: str, ref: CredentialRef) -> Mapping[str, str]:
        """End all other sessions of its accounts at this host, whichever key opened them."""
        return self._fleet.at_target(target, cut_sessions_of(self._fleet, self._accounts(ref)))

    def permissions(self, whose: str | None) -> Sequence[Permission]:
        """Return what the rotator may do on every host: to the lists, and to the sessions of the accounts."""
        settings = self._fleet.settings
        lists = Replaced(settings.administrator, settings.krl, ("uninstall", "revoke"), ("ssh-keygen",))
        cut = self._users if whose is None else self._accounts(self._ref_of(whose, ""))
        return asked(self._fleet, [lists], cut)

    def _opened(self, bearer: Bearer) -> tuple[set[str], dict[str, RotatorError]]:
        async def opened(host: Host, _: Phase) -> list[str]:
            tried = [
                (user, await knock(self._fleet, host, user, bearer.key, bearer.certificate)) for user in self._users
            ]
            return [user for user, verdict in tried if verdict.answer is Answer.ACCEPTED]

        done, failed = self._fleet.at_each(opened)
        return {user for users in done.values() for user in users}, failed

    def _knock(self, ref: CredentialRef, secret: Secret) -> Work[Verdict] | Verdict:
        accounts = self._accounts(ref)
        try:
            bearer = self._read(secret)
        except Rejected as error:
            return Verdict(Answer.INCONCLUSIVE, error.reason)
        if fingerprint_of(bearer.key) != ref.id:
            return Verdict(Answer.INCONCLUSIVE, "other_key")

        async def at_each_account(host: Host, _: Phase) -> Verdict:
            given = {user: await knock(self._fleet, host, user, bearer.key, bearer.certificate) for user in accounts}
            return together(given, {})

        return at_each_account

    def _look(self, ref: CredentialRef) -> Work[bool]:
        async def look(host: Host, _: Phase) -> bool:
            settings = self._fleet.settings
            async with self._fleet.administer(host, settings.administrator) as session:
                return revokes(await read_keys(session, settings.krl(host)), ref.id)

        return look

    def _revoked(self, ref: CredentialRef) -> Work[None]:
        self._accounts(ref)
        own = own_key(self._connection)
        if fingerprint_of(own) == ref.id:
            raise Rejected("own_key", "this is the key the rotator comes in with: give the connection another first")

        def change(krl: bytes) -> bytes:
            return with_revoked(krl, ref.id, int(time.time()))

        async def check(session: Session, new: str, old: str) -> None:
            await _accepted_by_ssh_keygen(session, new, own)
            await keep_mode(session, new, old)

        async def edit(host: Host, phase: Phase) -> None:
            settings = self._fleet.settings
            async with self._fleet.administer(host, settings.administrator) as session:
                await edit_keys(session, settings.krl(host), change, phase, check)

        return edit

    def _accounts(self, ref: CredentialRef) -> list[str]:
        accounts = ref.owner.split(",")
        if not set(accounts) <= set(self._users):
            raise Rejected("not_this_account", f"connection {self._connection.name} does not manage {ref.owner}")
        return accounts

    def _ref(self, accounts: tuple[str, ...] | set[str], name: str) -> CredentialRef:
        return self._ref_of(",".join(sorted(accounts)), name)


async def _accepted_by_ssh_keygen(session: Session, krl: str, own: asyncssh.SSHKey) -> None:
    """Let the host's own OpenSSH read the new list. Raises Rejected when it cannot, or would lock the rotator out."""
    public = own.export_public_key().decode()
    done = await session.connection.run(_QUERY.format(krl=shlex.quote(krl)), input=public)
    if done.exit_status is None:
        raise asyncssh.ConnectionLost("no answer")
    if done.exit_status != 0:
        raise Rejected(
            "krl_not_accepted", "ssh-keygen on the host does not read the new list, or it revokes our own key"
        )
