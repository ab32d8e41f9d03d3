"""SSH user certificates at three real OpenSSH servers, revoked by their lists of revoked keys."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rotator.providers.ssh_certificate import connect
from tests.contracts.case import Case
from tests.servers.ssh_revoked import krl_case, revoking_hosts


@contextmanager
def open_case(tmp_path: Path) -> Iterator[Case]:  # noqa: ARG001 - sshd needs a folder that its accounts may enter
    with revoking_hosts() as hosts:
        yield krl_case(hosts, "ssh_certificate", connect, hosts.certificate)
