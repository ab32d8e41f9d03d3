"""SSH keys listed in `authorized_keys`, on the hosts of one connection.

The settings name the hosts, the account (or accounts) and the hosts' own keys:

    hosts = ["web1=192.0.2.1:22", "web2=192.0.2.2"]
    user = "deploy"
    known_hosts = "/etc/rotator/known_hosts"

`authorized_keys` tells where the file stands when it is not `.ssh/authorized_keys`; `{host}` and `{user}` are filled
in. The connection's credential is the rotator's own private key. It needs SFTP and a POSIX shell as each account, which
may write to the folder of its key file; the same shell says beforehand whether it may (`families/ssh_permissions.py`).
Every host is a target with evidence of its own.
A knock leaves one line in the host's log; sshd from 9.8 on makes an address wait that fails often
(PerSourcePenalties), so the rotator's address belongs into its PerSourcePenaltyExemptList.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import ClassVar

import asyncssh

from rotator.credential import CredentialRef, Issued, Leaked, Secret
from rotator.errors import Rejected, RotatorError
from rotator.families.authorized_keys import Entry, entries, public_entry, with_key, without
from rotator.families.ssh import Work, fleet_of
from rotator.families.ssh_errors import Phase, none_told
from rotator.families.ssh_files import edit_keys, read_keys
from rotator.families.ssh_keys import SECRET_FIELD, fingerprint_of, made, name_of, naming, own_key
from rotator.families.ssh_knock import key_of, knock, together
from rotator.families.ssh_permissions import Replaced, asked
from rotator.families.ssh_preserved import facts_of, options_for
from rotator.families.ssh_sessions import CUT_SESSIONS, facts
from rotator.families.ssh_settings import Host
from rotator.kind import Kind
from rotator.permissions import Permission
from rotator.ports.connection import Connection
from rotator.ports.listing import Discovered
from rotator.ports.provider import Capability, State, Status, Verdict
from rotator.rest_kind import RestKind

FAMILY = "ssh"


def connect(connection: Connection, name: str, rest: RestKind | None = None) -> SshAuthorizedKey:
    """Return the provider for one connection. Raises BadInput when its settings cannot be used."""
    return SshAuthorizedKey(connection, name)


class SshAuthorizedKey(Kind):
    """Keys that let someone in as an account; the owner is the account, the id the key's SHA256 fingerprint."""

    family: ClassVar[str] = FAMILY
    capability: ClassVar[Capability] = Capability.REVOCABLE
    sends_secret: ClassVar[bool] = False
    calls: ClassVar[Mapping[str, int]] = {"preserve": 2, "compare": 0}
    secret_field: str = SECRET_FIELD
    settle_s = 2.0  # sshd reads the file at each login

    def __init__(self, connection: Connection, name: str) -> None:
        super().__init__(connection, name)
        self._fleet = fleet_of(connection)
        self._users = self._fleet.settings.users

    def identify(self, leaked: Leaked) -> CredentialRef:
        """Name the key offline, then find the account that lists it; the private key is sent nowhere."""
        wanted = name_of(leaked)
        users = [leaked.owner] if leaked.owner in self._users else self._users

        async def listing(host: Host, _: Phase) -> list[str]:
            return [user for user in users if wanted in {entry.fingerprint for entry in await self._listed(host, user)}]

        done, failed = self._fleet.at_each(listing)
        owners = sorted({owner for found in done.values() for owner in found})
        if len(owners) > 1:
            raise Rejected("several_accounts", f"{wanted} is listed for {', '.join(owners)}; one name cannot mean both")
        if owners:
            return self._ref_of(owners[0], wanted)
        if failed:
            raise none_told(failed)
        raise Rejected("unknown_credential", f"no host of {self._connection.name} lists {wanted}")

    def own(self) -> str | None:
        """Return the fingerprint of the key that the rotator comes in with; no host is asked."""
        return fingerprint_of(own_key(self._connection))

    def inspect(self, ref: CredentialRef) -> Status:
        """Return ACTIVE where any host lists it, ABSENT when all were asked and none does."""
        done, failed = self._lists(ref)
        listing = [host for host, listed in done.items() if ref.id in {entry.fingerprint for entry in listed}]
        if failed and not listing:
            raise none_told(failed)
        told = {"listed_on": ",".join(listing), "not_reached": ",".join(failed)}
        return Status(State.ACTIVE if listing else State.ABSENT, told)

    def inspect_at(self, target: str, ref: CredentialRef) -> Status:
        """Return one host's list's view."""
        owner = self._owner(ref)

        async def look(host: Host, _: Phase) -> list[Entry]:
            return await self._listed(host, owner)

        found = [entry for entry in self._fleet.at_target(target, look) if entry.fingerprint == ref.id]
        return Status(State.ACTIVE if found else State.ABSENT, {"lines": str(len(found))})

    def siblings(self, ref: CredentialRef) -> frozenset[CredentialRef]:
        """Return every key listed for the account; a list that lacks a host would be untrue, so it is Unavailable."""
        done, failed = self._lists(ref)
        if failed:
            raise none_told(failed)
        return frozenset(ref.with_id(entry.fingerprint) for listed in done.values() for entry in listed)

    def preserve(self, ref: CredentialRef) -> Mapping[str, str]:
        """Return, for each host, whether it lists the key and with which options and comment."""
        done, failed = self._lists(ref)
        if failed and not done:
            raise none_told(failed)
        return facts_of(ref.id, done, failed)

    def generate(self, ref: CredentialRef) -> Issued:
        """Make an Ed25519 key; its comment names the key it replaces."""
        return made(ref, naming(ref))

    def targets(self, ref: CredentialRef) -> tuple[str, ...]:  # noqa: ARG002
        """Return the hosts' names, in the order of the settings."""
        return tuple(self._fleet.settings.hosts)

    def install(self, target: str, ref: CredentialRef, public: Mapping[str, str], preserved: Mapping[str, str]) -> None:
        """List the key under the options of the exposed one.

        Raises Rejected("never_listed_here") where the exposed key did not stand, since a rotation must not let
        anybody in who was not in before, and Rejected("options_unknown") where its restrictions cannot be told.
        """
        owner = self._owner(ref)
        key = public_entry(public.get("public_key", ""))
        if key.fingerprint != ref.id:
            raise Rejected("not_its_public_key", f"the public key is {key.fingerprint}")

        def change(text: bytes) -> bytes:
            return with_key(text, key, options_for(target, text, preserved))

        self._fleet.at_target(target, self._edited(owner, change))

    def uninstall(self, target: str, ref: CredentialRef) -> None:
        """Take every line of the key away; the rotator's own key stays, since it is its only way in."""
        self._fleet.at_target(target, self._taken_away(ref))

    def verify_at(self, target: str, ref: CredentialRef, secret: Secret) -> Verdict:
        """Knock at one host with the private key alone."""
        owner = self._owner(ref)
        key = key_of(ref, secret)
        if isinstance(key, Verdict):
            return key
        return self._fleet.at_target(target, lambda host, _: knock(self._fleet, host, owner, key))

    def verify(self, ref: CredentialRef, secret: Secret) -> Verdict:
        """Knock at every host: accepted when any lets it in, rejected only when all refuse."""
        owner = self._owner(ref)
        key = key_of(ref, secret)
        if isinstance(key, Verdict):
            return key
        done, failed = self._fleet.at_each(lambda host, _: knock(self._fleet, host, owner, key))
        return together(done, failed)

    def end_sessions_at(self, target: str, ref: CredentialRef) -> Mapping[str, str]:
        """End all other sessions of the account at this host, whichever key opened them."""
        owner = self._owner(ref)

        async def cut(host: Host, phase: Phase) -> str:
            async with self._fleet.administer(host, owner) as session:
                phase.acting = True
                done = await session.connection.run(CUT_SESSIONS, stdin=asyncssh.DEVNULL)
                if done.exit_status is None:
                    raise asyncssh.ConnectionLost("no answer")
                return str(done.stdout)

        return facts(self._fleet.at_target(target, cut))

    def revoke(self, ref: CredentialRef) -> None:
        """Take the key away from every host; one that fails does not stop the others, and is raised."""
        self._fleet.everywhere(self._taken_away(ref))

    def permissions(self, whose: str | None) -> Sequence[Permission]:
        """Return what the rotator may do on every host: to an account's list, and to its sessions."""
        users = self._users if whose is None else (self._owner(self._ref_of(whose, "")),)
        path = self._fleet.settings.path
        return asked(self._fleet, [Replaced(user, partial(path, user=user)) for user in users], users)

    def discover(self) -> Iterable[Discovered]:
        """Yield every key listed for each account, with the hosts that list it; no list tells age or last use."""
        for user in self._users:
            done, failed = self._lists(self._ref_of(user, ""))
            if failed and not done:
                raise none_told(failed)
            found: dict[str, list[str]] = {}
            for host, listed in done.items():
                for name in dict.fromkeys(entry.fingerprint for entry in listed):
                    found.setdefault(name, []).append(host)
            for name, hosts in sorted(found.items()):
                facts = {"state": str(State.ACTIVE), "listed_on": ",".join(hosts), "not_reached": ",".join(failed)}
                yield Discovered(self._ref_of(user, name), facts)

    def _owner(self, ref: CredentialRef) -> str:
        if ref.owner not in self._users:
            raise Rejected("not_this_account", f"connection {self._connection.name} does not manage {ref.owner}")
        return ref.owner

    def _lists(self, ref: CredentialRef) -> tuple[dict[str, list[Entry]], dict[str, RotatorError]]:
        owner = self._owner(ref)
        return self._fleet.at_each(lambda host, _: self._listed(host, owner))

    async def _listed(self, host: Host, user: str) -> list[Entry]:
        async with self._fleet.administer(host, user) as session:
            return entries(await read_keys(session, self._fleet.settings.path(host, user)))

    def _taken_away(self, ref: CredentialRef) -> Work[None]:
        owner = self._owner(ref)
        if self.own() == ref.id:
            raise Rejected("own_key", "this is the key the rotator comes in with: give the connection another first")
        return self._edited(owner, lambda text: without(text, ref.id))

    def _edited(self, user: str, change: Callable[[bytes], bytes]) -> Work[None]:
        async def edit(host: Host, phase: Phase) -> None:
            async with self._fleet.administer(host, user) as session:
                await edit_keys(session, self._fleet.settings.path(host, user), change, phase)

        return edit
