"""Authorities of the ssh engine of Vault and OpenBao, which hosts trust by a list: `families/ssh_authorities.py`.

The owner is the engine's mount, the id the SHA256 fingerprint of the authority's key. Two sides make up its life: hosts
that trust it, and the server that signs with it. It counts as absent when no host trusts it; to revoke it also destroys
the server's copy of its key. A replacement is made by the server and never leaves it: what is delivered is the public
key, for whoever builds new hosts, and a knock with it asks the server for a certificate. A knock with a stolen private
key forges one. Roles that name the exposed one are pointed to the replacement by hand; the run waits for that.
OpenBao signs with several authorities of one mount, so both are trusted while one follows the other. Vault keeps one:
there nothing is issued, and the stolen one is taken from the hosts and from `config/ca`.

    hosts, user, known_hosts, trusted_ca_keys, administrator    # as for the family ssh
    credential = "file:keys/authority"    # {"id": "rotator", "token": "the server's", "private_key": "for the hosts"}

The rotator's own token needs: read on sys/mounts, list on MOUNT/issuers and MOUNT/roles, update on
MOUNT/issuers/import/+, MOUNT/config/issuers and MOUNT/sign/rotator-*, delete on MOUNT/issuer/+, and update and delete
on MOUNT/roles/rotator-*; with Vault read and delete on MOUNT/config/ca.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import ClassVar

from rotator.credential import CredentialRef, Issued, Leaked, Secret
from rotator.errors import Rejected, RotatorError, Unavailable
from rotator.families.authorized_keys import public_entry
from rotator.families.ssh import fleet_of
from rotator.families.ssh_authorities import Authorities, Sign, forging
from rotator.families.ssh_keys import name_of
from rotator.families.ssh_knock import key_of
from rotator.families.vault import BEGINS_S, FAMILY, Vault
from rotator.families.vault_issuers import IN_PLACE_OF, held, issuer_of, name_for, replaced_by, signs
from rotator.families.vault_needs import SSH_ENGINE
from rotator.families.vault_permissions import permissions_of
from rotator.families.vault_ssh import SshEngine
from rotator.kind import Kind
from rotator.permissions import LOOK, Permission
from rotator.ports.connection import Connection
from rotator.ports.listing import Discovered
from rotator.ports.provider import Answer, Capability, State, Status, Verdict
from rotator.rest_kind import RestKind

_AT_HOSTS = ("install", "uninstall", "end_sessions", "revoke")


def connect(connection: Connection, name: str, rest: RestKind | None = None) -> VaultSshCa:
    """Return the provider of one server's authorities. Raises BadInput when its hosts' settings cannot be used."""
    return VaultSshCa(connection, name)


class VaultSshCa(Kind):
    """The authorities of one server's SSH engines, and the hosts that trust them."""

    family: ClassVar[str] = FAMILY
    capability: ClassVar[Capability] = Capability.REVOCABLE
    sends_secret: ClassVar[bool] = False
    no_canary: ClassVar[str] = "every host would trust it, and whatever it signs"
    calls: ClassVar[Mapping[str, int]] = {"preserve": 5, "verify": 5, "issue": 3, "install": 3, "revoke": 4}
    secret_field: str = "public_key"  # noqa: S105 - the name of a field
    nobody: ClassVar[tuple[str, str]] = ("rotator-provider-check", "SHA256:" + "A" * 43)
    also_ends: ClassVar[str] = "every certificate that the authority signed"
    settle_s = 2.0  # sshd reads the list at each login

    def __init__(self, connection: Connection, name: str) -> None:
        super().__init__(connection, name)
        self._vault = Vault(connection)
        self._given: Authorities | None = None
        if "hosts" in connection.settings:
            self._given = Authorities(fleet_of(connection))

    def identify(self, leaked: Leaked) -> CredentialRef:
        """Name the key offline, then find the engine that has it; the private key is sent nowhere."""
        self._must_belong(leaked, self._vault.address)
        self._hosts()
        wanted = name_of(leaked)
        engine = self._engine()
        for mount in engine.mounts():
            if wanted in {issuer.fingerprint for issuer in engine.issuers(mount)}:
                return self._ref_of(mount, wanted)
        raise Rejected(
            "unknown_credential",
            f"no ssh engine has {wanted}; what hosts trust and the server has forgotten is an ssh_ca_key",
        )

    def inspect(self, ref: CredentialRef) -> Status:
        """Return ACTIVE where any host trusts it, ABSENT when all were asked and none does."""
        engine = self._engine()
        status = self._hosts().inspect(ref.id)
        issuer = issuer_of(engine.issuers(ref.owner), ref)
        return Status(status.state, {**status.facts, "signs": signs(issuer)})

    def inspect_at(self, target: str, ref: CredentialRef) -> Status:
        """Return one host's list's view."""
        return self._hosts().inspect_at(target, ref.id)

    def siblings(self, ref: CredentialRef) -> frozenset[CredentialRef]:
        """Return every authority of the mount."""
        return frozenset(ref.with_id(issuer.fingerprint) for issuer in self._engine().issuers(ref.owner))

    def preserve(self, ref: CredentialRef) -> Mapping[str, str]:
        """Return, for each host, whether it trusts the key; and what the server calls it, and lets it sign for."""
        engine = self._engine()
        listed = self._hosts().preserve(ref.id)
        issuer = issuer_of(engine.issuers(ref.owner), ref)
        told = {"signs": signs(issuer)}
        if issuer is not None:
            told |= {"issuer_id": issuer.id, "issuer_name": issuer.name}
            told["roles_naming_it"] = ",".join(engine.roles_naming(issuer))
        return {**listed, **told}

    def issue(self, ref: CredentialRef, marker: str, preserved: Mapping[str, str]) -> Issued:  # noqa: ARG002
        """Let the server make another key. Nothing signs with it yet, and no host trusts it."""
        engine = self._engine()
        exposed = issuer_of(engine.issuers(ref.owner), ref)
        instead = IN_PLACE_OF + exposed.id if exposed is not None and exposed.id else ""
        made = engine.make(ref.owner, name_for(marker) + instead)
        public = {"issuer_id": made.id, "issuer_name": made.name}
        return Issued(ref.with_id(made.fingerprint), Secret(made.key.public.decode()), public)

    def marked(self, ref: CredentialRef, marker: str) -> CredentialRef | None:
        """Return the authority whose name the marker gave."""
        for issuer in self._engine().issuers(ref.owner):
            if issuer.name.partition(IN_PLACE_OF)[0] == name_for(marker):
                return ref.with_id(issuer.fingerprint)
        return None

    def targets(self, ref: CredentialRef) -> tuple[str, ...]:  # noqa: ARG002
        """Return the hosts' names, in the order of the settings."""
        return () if self._given is None else self._given.targets()

    def install(self, target: str, ref: CredentialRef, public: Mapping[str, str], preserved: Mapping[str, str]) -> None:  # noqa: ARG002
        """Let the host trust the key, as the server has it.

        Raises Rejected("never_listed_here") where it did not trust the exposed one.
        """
        began = time.monotonic()
        issuer = held(self._engine().issuers(ref.owner), ref)
        self._hosts(began).trust(target, issuer.key, preserved)

    def uninstall(self, target: str, ref: CredentialRef) -> None:
        """Let the host trust the key no more. What the server signs with it afterwards opens nothing there."""
        self._hosts().distrust(target, ref.id)

    def set_secret(self, ref: CredentialRef, secret: Secret, preserved: Mapping[str, str]) -> None:  # noqa: ARG002
        """Let the server sign with it by default, where it does so with the exposed one, or with none.

        Raises Rejected("roles_name_it") while there are roles that would go on signing with the exposed one.
        """
        engine = self._engine()
        there = engine.issuers(ref.owner)
        issuer = held(there, ref)
        exposed = replaced_by(there, issuer)
        if exposed is not None and (roles := engine.roles_naming(exposed)):
            raise Rejected("roles_name_it", f"{', '.join(roles)} sign with {exposed.id}: let them with {issuer.id}")
        now = next((each for each in there if each.signs_by_default), None)
        if now is None or now.fingerprint == preserved.get("fingerprint"):
            engine.sign_with(issuer)

    def revoke(self, ref: CredentialRef) -> None:
        """Let the server destroy its key, and no host trust it; one that fails does not stop the others.

        A replacement that is taken back hands its place to the one that it replaced.
        """
        began, engine = time.monotonic(), self._engine()
        there = engine.issuers(ref.owner)
        issuer = issuer_of(there, ref)
        if issuer is not None:
            before = replaced_by(there, issuer)
            if issuer.signs_by_default and before is not None:
                engine.sign_with(before)
            engine.forget(issuer)
        self._hosts(began).distrust_everywhere(ref.id)

    def verify_at(self, target: str, ref: CredentialRef, secret: Secret) -> Verdict:
        """Come in at one host with what the authority signs."""
        sign = self._signing(ref, secret)
        return sign if isinstance(sign, Verdict) else self._hosts().knock_at(target, sign)

    def verify(self, ref: CredentialRef, secret: Secret) -> Verdict:
        """Knock at every host: accepted when any lets it in, rejected only when all refuse."""
        sign = self._signing(ref, secret)
        return sign if isinstance(sign, Verdict) else self._hosts().knock(sign)

    def end_sessions_at(self, target: str, ref: CredentialRef) -> Mapping[str, str]:  # noqa: ARG002
        """End all other sessions of every account of the connection at this host, whatever opened them."""
        return self._hosts().end_sessions_at(target)

    def discover(self) -> Iterable[Discovered]:
        """Yield every authority of every engine, with the hosts that trust it; nobody tells age or last use."""
        listed, failed = self._hosts().read_some()
        for mount in self._engine().mounts():
            for issuer in self._engine().issuers(mount):
                trusting = [host for host, keys in listed.items() if issuer.key.blob in {each.blob for each in keys}]
                state = State.ACTIVE if trusting else State.ABSENT
                facts = {"trusted_on": ",".join(trusting), "not_reached": ",".join(failed), "signs": signs(issuer)}
                yield Discovered(self._ref_of(mount, issuer.fingerprint), {"state": str(state), **facts})

    def permissions(self, whose: str | None) -> Sequence[Permission]:
        """Return what the token's policies grant for one mount or for all, and what each host lets the rotator do."""
        began = time.monotonic()
        told = permissions_of(self._vault, SSH_ENGINE, whose)
        try:
            return told + self._hosts(began).permissions()
        except RotatorError as error:
            return [
                *told,
                Permission((LOOK, *_AT_HOSTS), "trusted_ca_keys and sessions on the hosts", None, str(error)),
            ]

    def _hosts(self, began: float | None = None) -> Authorities:
        """Return the hosts. Raises Unavailable where the server took so long that they could not answer in time."""
        if self._given is None:
            raise Rejected("no_hosts", f"connection {self._connection.name} does not say which `hosts` trust its keys")
        if began is not None and time.monotonic() - began > BEGINS_S:
            raise Unavailable("out_of_time", f"{self._vault.address} is slow, and the hosts were not asked")
        return self._given

    def _engine(self) -> SshEngine:
        """Begin one method's calls to the server."""
        return SshEngine(self._vault.exchange())

    def _signing(self, ref: CredentialRef, secret: Secret) -> Sign | Verdict:
        """Return how to sign: with the private key that leaked, or as the server does with what was delivered of it."""
        try:
            delivered = public_entry(secret.reveal())
        except Rejected:
            key = key_of(ref, secret)
            return key if isinstance(key, Verdict) else forging(key)
        engine = self._engine()
        issuer = issuer_of(engine.issuers(ref.owner), ref) if delivered.fingerprint == ref.id else None
        return Verdict(Answer.INCONCLUSIVE, "not_signed_here") if issuer is None else partial(engine.sign, issuer)
