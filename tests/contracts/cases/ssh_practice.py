"""SSH keys on the practice range's servers, which must answer like the real ones: the demo stands on them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rotator.practice.ssh_servers import ssh_servers
from tests.contracts.case import Case
from tests.servers.ssh_case import ACCOUNTS, ssh_case


@contextmanager
def open_case(tmp_path: Path) -> Iterator[Case]:
    with ssh_servers(tmp_path, ("web-1", "web-2", "db-1"), ACCOUNTS) as servers:
        yield ssh_case(servers)
