"""A grant of SSH: a principal with which certificates let somebody in as an account, on the hosts of one connection.

    authorized_principals = "/etc/ssh/auth_principals/{user}"   # as in sshd_config, where it has %u
    administrator = "root"                                      # an account that may replace that file

It has no secret: the hosts' lists settle it, host by host. Where a report has a certificate that names the principal,
with its private key, the hosts are knocked at with those, and prove it. The owner is the account, the id
ACCOUNT/PRINCIPAL. sshd reads the list at each login, so nothing is reloaded; sessions that are open live on, so all
others of the account are ended, whoever opened them.

The administrator needs SFTP, the accounts a POSIX shell that may end their sessions; the shells of both say beforehand
what may be done (`families/ssh_permissions.py`). A command of sshd's (AuthorizedPrincipalsCommand) is not seen here,
nor `principals=` in an authorized_keys.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import ClassVar

from asyncssh.public_key import CERT_TYPE_USER

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.errors import Rejected, RotatorError
from rotator.families.ssh import Work, fleet_of
from rotator.families.ssh_bearer import certified
from rotator.families.ssh_cutting import cut_sessions_of
from rotator.families.ssh_errors import Phase, none_told
from rotator.families.ssh_files import edit_keys, keep_mode, read_keys
from rotator.families.ssh_keys import SECRET_FIELD
from rotator.families.ssh_knock import knock, together
from rotator.families.ssh_permissions import Replaced, asked
from rotator.families.ssh_principals import Line, facts_of, is_principal, lines, restored, without
from rotator.families.ssh_settings import Host
from rotator.kind import Kind
from rotator.permissions import Permission
from rotator.ports.connection import Connection
from rotator.ports.listing import Discovered
from rotator.ports.provider import Answer, Capability, State, Status, Verdict
from rotator.rest_kind import RestKind

FAMILY = "ssh"


def connect(connection: Connection, name: str, rest: RestKind | None = None) -> SshPrincipal:
    """Return the provider for one connection. Raises BadInput when its settings cannot be used."""
    return SshPrincipal(connection, name)


class SshPrincipal(Kind):
    """Principals that let someone in as an account."""

    family: ClassVar[str] = FAMILY
    is_grant: ClassVar[bool] = True
    capability: ClassVar[Capability] = Capability.DISABLE_ONLY
    sends_secret: ClassVar[bool] = False
    no_canary: ClassVar[str] = "hosts would let somebody in for it"
    also_ends: ClassVar[str] = "every other session of the account"
    calls: ClassVar[Mapping[str, int]] = {"preserve": 2, "compare": 0}
    secret_field: str = SECRET_FIELD
    settle_s = 2.0  # sshd reads the file at each login

    def __init__(self, connection: Connection, name: str) -> None:
        super().__init__(connection, name)
        self._fleet = fleet_of(connection)
        self._users = self._fleet.settings.users
        self.nobody = (self._users[0], f"{self._users[0]}/rotator-provider-check")

    def identify(self, leaked: Leaked) -> CredentialRef:
        """Name it by account and principal, which a host must let in; a certificate is sent nowhere."""
        account, _, principal = (leaked.id or "").partition("/")
        if account not in self._users or not is_principal(principal):
            raise Rejected("unreadable", f"such a grant is ACCOUNT/PRINCIPAL, of {', '.join(self._users)}")
        ref = self._ref_of(account, f"{account}/{principal}")
        if self.inspect(ref).state is State.ABSENT:
            raise Rejected("unknown_credential", f"no host of {self._connection.name} lets {principal} in as {account}")
        return ref

    def inspect(self, ref: CredentialRef) -> Status:
        """Return ACTIVE where any host lets it in, ABSENT when all were asked and none does."""
        done, failed = self._lists(ref)
        _, principal = self._parts(ref)
        listing = [host for host, listed in done.items() if principal in {each.principal for each in listed}]
        if failed and not listing:
            raise none_told(failed)
        told = {"trusts": principal, "listed_on": ",".join(listing), "not_reached": ",".join(failed)}
        return Status(State.ACTIVE if listing else State.ABSENT, told)

    def inspect_at(self, target: str, ref: CredentialRef) -> Status:
        """Return one host's list's view."""
        account, principal = self._parts(ref)
        listed = self._fleet.at_target(target, lambda host, _: self._listed(host, account))
        found = sum(each.principal == principal for each in listed)
        return Status(State.ACTIVE if found else State.ABSENT, {"lines": str(found)})

    def siblings(self, ref: CredentialRef) -> frozenset[CredentialRef]:
        """Return every principal of the account; a list that lacks a host would be untrue, so it is Unavailable."""
        done, failed = self._lists(ref)
        if failed:
            raise none_told(failed)
        return frozenset(self._ref(ref.owner, each.principal) for listed in done.values() for each in listed)

    def preserve(self, ref: CredentialRef) -> Mapping[str, str]:
        """Return, for each host, whether it lets the principal in and under which options: what is put back."""
        done, failed = self._lists(ref)
        if failed and not done:
            raise none_told(failed)
        return facts_of(self._parts(ref)[1], done, failed)

    def targets(self, ref: CredentialRef) -> tuple[str, ...]:  # noqa: ARG002
        """Return the hosts' names, in the order of the settings."""
        return tuple(self._fleet.settings.hosts)

    def install(self, target: str, ref: CredentialRef, public: Mapping[str, str], preserved: Mapping[str, str]) -> None:  # noqa: ARG002 - it has no public half
        """Let the principal in again, under the options that it had there.

        Raises Rejected("never_listed_here") where the host did not let it in, Rejected("options_unknown") and
        Rejected("nothing_preserved") where that cannot be told.
        """
        account, principal = self._parts(ref)
        change = partial(restored, target=target, preserved=preserved, principal=principal)
        self._fleet.at_target(target, self._edited(account, change))

    def uninstall(self, target: str, ref: CredentialRef) -> None:
        """Take every line of the principal away."""
        account, principal = self._parts(ref)
        self._fleet.at_target(target, self._edited(account, lambda text: without(text, principal)))

    def verify_at(self, target: str, ref: CredentialRef, secret: Secret) -> Verdict:
        """Knock at one host with a certificate that names the principal."""
        knocked = self._knock(ref, secret)
        return knocked if isinstance(knocked, Verdict) else self._fleet.at_target(target, knocked)

    def verify(self, ref: CredentialRef, secret: Secret) -> Verdict:
        """Knock at every host: accepted when any lets it in, rejected only when all refuse."""
        knocked = self._knock(ref, secret)
        return knocked if isinstance(knocked, Verdict) else together(*self._fleet.at_each(knocked))

    def end_sessions_at(self, target: str, ref: CredentialRef) -> Mapping[str, str]:
        """End all other sessions of the account at this host, whoever opened them."""
        return self._fleet.at_target(target, cut_sessions_of(self._fleet, [self._parts(ref)[0]]))

    def revoke(self, ref: CredentialRef) -> None:
        """Raise Rejected("unsupported"): what is taken away is kept, so that it can be put back."""
        raise Rejected("unsupported", f"{ref.id} is taken off the hosts' lists: nothing is left to destroy")

    def permissions(self, whose: str | None) -> Sequence[Permission]:
        """Return what the rotator may do on every host: to an account's list, and to its sessions."""
        users = self._users if whose is None else (self._parts(self._ref(whose, "-"))[0],)
        path, administrator = self._fleet.settings.principals, self._fleet.settings.administrator
        files = [Replaced(administrator, partial(path, user=user), ("suspend", "resume")) for user in users]
        return asked(self._fleet, files, users)

    def discover(self) -> Iterable[Discovered]:
        """Yield every principal of each account, with the hosts that let it in; no list tells age or last use."""
        for user in self._users:
            done, failed = self._lists(self._ref(user, "-"))
            if failed and not done:
                raise none_told(failed)
            found: dict[str, list[str]] = {}
            for host, listed in done.items():
                for name in dict.fromkeys(each.principal for each in listed):
                    found.setdefault(name, []).append(host)
            for name, hosts in sorted(found.items()):
                facts = {"trusts": name, "state": str(State.ACTIVE), "listed_on": ",".join(hosts)}
                yield Discovered(self._ref(user, name), {**facts, "not_reached": ",".join(failed)})

    def _ref(self, account: str, principal: str) -> CredentialRef:
        return self._ref_of(account, f"{account}/{principal}")

    def _parts(self, ref: CredentialRef) -> tuple[str, str]:
        """Return the account and the principal. Raises Rejected for what is none of ours."""
        account, slash, principal = ref.id.partition("/")
        if ref.owner not in self._users:
            raise Rejected("not_this_account", f"connection {self._connection.name} does not manage {ref.owner}")
        if not slash or account != ref.owner:
            raise Rejected("unreadable", "such a grant is ACCOUNT/PRINCIPAL, of that very account")
        return account, principal

    def _knock(self, ref: CredentialRef, secret: Secret) -> Work[Verdict] | Verdict:
        """Return the knock, or why it would say nothing: a certificate that ran out is refused in the same words."""
        account, principal = self._parts(ref)
        try:
            bearer = certified(secret)
        except Rejected as error:
            return Verdict(Answer.INCONCLUSIVE, error.reason)
        if principal not in bearer.accounts:
            return Verdict(Answer.INCONCLUSIVE, "other_principal")
        try:
            bearer.certificate.validate(CERT_TYPE_USER, principal)  # type: ignore[union-attr]
        except ValueError:
            return Verdict(Answer.INCONCLUSIVE, "certificate_not_valid_now")
        return lambda host, _: knock(self._fleet, host, account, bearer.key, bearer.certificate)

    def _lists(self, ref: CredentialRef) -> tuple[dict[str, list[Line]], dict[str, RotatorError]]:
        account, _ = self._parts(ref)
        return self._fleet.at_each(lambda host, _: self._listed(host, account))

    async def _listed(self, host: Host, account: str) -> list[Line]:
        settings = self._fleet.settings
        async with self._fleet.administer(host, settings.administrator) as session:
            return lines(await read_keys(session, settings.principals(host, account)))

    def _edited(self, account: str, change: Callable[[bytes], bytes]) -> Work[None]:
        async def edit(host: Host, phase: Phase) -> None:
            settings = self._fleet.settings
            async with self._fleet.administer(host, settings.administrator) as session:
                await edit_keys(session, settings.principals(host, account), change, phase, keep_mode)

        return edit
