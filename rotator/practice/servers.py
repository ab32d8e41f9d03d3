"""The four kinds of server of the practice range, started together on free ports of 127.0.0.1."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rotator.practice.ministack import Ministack, ministack
from rotator.practice.openbao import OpenBao, openbao
from rotator.practice.ssh_servers import SshServers, ssh_servers
from rotator.practice.token_server import TokenServer, token_server

HOSTS = ("web-1", "web-2", "db-1")


@dataclass(frozen=True, slots=True)
class Servers:
    """What runs: the AWS account and the Vault are stores as well as issuers."""

    aws: Ministack
    vault: OpenBao
    acme: TokenServer
    ssh: SshServers


@contextlib.contextmanager
def running_servers(folder: Path) -> Iterator[Servers]:
    """Run them until the block ends; their logs and files are in `folder`."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (
        ministack(folder, "iam,sts,secretsmanager,cloudtrail") as aws,
        openbao(folder) as vault,
        token_server() as acme,
        ssh_servers(folder / "ssh", HOSTS) as ssh,
    ):
        yield Servers(aws, vault, acme, ssh)
