"""Signing keys of SSH certificate authorities, which hosts trust by a list: `families/ssh_authorities.py`.

The owner is the authority's name, the comment of its line; the id the key's SHA256 fingerprint. A knock signs a
certificate for a throwaway key and comes in with it, as whoever stole the signing key would. All certificates that the
key signed die with it; their holders need new ones from the replacement, which its consumer, the signing service, is
told to use. Where that service is the SSH engine of Vault or OpenBao, the kind is `vault_ssh_ca`: the server then makes
the new key, and nobody else ever has it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

from rotator.credential import CredentialRef, Issued, Leaked, Secret
from rotator.errors import Rejected
from rotator.families.authorized_keys import Entry, public_entry
from rotator.families.ssh import fleet_of
from rotator.families.ssh_authorities import Authorities, forging
from rotator.families.ssh_errors import none_told
from rotator.families.ssh_keys import SECRET_FIELD, made, name_of
from rotator.families.ssh_knock import key_of
from rotator.kind import Kind
from rotator.permissions import Permission
from rotator.ports.connection import Connection
from rotator.ports.listing import Discovered
from rotator.ports.provider import Capability, State, Status, Verdict
from rotator.rest_kind import RestKind

FAMILY = "ssh"


def connect(connection: Connection, name: str, rest: RestKind | None = None) -> SshCaKey:
    """Return the provider for one connection. Raises BadInput when its settings cannot be used."""
    return SshCaKey(connection, name)


class SshCaKey(Kind):
    """The authorities that the hosts of one connection trust to sign users' certificates."""

    family: ClassVar[str] = FAMILY
    capability: ClassVar[Capability] = Capability.REVOCABLE
    sends_secret: ClassVar[bool] = False
    no_canary: ClassVar[str] = "every host would trust it, and whatever it signs"
    calls: ClassVar[Mapping[str, int]] = {"preserve": 2, "compare": 0}
    secret_field: str = SECRET_FIELD
    also_ends: ClassVar[str] = "every certificate that the authority signed"
    settle_s = 2.0  # sshd reads the list at each login

    def __init__(self, connection: Connection, name: str) -> None:
        super().__init__(connection, name)
        self._hosts = Authorities(fleet_of(connection))

    def identify(self, leaked: Leaked) -> CredentialRef:
        """Name the key offline, then find the hosts that trust it; the private key is sent nowhere."""
        wanted = name_of(leaked)
        done, failed = self._hosts.read()
        found = [entry for listed in done.values() for entry in listed if entry.fingerprint == wanted]
        if found:
            return self._ref_of(Counter(map(_authority, found)).most_common(1)[0][0], wanted)
        if failed:
            raise none_told(failed)
        raise Rejected("unknown_credential", f"no host of {self._connection.name} trusts {wanted}")

    def inspect(self, ref: CredentialRef) -> Status:
        """Return ACTIVE where any host trusts it, ABSENT when all were asked and none does."""
        return self._hosts.inspect(ref.id)

    def inspect_at(self, target: str, ref: CredentialRef) -> Status:
        """Return one host's list's view."""
        return self._hosts.inspect_at(target, ref.id)

    def siblings(self, ref: CredentialRef) -> frozenset[CredentialRef]:
        """Return every key of the same authority; a list that lacks a host would be untrue, so it is Unavailable."""
        done, failed = self._hosts.read()
        if failed:
            raise none_told(failed)
        found = {entry.fingerprint for listed in done.values() for entry in listed if _authority(entry) == ref.owner}
        return frozenset(map(ref.with_id, found))

    def preserve(self, ref: CredentialRef) -> Mapping[str, str]:
        """Return, for each host, whether it trusts the key."""
        return self._hosts.preserve(ref.id)

    def generate(self, ref: CredentialRef) -> Issued:
        """Make an Ed25519 key of the same authority's name."""
        return made(ref, ref.owner)

    def targets(self, ref: CredentialRef) -> tuple[str, ...]:  # noqa: ARG002
        """Return the hosts' names, in the order of the settings."""
        return self._hosts.targets()

    def install(self, target: str, ref: CredentialRef, public: Mapping[str, str], preserved: Mapping[str, str]) -> None:
        """Let the host trust the key. Raises Rejected("never_listed_here") where it did not trust the exposed one."""
        key = public_entry(public.get("public_key", ""))
        if key.fingerprint != ref.id:
            raise Rejected("not_its_public_key", f"the public key is {key.fingerprint}")
        self._hosts.trust(target, key, preserved)

    def uninstall(self, target: str, ref: CredentialRef) -> None:
        """Let the host trust the key no more."""
        self._hosts.distrust(target, ref.id)

    def revoke(self, ref: CredentialRef) -> None:
        """Take the key off every host's list; one that fails does not stop the others, and is raised."""
        self._hosts.distrust_everywhere(ref.id)

    def verify_at(self, target: str, ref: CredentialRef, secret: Secret) -> Verdict:
        """Forge a certificate with the key, and knock with it at one host."""
        key = key_of(ref, secret)
        return key if isinstance(key, Verdict) else self._hosts.knock_at(target, forging(key))

    def verify(self, ref: CredentialRef, secret: Secret) -> Verdict:
        """Knock at every host: accepted when any lets it in, rejected only when all refuse."""
        key = key_of(ref, secret)
        return key if isinstance(key, Verdict) else self._hosts.knock(forging(key))

    def end_sessions_at(self, target: str, ref: CredentialRef) -> Mapping[str, str]:  # noqa: ARG002
        """End all other sessions of every account of the connection at this host, whatever opened them."""
        return self._hosts.end_sessions_at(target)

    def permissions(self, whose: str | None) -> Sequence[Permission]:  # noqa: ARG002 - one list holds all authorities
        """Return what the rotator may do on every host: to its list, and to the sessions of the accounts."""
        return self._hosts.permissions()

    def discover(self) -> Iterable[Discovered]:
        """Yield every key that a host trusts, with those hosts; no list tells age or last use."""
        done, failed = self._hosts.read_some()
        found: dict[CredentialRef, list[str]] = {}
        for host, listed in done.items():
            for entry in listed:
                found.setdefault(self._ref_of(_authority(entry), entry.fingerprint), []).append(host)
        for ref, hosts in sorted(found.items()):
            facts = {"state": str(State.ACTIVE), "trusted_on": ",".join(hosts), "not_reached": ",".join(failed)}
            yield Discovered(ref, facts)


def _authority(entry: Entry) -> str:
    """Return the authority's name; one without a comment is an authority by itself."""
    return entry.comment.decode("utf-8", "replace") or entry.fingerprint
