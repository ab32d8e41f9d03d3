"""The authorities of an `ssh` secrets engine of Vault and OpenBao: their keys, and which of them a mount signs with.

OpenBao keeps several for each mount ("issuers"), of which one is the default: roles sign with it unless they name
another. Vault keeps a single one, at `config/ca`, which has no id and can only be deleted. No private key ever leaves.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

import asyncssh

from rotator.errors import Rejected, Uncertain, asking
from rotator.families.authorized_keys import Entry, public_entry
from rotator.families.ssh_authorities import PROBE_LIVES_S
from rotator.families.vault import Reply, Vault
from rotator.families.vault_mounts import SECRETS, mount_at, mounts, nowhere

_NONE_MADE = ("no default issuer", "keys haven't been configured yet")
"""How OpenBao and Vault say that a mount has nothing to sign with."""
_ONE_ONLY = "unsupported path"
"""How Vault answers to what it knows no issuers for."""


@dataclass(frozen=True, slots=True)
class Issuer:
    """One authority. Without an id it is the only one that its mount can have."""

    mount: str
    id: str
    name: str
    key: Entry
    signs_by_default: bool

    @property
    def fingerprint(self) -> str:
        return self.key.fingerprint


class SshEngine:
    """The SSH engines of one server."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def mounts(self) -> list[str]:
        """Return the paths of the engine's mounts."""
        return mounts(self._vault, SECRETS, "ssh")

    def issuers(self, mount: str) -> list[Issuer]:
        """Return a mount's authorities. Raises Rejected("not_this_account") where no engine is mounted."""
        reply = self._vault.read("LIST", f"{mount_at(mount)}/issuers")
        if reply.says(_ONE_ONLY):
            return self._only_one(mount)
        return [_issuer(mount, each, fields) for each, fields in sorted(_listed(reply).items())]

    def roles_naming(self, issuer: Issuer) -> list[str]:
        """Return the roles that sign with it whatever the default is."""
        listed = _listed(self._vault.read("LIST", f"{mount_at(issuer.mount)}/roles"))
        named = {issuer.id, issuer.name} - {""}
        return sorted(role for role, fields in listed.items() if fields.get("issuer_ref") in named)

    def make(self, mount: str, name: str) -> Issuer:
        """Let the server make an Ed25519 key of that name; nothing signs with it yet.

        Raises Rejected("one_authority_only") where the server would have to forget the one it has.
        """
        body = {"generate_signing_key": True, "key_type": "ed25519"}
        reply = self._vault.change("POST", f"{mount_at(mount)}/issuers/import/{name}", body)
        if reply.says(_ONE_ONLY):
            raise Rejected(
                "one_authority_only",
                f"{mount} keeps one: enable another ssh engine, let the hosts trust its key beside this one, and move "
                "the roles there",
            )
        fields = _told(reply).data
        if not fields.get("issuer_id") or not fields.get("public_key"):
            raise Uncertain("answer_without_key", "the server said yes and gave no public key")
        return _issuer(mount, str(fields["issuer_id"]), fields)

    def sign_with(self, issuer: Issuer) -> None:
        """Let the mount's roles sign with it, but for those that name another."""
        path = f"{mount_at(issuer.mount)}/config/issuers"
        _told(self._vault.change("POST", path, {"default": issuer.id}))

    def forget(self, issuer: Issuer) -> None:
        """Destroy its key at the server; one that is gone counts as done."""
        path = f"issuer/{issuer.id}" if issuer.id else "config/ca"
        _told(self._vault.change("DELETE", f"{mount_at(issuer.mount)}/{path}", {}))

    def sign(self, issuer: Issuer, key: asyncssh.SSHKey, user: str) -> asyncssh.SSHCertificate:
        """Have it sign a short-lived certificate for one account.

        The role that this takes lives as long as the call; a worker that dies in it leaves the role, which is good for
        that account and that time alone, and for those who may sign by such a name.
        """
        at, role = mount_at(issuer.mount), f"rotator-{secrets.token_hex(8)}"
        rules = {
            "key_type": "ca",
            "issuer_ref": issuer.id,
            "allow_user_certificates": True,
            "allowed_users": user,
            "default_user": user,
            "ttl": PROBE_LIVES_S,
            "max_ttl": PROBE_LIVES_S,
        }
        with asking():
            try:
                _told(self._vault.change("POST", f"{at}/roles/{role}", rules))
                public = key.export_public_key().decode()
                signed = _told(self._vault.change("POST", f"{at}/sign/{role}", {"public_key": public})).data
            finally:
                _told(self._vault.change("DELETE", f"{at}/roles/{role}", {}))
        return asyncssh.import_certificate(str(signed["signed_key"]))

    def _only_one(self, mount: str) -> list[Issuer]:
        reply = self._vault.read("GET", f"{mount_at(mount)}/config/ca")
        if any(reply.says(words) for words in _NONE_MADE):
            return []
        return [replace(_issuer(mount, "", _told(reply).data), signs_by_default=True)]


def _issuer(mount: str, issuer_id: str, fields: Mapping[str, Any]) -> Issuer:
    key = replace(public_entry(str(fields["public_key"])), comment=mount.encode())
    return Issuer(mount, issuer_id, str(fields.get("issuer_name") or ""), key, bool(fields.get("is_default")))


def _listed(reply: Reply) -> Mapping[str, Any]:
    """Return what a list tells of each; nothing there is an empty one."""
    if reply.status == HTTPStatus.NOT_FOUND and not reply.errors:
        return {}
    return _told(reply).data.get("key_info") or {}


def _told(reply: Reply) -> Reply:
    """Return an accepted answer; an engine that is not there may stand on another server."""
    if nowhere(reply):
        raise Rejected("not_this_account", "the server has no such ssh engine; if it was disabled, its keys went too")
    return reply.accepted()
