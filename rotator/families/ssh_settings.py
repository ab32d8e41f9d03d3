"""Read the settings of an SSH connection: which hosts, which accounts, which host keys, where the key files stand."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import asyncssh

from rotator.errors import BadInput, Rejected
from rotator.ports.connection import Connection

_HOST = re.compile(
    r"(?:(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)=)?(?P<address>\[[0-9A-Fa-f:.]+\]|[^\s:=\[\]]+)(?::(?P<port>\d{1,5}))?"
)
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@-]*\$?")
_SSH_PORT = 22
_LAST_PORT = 65535


@dataclass(frozen=True, slots=True)
class Host:
    """One host: a target's name, and where it listens."""

    name: str
    address: str
    port: int


@dataclass(frozen=True, slots=True)
class Settings:
    """What a connection of family "ssh" says."""

    hosts: Mapping[str, Host]
    users: tuple[str, ...]
    authorized_keys: str
    known_hosts_given: str
    where: str
    revoked_keys: str
    trusted_ca_keys: str
    administrator: str
    authorized_principals: str = ""

    def path(self, host: Host, user: str) -> str:
        """Return where the account's key file stands on the host; a relative path starts at the account's home."""
        return self.authorized_keys.replace("{host}", host.name).replace("{user}", user)

    def krl(self, host: Host) -> str:
        """Return where the host's list of revoked keys stands, which the administrator may replace."""
        return self.revoked_keys.replace("{host}", host.name)

    def authorities(self, host: Host) -> str:
        """Return where the host's list of certificate authorities stands, which the administrator may replace."""
        return self.trusted_ca_keys.replace("{host}", host.name)

    def principals(self, host: Host, user: str) -> str:
        """Return where the principals that may come in as the account stand, which the administrator may replace."""
        return self.authorized_principals.replace("{host}", host.name).replace("{user}", user)

    def host(self, target: str) -> Host:
        """Return the host of that name. Raises Rejected("unknown_target")."""
        try:
            return self.hosts[target]
        except KeyError:
            raise Rejected("unknown_target", f"{self.where} has no host {target}") from None

    def known_hosts(self) -> asyncssh.SSHKnownHosts:
        """Return the host keys, read anew, so that a new host is known without a restart.

        Raises Rejected("known_hosts_unreadable"): a host is never trusted for want of a key.
        """
        try:
            return _known_hosts(self.known_hosts_given)
        except (OSError, ValueError):
            raise Rejected("known_hosts_unreadable", f"known_hosts of {self.where} cannot be read") from None


def read_settings(connection: Connection) -> Settings:
    """Read and check the settings. Raises BadInput with what to write instead."""
    where = f"connection {connection.name}"
    given = connection.settings
    known = given.get("known_hosts")
    if not isinstance(known, str) or not known.strip():
        raise BadInput(
            "`known_hosts` is missing: without it nobody can tell the hosts from an impostor",
            where,
            "a path, or the lines that `ssh-keyscan -p PORT HOST` prints once you have checked them",
        )
    try:
        _known_hosts(known)
    except (OSError, ValueError):
        raise BadInput("`known_hosts` is neither a file that can be read nor lines of one", where, "check it") from None
    keys = given.get("authorized_keys", ".ssh/authorized_keys")
    if not isinstance(keys, str) or not keys.strip():
        raise BadInput("`authorized_keys` is not a path", where, "leave it out for .ssh/authorized_keys")
    hosts, users = _hosts(given.get("hosts"), where), _users(given.get("user"), where)
    administrator = given.get("administrator", "root")
    if not isinstance(administrator, str) or _USER.fullmatch(administrator) is None:
        raise BadInput("`administrator` is not an account's name", where, 'administrator = "root"')
    revoked = _absolute(given.get("revoked_keys", "/etc/ssh/revoked_keys"), "revoked_keys", "RevokedKeys", where)
    trusted = given.get("trusted_ca_keys", "/etc/ssh/trusted_ca_keys")
    trusted = _absolute(trusted, "trusted_ca_keys", "TrustedUserCAKeys", where)
    principals = given.get("authorized_principals", "/etc/ssh/auth_principals/{user}")
    principals = _absolute(principals, "authorized_principals", "AuthorizedPrincipalsFile", where)
    return Settings(hosts, users, keys, known, where, revoked, trusted, administrator, principals)


def _absolute(path: object, name: str, directive: str, where: str) -> str:
    if not isinstance(path, str) or not path.startswith("/"):
        raise BadInput(f"`{name}` is not an absolute path", where, f"the one that sshd_config names as {directive}")
    return path


def _known_hosts(given: str) -> asyncssh.SSHKnownHosts:
    text = given if re.search(r"\s", given.strip()) else Path(given).expanduser().read_text(encoding="utf-8")
    if not any(_names_a_key(line) for line in text.splitlines()):
        raise ValueError("no host key")
    return asyncssh.import_known_hosts(text)


def _names_a_key(line: str) -> bool:
    """Tell whether a line gives a host's key; asyncssh passes over what it cannot read."""
    fields = line.split(None, 2 if line.lstrip().startswith("@") else 1)
    try:
        asyncssh.import_public_key(fields[-1])
    except (asyncssh.KeyImportError, IndexError):
        return False
    return not line.lstrip().startswith("#")


def _hosts(given: object, where: str) -> dict[str, Host]:
    mend = 'hosts = ["web1=192.0.2.1:22", "web2.example"]'
    if not isinstance(given, list | tuple) or not given:
        raise BadInput("`hosts` is missing or not a list", where, mend)
    hosts: dict[str, Host] = {}
    for entry in given:
        match = _HOST.fullmatch(entry) if isinstance(entry, str) else None
        port = int((match and match["port"]) or _SSH_PORT)
        if match is None or not 0 < port <= _LAST_PORT:
            raise BadInput(f"`hosts` has {entry!r}, which is not an address", where, mend)
        name = match["name"] or entry
        if name in hosts:
            raise BadInput(f"two hosts are called {name}", where, "give each a name of its own")
        hosts[name] = Host(name, match["address"].strip("[]"), port)
    return hosts


def _users(given: object, where: str) -> tuple[str, ...]:
    names = [given] if isinstance(given, str) else given
    if not isinstance(names, list | tuple) or not names:
        raise BadInput("`user` is missing: the account whose keys are managed", where, 'user = "deploy"')
    for name in names:
        if not isinstance(name, str) or _USER.fullmatch(name) is None:
            raise BadInput(f"`user` has {name!r}, which is not an account's name", where, 'user = "deploy"')
    return tuple(dict.fromkeys(names))
