"""SSH keys of several accounts on three real OpenSSH servers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.contracts.case import Case
from tests.servers.ssh_case import ACCOUNTS, ssh_case
from tests.servers.sshd import sshds


@contextmanager
def open_case(tmp_path: Path) -> Iterator[Case]:  # noqa: ARG001 - sshd needs a folder that its accounts may enter
    with sshds(3, ACCOUNTS) as servers:
        yield ssh_case(servers, servers.narrow_key)
