"""Knock at one SSH host with one key and nothing else, and say what the answer means.

A refusal counts only when the host was asked about this very key. sshd first says whether a key is welcome, and then
wants a signature; so a key that was asked to sign and refused afterwards is *known* to the host (a second factor is
wanted, or the account is closed), and its refusal proves no death.
"""

from __future__ import annotations

from collections.abc import Mapping

import asyncssh

from rotator.credential import CredentialRef, Secret
from rotator.errors import Rejected, RotatorError
from rotator.families.ssh import Fleet
from rotator.families.ssh_errors import none_told
from rotator.families.ssh_keys import fingerprint_of, read_private_key
from rotator.families.ssh_settings import Host
from rotator.ports.provider import Answer, Verdict

_REFUSED_BY_ALL_METHODS = "Permission denied for user"
_NEVER_OFFERED = b"ssh-dss"
_OLD_RSA = b"ssh-rsa"
_CERTIFICATE = b"-cert-v01@openssh.com"


async def knock(
    fleet: Fleet, host: Host, user: str, key: asyncssh.SSHKey, certificate: asyncssh.SSHCertificate | None = None
) -> Verdict:
    """Try to log in with that key alone, or with its certificate, and leave at once; no session, no command.

    Raises what a host that cannot be reached raises.
    """
    if key.algorithm == _NEVER_OFFERED:
        return Verdict(Answer.INCONCLUSIVE, "algorithm_not_supported")
    only = _OnlyKey(key, certificate)
    try:
        connection = await fleet.log_in(host, user, lambda: only, None)
    except asyncssh.PermissionDenied as refusal:
        return _refusal(only, refusal.reason)
    except asyncssh.HostKeyNotVerifiable:
        return Verdict(Answer.INCONCLUSIVE, "host_key_not_verified")
    except asyncssh.ConnectionLost:
        raise
    except asyncssh.DisconnectError:
        return Verdict(Answer.INCONCLUSIVE, "disconnected")
    connection.abort()
    if not only.signed:
        return Verdict(Answer.INCONCLUSIVE, "let_in_without_the_key")
    return Verdict(Answer.ACCEPTED, "authenticated")


def key_of(ref: CredentialRef, secret: Secret) -> asyncssh.SSHKey | Verdict:
    """Return the key to knock with, or why no knock with it would say anything about the credential."""
    try:
        key = read_private_key(secret)
    except Rejected as error:
        return Verdict(Answer.INCONCLUSIVE, error.reason)
    return key if fingerprint_of(key) == ref.id else Verdict(Answer.INCONCLUSIVE, "other_key")


def together(done: Mapping[str, Verdict], failed: Mapping[str, RotatorError]) -> Verdict:
    """Return one verdict for all hosts: accepted when any lets it in, rejected only when all refuse."""
    answers = {verdict.answer for verdict in done.values()}
    if Answer.ACCEPTED in answers:
        return Verdict(Answer.ACCEPTED, "authenticated")
    if failed and not done:
        raise none_told(failed)
    if failed:
        return Verdict(Answer.INCONCLUSIVE, "not_all_reached")
    unclear = [verdict for verdict in done.values() if verdict.answer is Answer.INCONCLUSIVE]
    return unclear[0] if unclear else Verdict(Answer.REJECTED, "permission_denied")


def _refusal(only: _OnlyKey, reason: str) -> Verdict:
    if not reason.startswith(_REFUSED_BY_ALL_METHODS):
        return Verdict(Answer.INCONCLUSIVE, "disconnected")
    if not only.asked:
        return Verdict(Answer.INCONCLUSIVE, "public_keys_not_offered")
    if only.signed:
        return Verdict(Answer.INCONCLUSIVE, "known_but_not_let_in")
    return Verdict(Answer.REJECTED, "permission_denied")


class _Witness(asyncssh.SSHKeyPair):
    """The key, which remembers that the host wanted its signature."""

    def __init__(
        self, key: asyncssh.SSHKey, certificate: asyncssh.SSHCertificate | None, *, by_newer_name: bool = False
    ) -> None:
        algorithms = key.sig_algorithms
        super().__init__(key.algorithm, key.algorithm, algorithms, algorithms, key.public_data, None, certificate)
        self._key = key
        self._by_newer_name = by_newer_name
        self.signed = False

    def set_sig_algorithm(self, sig_algorithm: bytes) -> None:
        super().set_sig_algorithm(sig_algorithm)
        if self._by_newer_name and self.sig_algorithm != _OLD_RSA:
            self.algorithm = self.sig_algorithm + _CERTIFICATE

    def sign(self, data: bytes) -> bytes:
        self.signed = True
        return self._key.sign(data, self.sig_algorithm)


class _OnlyKey(asyncssh.SSHClient):
    """A client that has one key, once, and no other way in.

    An RSA certificate goes by two names: hosts since OpenSSH 7.8 refuse it by the older, hosts before by the newer. So
    it is shown by both, else a host that lets it in would be said to refuse it.
    """

    def __init__(self, key: asyncssh.SSHKey, certificate: asyncssh.SSHCertificate | None) -> None:
        two_names = certificate is not None and key.algorithm == _OLD_RSA
        self._pairs = [
            _Witness(key, certificate, by_newer_name=newer) for newer in ((True, False) if two_names else (False,))
        ]
        self.asked = False

    @property
    def signed(self) -> bool:
        """Tell whether the host wanted a signature."""
        return any(pair.signed for pair in self._pairs)

    def public_key_auth_requested(self) -> list[asyncssh.SSHKeyPair] | None:
        if self.asked:
            return None
        self.asked = True
        return list(self._pairs)
