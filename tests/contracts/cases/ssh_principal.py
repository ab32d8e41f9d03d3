"""Principals of SSH certificates on two real OpenSSH servers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.contracts.case import Case
from tests.servers.ssh_principals import principal_case, principal_hosts


@contextmanager
def open_case(tmp_path: Path) -> Iterator[Case]:  # noqa: ARG001 - sshd needs a folder that its accounts may enter
    with principal_hosts() as hosts:
        yield principal_case(hosts)
