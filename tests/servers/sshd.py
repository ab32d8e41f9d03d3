"""Real OpenSSH servers, one for each "host": 127.0.0.2, .3, .4, each with its own host key and key files.

All share the machine's accounts, so each has an `AuthorizedKeysFile` of its own, which tells the hosts apart, and a
second one through which the rotator itself comes in. Needs root, since sshd changes to the account that logs in:
accounts are made with useradd and removed again.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import asyncssh

from rotator.credential import Secret
from rotator.practice.process import free_port, listening, running


def named(*name: str) -> str:
    """Name an account of this test process: one that another shares would be removed under it, sessions and all."""
    return "-".join(filter(None, ("rotator-test", os.environ.get("PYTEST_XDIST_WORKER"), *name)))


ACCOUNT = named()
_ONLY_READS = b'restrict,command="internal-sftp -R" '


@dataclass(frozen=True)
class Sshds:
    """What runs: each host's address and port, the key files, and the rotator's own key.

    `narrow_key` lets in to the same accounts, for reading files and nothing else.
    """

    folder: Path
    addresses: dict[str, tuple[str, int]]
    accounts: tuple[str, ...]
    known_hosts: str
    own_key: Secret
    narrow_key: Secret

    @property
    def settings(self) -> dict[str, object]:
        """Return the connection's settings."""
        return {
            "hosts": [f"{name}={address}:{port}" for name, (address, port) in self.addresses.items()],
            "user": list(self.accounts),
            "known_hosts": self.known_hosts,
            "authorized_keys": f"{self.folder}/keys/{{host}}/{{user}}/authorized_keys",
        }

    @property
    def hosts(self) -> tuple[str, ...]:
        """Return the hosts' names."""
        return tuple(self.addresses)

    def keys_file(self, host: str, account: str) -> Path:
        """Return the file that the provider manages."""
        return self.folder / "keys" / host / account / "authorized_keys"


@contextlib.contextmanager
def sshds(count: int = 3, accounts: Sequence[str] = (ACCOUNT,), extra: str = "") -> Iterator[Sshds]:
    """Run the servers until the block ends; `extra` is added to each configuration, `{host}` and `{folder}` filled."""
    sshd = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if sshd is None:
        raise RuntimeError("no sshd: install the package openssh-server")
    if os.geteuid() != 0:
        raise RuntimeError("sshd must be started by root to let test accounts in")
    Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rotator-sshd-")))
        folder.chmod(0o755)
        for account in accounts:
            stack.enter_context(_account(account))
        own = asyncssh.generate_private_key("ssh-ed25519", comment="rotator's own")
        narrow = asyncssh.generate_private_key("ssh-ed25519", comment="may look and no more")
        for account in accounts:
            path = folder / f"own.{account}"
            path.write_bytes(own.export_public_key() + _ONLY_READS + narrow.export_public_key())
        addresses, known = {}, []
        for number in range(count):
            name, address = f"web{number + 1}", f"127.0.0.{number + 2}"
            port = free_port(address)
            addresses[name] = (address, port)
            own_lines = extra.replace("{host}", name).replace("{folder}", str(folder))
            config, host_key = _configure(folder, name, accounts, f"ListenAddress {address}:{port}\n{own_lines}")
            known.append(f"[{address}]:{port} {host_key}")
            stack.enter_context(
                running(
                    [sshd, "-D", "-e", "-f", str(config)],
                    ready=partial(listening, port, address),
                    log=folder / f"{name}.log",
                    within_s=20,
                )
            )
        keys = (Secret(key.export_private_key().decode()) for key in (own, narrow))
        yield Sshds(folder, addresses, tuple(accounts), "\n".join(known) + "\n", *keys)


def _configure(folder: Path, name: str, accounts: Sequence[str], lines: str) -> tuple[Path, str]:
    """Write what one server needs; return its configuration's path and its public host key."""
    host_key = asyncssh.generate_private_key("ssh-ed25519")
    key_path = folder / f"{name}.host_key"
    key_path.touch(mode=0o600)
    key_path.write_bytes(host_key.export_private_key())
    for account in accounts:
        keys = folder / "keys" / name / account
        keys.mkdir(parents=True)
        _give(keys, account, 0o700)
        file = keys / "authorized_keys"
        file.touch()
        _give(file, account, 0o600)
    config = folder / f"{name}.conf"
    config.write_text(  # sshd takes the first of two values, so what the test adds comes first
        f"{lines}\nHostKey {key_path}\nPidFile none\nUsePAM no\nUseDNS no\nStrictModes no\nMaxStartups 100\n"
        f"AuthorizedKeysFile {folder}/keys/{name}/%u/authorized_keys {folder}/own.%u\n"
        "PasswordAuthentication no\nKbdInteractiveAuthentication no\nSubsystem sftp internal-sftp\n",
        encoding="utf-8",
    )
    return config, host_key.export_public_key().decode().strip()


@contextlib.contextmanager
def _account(name: str) -> Iterator[None]:
    """Make the account unless it is there; an account made here is removed with its processes."""
    try:
        pwd.getpwnam(name)
    except KeyError:
        pass
    else:
        yield
        return
    _run("useradd", "--create-home", "--shell", "/bin/sh", name)
    try:
        _run("usermod", "-p", "*", name)  # an account that useradd made is locked, and sshd refuses every key
        yield
    finally:
        _end_processes(pwd.getpwnam(name).pw_uid)
        _run("userdel", "--force", "--remove", name, check=False)


def _end_processes(uid: int) -> None:
    """End what still runs as the account: sessions outlive the sshd that let them in."""
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, IndexError):
            if int((entry / "status").read_text().partition("\nUid:")[2].split()[0]) == uid:
                os.kill(int(entry.name), signal.SIGKILL)


def _run(*command: str, check: bool = True) -> None:
    subprocess.run(command, check=check, stdin=subprocess.DEVNULL, capture_output=True)


def _give(path: Path, account: str, mode: int) -> None:
    entry = pwd.getpwnam(account)
    os.chown(path, entry.pw_uid, entry.pw_gid)
    path.chmod(mode)
