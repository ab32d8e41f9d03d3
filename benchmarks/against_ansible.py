"""Against Ansible: take one stolen SSH key off 40 real sshds, and see each refuse it. Each is its own command line.

Ansible takes the key's line away (lineinfile) and knocks with it once at each host, with pipelining, a kept connection
and a fork for each host. Rotator does what it always does: it asks which hosts list the key, keeps their lines, sees it
accepted, takes it away, cuts sessions, and sees it refused twice, the settle time apart, with evidence of each.

Needs root for the servers' account, and Ansible in an environment of its own: `make build/ansible/done`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import asyncssh

from rotator.runtime_lock import RuntimeLock
from tests.servers.sshd import ACCOUNT, Sshds, sshds

HOSTS = 40
TARGET = 1.0
ANSIBLE = Path(__file__).resolve().parents[1] / "build" / "ansible" / "bin" / "ansible-playbook"
PLAYBOOK = Path(__file__).with_name("remove_key.yml")


@dataclass(frozen=True, slots=True)
class Stolen:
    """A key that every host lets in: its private half in a file, and its line."""

    file: Path
    line: str


def measure(hosts: int = HOSTS) -> list[dict[str, object]]:
    """Return our time over Ansible's, each for a key of its own. Raises RuntimeError when a command fails."""
    with tempfile.TemporaryDirectory() as name, sshds(hosts) as servers:
        folder = Path(name)
        (folder / "own").touch(mode=0o600)
        (folder / "own").write_text(servers.own_key.reveal())
        (folder / "known_hosts").write_text(servers.known_hosts)
        theirs = _ansible(folder, servers, _planted(folder / "first", servers))
        ours = _rotator(folder, servers, _planted(folder / "second", servers))
    print(f"  a key on {hosts} sshds: rotator {ours:.2f} s, ansible {theirs:.2f} s", flush=True)
    what = f"SSH key removed from {hosts} sshds and refused / Ansible"
    return [{"name": what, "value": round(ours / theirs, 3), "unit": "ratio", "target": TARGET}]


def _planted(file: Path, servers: Sshds) -> Stolen:
    key = asyncssh.generate_private_key("ssh-ed25519", comment="somebody@laptop")
    file.touch(mode=0o600)
    file.write_bytes(key.export_private_key())
    line = key.export_public_key().decode().strip()
    for host in servers.hosts:
        with servers.keys_file(host, ACCOUNT).open("a") as listed:
            listed.write(f"{line}\n")
    return Stolen(file, line)


def _ansible(folder: Path, servers: Sshds, stolen: Stolen) -> float:
    hosts = {
        name: {
            "ansible_host": address,
            "ansible_port": port,
            "keys_file": str(servers.keys_file(name, ACCOUNT)),
        }
        for name, (address, port) in servers.addresses.items()
    }
    given = {
        "ansible_user": ACCOUNT,
        "ansible_ssh_private_key_file": str(folder / "own"),
        "ansible_ssh_common_args": f"-o UserKnownHostsFile={folder / 'known_hosts'}",
        "ansible_python_interpreter": "/usr/bin/python3",
        "known_hosts": str(folder / "known_hosts"),
        "stolen_file": str(stolen.file),
        "stolen_line": stolen.line,
    }
    inventory = folder / "inventory.json"
    inventory.write_text(json.dumps({"all": {"hosts": hosts, "vars": given}}))
    settings = {
        "ANSIBLE_HOME": str(folder / "ansible"),
        "ANSIBLE_FORKS": str(len(hosts)),
        "ANSIBLE_PIPELINING": "true",
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "LC_ALL": "C.UTF-8",
    }
    return _seconds([str(ANSIBLE), "-i", str(inventory), str(PLAYBOOK)], settings, folder / "ansible.log")


def _rotator(folder: Path, servers: Sshds, stolen: Stolen) -> float:
    connection = {"name": "fleet", "family": "ssh", "credential": f"file:{folder / 'own'}", **servers.settings}
    # JSON's texts and lists are TOML's too.
    lines = [f"{key} = {json.dumps(value)}" for key, value in connection.items()]
    (folder / "rotator.toml").write_text("\n".join(['data_dir = "data"', "[[connections]]", *lines]))
    report = folder / "report.jsonl"
    report.write_text(json.dumps({"DetectorName": "PrivateKey", "Raw": stolen.file.read_text(), "SourceMetadata": {}}))
    command = [sys.executable, "-m", "rotator", "respond", str(report), "--yes", "--strategy", "revoke_only"]
    settings = {"ROTATOR_CONFIG": str(folder / "rotator.toml")}
    seconds = _seconds([*command, "--output", "json"], settings, folder / "rotator.log")
    # The runtime that `respond` started goes on for a moment, to see that nothing is left to do.
    lock = RuntimeLock(folder / "data")
    while not lock.take():
        time.sleep(0.1)
    lock.release()
    return seconds


def _seconds(command: list[str], settings: dict[str, str], log: Path) -> float:
    start = time.perf_counter()
    with log.open("w") as said:
        run = subprocess.run(
            command,
            env={**os.environ, **settings},
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            check=False,
            timeout=600,
        )
    seconds = time.perf_counter() - start
    if run.returncode:
        raise RuntimeError(f"{command[0]} ended with {run.returncode}:\n{log.read_text()[-2000:]}")
    return seconds
