"""The certificate authorities that the hosts of one connection trust to sign users' certificates.

What is done with the list that sshd names as `TrustedUserCAKeys`, wherever the signing key itself is kept:

    trusted_ca_keys = "/etc/ssh/trusted_ca_keys"    # as in sshd_config; `{host}` is filled in
    administrator = "root"                          # an account that may replace that file and write beside it

An authority is named by the fingerprint of its key. A knock comes in with a certificate for a throwaway key.

The administrator needs SFTP, the accounts a POSIX shell that may end their sessions; the shells of both say beforehand
what may be done (`families/ssh_permissions.py`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import asyncssh

from rotator.errors import RotatorError, Unavailable
from rotator.families.authorized_keys import Entry, entries, with_key, without
from rotator.families.ssh import DEADLINE_S, Fleet, Work
from rotator.families.ssh_cutting import cut_sessions_of
from rotator.families.ssh_errors import Phase, none_told
from rotator.families.ssh_files import edit_keys, keep_mode, read_keys
from rotator.families.ssh_knock import knock, together
from rotator.families.ssh_permissions import Replaced, asked
from rotator.families.ssh_preserved import facts_of, options_for
from rotator.families.ssh_settings import Host
from rotator.permissions import Permission
from rotator.ports.connection import CALL_DEADLINE_S
from rotator.ports.provider import State, Status, Verdict

_ALGORITHM = "ssh-ed25519"
_PROBE = "a probe by rotator"
PROBE_LIVES_S = 600

Sign = Callable[[asyncssh.SSHKey, str], asyncssh.SSHCertificate]
"""Make a certificate for a key, good for one account."""


class Authorities:
    """The lists of a fleet's hosts, and the doors behind them."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    def targets(self) -> tuple[str, ...]:
        """Return the hosts' names, in the order of the settings."""
        return tuple(self._fleet.settings.hosts)

    def read(self) -> tuple[dict[str, list[Entry]], dict[str, RotatorError]]:
        """Return each host's list, and why there is none of the others."""
        return self._fleet.at_each(self._listed)

    def read_some(self) -> tuple[dict[str, list[Entry]], dict[str, RotatorError]]:
        """Return the same, unless no host told anything: that is Unavailable."""
        done, failed = self.read()
        if failed and not done:
            raise none_told(failed)
        return done, failed

    def inspect(self, name: str) -> Status:
        """Return ACTIVE where any host trusts it, ABSENT when all were asked and none does."""
        done, failed = self.read()
        trusting = [host for host, listed in done.items() if name in {entry.fingerprint for entry in listed}]
        if failed and not trusting:
            raise none_told(failed)
        told = {"trusted_on": ",".join(trusting), "not_reached": ",".join(failed)}
        return Status(State.ACTIVE if trusting else State.ABSENT, told)

    def inspect_at(self, target: str, name: str) -> Status:
        """Return one host's list's view."""
        trusted = name in {entry.fingerprint for entry in self._fleet.at_target(target, self._listed)}
        return Status(State.ACTIVE if trusted else State.ABSENT)

    def preserve(self, name: str) -> Mapping[str, str]:
        """Return, for each host, whether it trusts the key."""
        return facts_of(name, *self.read_some())

    def trust(self, target: str, key: Entry, preserved: Mapping[str, str]) -> None:
        """Let the host trust the key. Raises Rejected("never_listed_here") where it did not trust the exposed one."""
        self._fleet.at_target(
            target, self._edited(lambda text: with_key(text, key, options_for(target, text, preserved)))
        )

    def distrust(self, target: str, name: str) -> None:
        """Let the host trust the key no more."""
        self._fleet.at_target(target, self._edited(lambda text: without(text, name)))

    def distrust_everywhere(self, name: str) -> None:
        """Take the key off every host's list; one that fails does not stop the others, and is raised."""
        self._fleet.everywhere(self._edited(lambda text: without(text, name)))

    def knock_at(self, target: str, sign: Sign) -> Verdict:
        """Knock at one host with what the authority signs."""
        return self._fleet.at_target(target, self._knock(sign))

    def knock(self, sign: Sign) -> Verdict:
        """Knock at every host: accepted when any lets it in, rejected only when all refuse."""
        return together(*self._fleet.at_each(self._knock(sign)))

    def end_sessions_at(self, target: str) -> Mapping[str, str]:
        """End all other sessions of every account of the connection at this host, whatever opened them."""
        return self._fleet.at_target(target, cut_sessions_of(self._fleet, self._fleet.settings.users))

    def permissions(self) -> list[Permission]:
        """Return what the rotator may do to the lists, and to the sessions of the connection's accounts."""
        settings = self._fleet.settings
        return asked(self._fleet, [Replaced(settings.administrator, settings.authorities)], settings.users)

    def _knock(self, sign: Sign) -> Work[Verdict]:
        user = self._fleet.settings.users[0]
        key = asyncssh.generate_private_key(_ALGORITHM)
        began = time.monotonic()
        certificate = sign(key, user)
        if time.monotonic() - began > CALL_DEADLINE_S - DEADLINE_S:
            raise Unavailable("out_of_time", "the authority was slow to sign, and no host was asked")
        return lambda host, _: knock(self._fleet, host, user, key, certificate)

    async def _listed(self, host: Host, _: Phase) -> list[Entry]:
        settings = self._fleet.settings
        async with self._fleet.administer(host, settings.administrator) as session:
            return entries(await read_keys(session, settings.authorities(host)))

    def _edited(self, change: Callable[[bytes], bytes]) -> Work[None]:
        async def edit(host: Host, phase: Phase) -> None:
            settings = self._fleet.settings
            async with self._fleet.administer(host, settings.administrator) as session:
                await edit_keys(session, settings.authorities(host), change, phase, keep_mode)

        return edit


def forging(authority: asyncssh.SSHKey) -> Sign:
    """Sign as whoever stole the key would. Valid from the beginning, since a host's clock may be behind ours."""
    return lambda key, user: authority.generate_user_certificate(
        key, _PROBE, principals=[user], valid_after=0, valid_before=int(time.time()) + PROBE_LIVES_S
    )
