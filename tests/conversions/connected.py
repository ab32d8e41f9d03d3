"""A rotator that reaches one database and the Vault which lends its logins."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from rotator.bootstrap import Rotator
from rotator.credential import Secret
from rotator.practice.openbao import OpenBao
from rotator.settings.file import load
from tests.fakes.deployment import sqlite


@contextlib.contextmanager
def connected(folder: Path, bao: OpenBao, family: str, url: str, user: str, own: Secret) -> Iterator[Rotator]:  # noqa: PLR0917 - two servers
    """Yield it, with the connections `db` and `vault` and a ledger of its own."""
    for name, secret in (("bao", bao.plant("converts").token), ("db", own)):
        (folder / name).write_text(secret.reveal())
        (folder / name).chmod(0o600)
    (folder / "rotator.toml").write_text(f"""
[[connections]]
name = "db"
family = "{family}"
endpoint_url = "{url}"
user = "{user}"
tls = false
credential = "file:db"
[[connections]]
name = "vault"
family = "vault"
endpoint_url = "{bao.address}"
credential = "file:bao"
""")
    found = Rotator(load(folder / "rotator.toml"))
    found.__dict__["database"] = sqlite(folder / "ledger.db")
    yield found
    found.database.close()
