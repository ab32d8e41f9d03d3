"""Signing keys of SSH certificate authorities, which hosts trust by the list that sshd names as `TrustedUserCAKeys`.

    trusted_ca_keys = "/etc/ssh/trusted_ca_keys"    # as in sshd_config; `{host}` is filled in
    administrator = "root"                          # an account that may replace that file and write beside it

The owner is the authority's name, the comment of its line; the id the key's SHA256 fingerprint. A knock signs a
certificate for a throwaway key and comes in with it, as whoever stole the signing key would. All certificates that the
key signed die with it; their holders need new ones from the replacement, which its consumer, the signing service, is
told to use. The signing key may live in Vault's or OpenBao's SSH engine: then importing the new one there is that
consumer's part.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import ClassVar

import asyncssh

from rotator.credential import CredentialRef, Issued, Leaked, Secret
from rotator.errors import Rejected, RotatorError
from rotator.families.authorized_keys import Entry, entries, public_entry, with_key, without
from rotator.families.ssh import Fleet, Work
from rotator.families.ssh_cutting import cut_sessions_of
from rotator.families.ssh_errors import Phase, none_told
from rotator.families.ssh_files import edit_keys, keep_mode, read_keys
from rotator.families.ssh_keys import SECRET_FIELD, made, name_of, own_key
from rotator.families.ssh_knock import key_of, knock, together
from rotator.families.ssh_preserved import facts_of, options_for
from rotator.families.ssh_settings import Host, read_settings
from rotator.kind import Kind
from rotator.ports import Capability, Connection, Discovered, State, Status, Verdict
from rotator.rest_kind import RestKind

FAMILY = "ssh"

_ALGORITHM = "ssh-ed25519"
_PROBE = "a probe by rotator"
_PROBE_LIVES_S = 600


def connect(connection: Connection, name: str, rest: RestKind | None = None) -> SshCaKey:
    """Return the provider for one connection. Raises BadInput when its settings cannot be used."""
    return SshCaKey(connection, name)


class SshCaKey(Kind):
    """The authorities that the hosts of one connection trust to sign users' certificates."""

    family: ClassVar[str] = "ssh"
    capability: ClassVar[Capability] = Capability.REVOCABLE
    sends_secret: ClassVar[bool] = False
    calls: ClassVar[Mapping[str, int]] = {"preserve": 2, "compare": 0}
    secret_field: str = SECRET_FIELD
    settle_s = 2.0  # sshd reads the list at each login

    def __init__(self, connection: Connection, name: str) -> None:
        super().__init__(connection, name)
        self._fleet = Fleet(read_settings(connection), partial(own_key, connection))

    def identify(self, leaked: Leaked) -> CredentialRef:
        """Name the key offline, then find the hosts that trust it; the private key is sent nowhere."""
        wanted = name_of(leaked)
        done, failed = self._lists()
        found = [entry for listed in done.values() for entry in listed if entry.fingerprint == wanted]
        if found:
            return self._ref_of(Counter(map(_authority, found)).most_common(1)[0][0], wanted)
        if failed:
            raise none_told(failed)
        raise Rejected("unknown_credential", f"no host of {self._connection.name} trusts {wanted}")

    def inspect(self, ref: CredentialRef) -> Status:
        """Return ACTIVE where any host trusts it, ABSENT when all were asked and none does."""
        done, failed = self._lists()
        trusting = [host for host, listed in done.items() if ref.id in {entry.fingerprint for entry in listed}]
        if failed and not trusting:
            raise none_told(failed)
        told = {"trusted_on": ",".join(trusting), "not_reached": ",".join(failed)}
        return Status(State.ACTIVE if trusting else State.ABSENT, told)

    def inspect_at(self, target: str, ref: CredentialRef) -> Status:
        """Return one host's list's view."""
        trusted = ref.id in {entry.fingerprint for entry in self._fleet.at_target(target, self._listed)}
        return Status(State.ACTIVE if trusted else State.ABSENT)

    def siblings(self, ref: CredentialRef) -> frozenset[CredentialRef]:
        """Return every key of the same authority; a list that lacks a host would be untrue, so it is Unavailable."""
        done, failed = self._lists()
        if failed:
            raise none_told(failed)
        found = {entry.fingerprint for listed in done.values() for entry in listed if _authority(entry) == ref.owner}
        return frozenset(map(ref.with_id, found))

    def preserve(self, ref: CredentialRef) -> Mapping[str, str]:
        """Return, for each host, whether it trusts the key."""
        done, failed = self._lists()
        if failed and not done:
            raise none_told(failed)
        return facts_of(ref.id, done, failed)

    def generate(self, ref: CredentialRef) -> Issued:
        """Make an Ed25519 key of the same authority's name."""
        return made(ref, ref.owner)

    def targets(self, ref: CredentialRef) -> tuple[str, ...]:  # noqa: ARG002
        """Return the hosts' names, in the order of the settings."""
        return tuple(self._fleet.settings.hosts)

    def install(self, target: str, ref: CredentialRef, public: Mapping[str, str], preserved: Mapping[str, str]) -> None:
        """Let the host trust the key. Raises Rejected("never_listed_here") where it did not trust the exposed one."""
        key = public_entry(public.get("public_key", ""))
        if key.fingerprint != ref.id:
            raise Rejected("not_its_public_key", f"the public key is {key.fingerprint}")
        self._fleet.at_target(
            target, self._edited(lambda text: with_key(text, key, options_for(target, text, preserved)))
        )

    def uninstall(self, target: str, ref: CredentialRef) -> None:
        """Let the host trust the key no more."""
        self._fleet.at_target(target, self._edited(lambda text: without(text, ref.id)))

    def revoke(self, ref: CredentialRef) -> None:
        """Take the key off every host's list; one that fails does not stop the others, and is raised."""
        self._fleet.everywhere(self._edited(lambda text: without(text, ref.id)))

    def verify_at(self, target: str, ref: CredentialRef, secret: Secret) -> Verdict:
        """Forge a certificate with the key, and knock with it at one host."""
        forged = self._forged(ref, secret)
        return forged if isinstance(forged, Verdict) else self._fleet.at_target(target, forged)

    def verify(self, ref: CredentialRef, secret: Secret) -> Verdict:
        """Knock at every host: accepted when any lets it in, rejected only when all refuse."""
        forged = self._forged(ref, secret)
        return forged if isinstance(forged, Verdict) else together(*self._fleet.at_each(forged))

    def end_sessions_at(self, target: str, ref: CredentialRef) -> Mapping[str, str]:  # noqa: ARG002
        """End all other sessions of every account of the connection at this host, whatever opened them."""
        return self._fleet.at_target(target, cut_sessions_of(self._fleet, self._fleet.settings.users))

    def discover(self) -> Iterable[Discovered]:
        """Yield every key that a host trusts, with those hosts; no list tells age or last use."""
        done, failed = self._lists()
        if failed and not done:
            raise none_told(failed)
        found: dict[CredentialRef, list[str]] = {}
        for host, listed in done.items():
            for entry in listed:
                found.setdefault(self._ref_of(_authority(entry), entry.fingerprint), []).append(host)
        for ref, hosts in sorted(found.items()):
            facts = {"state": str(State.ACTIVE), "trusted_on": ",".join(hosts), "not_reached": ",".join(failed)}
            yield Discovered(ref, facts)

    def _forged(self, ref: CredentialRef, secret: Secret) -> Work[Verdict] | Verdict:
        authority = key_of(ref, secret)
        if isinstance(authority, Verdict):
            return authority
        user = self._fleet.settings.users[0]
        key = asyncssh.generate_private_key(_ALGORITHM)
        # Valid from the beginning, since the host's clock may be behind ours.
        forged = authority.generate_user_certificate(
            key, _PROBE, principals=[user], valid_after=0, valid_before=int(time.time()) + _PROBE_LIVES_S
        )
        return lambda host, _: knock(self._fleet, host, user, key, forged)

    def _lists(self) -> tuple[dict[str, list[Entry]], dict[str, RotatorError]]:
        return self._fleet.at_each(self._listed)

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


def _authority(entry: Entry) -> str:
    """Return the authority's name; one without a comment is an authority by itself."""
    return entry.comment.decode("utf-8", "replace") or entry.fingerprint
