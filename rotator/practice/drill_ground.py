"""The practice range for drills: three issuers on 127.0.0.1, owners who have nothing yet, and programs that wait.

Unlike `range.py` nothing is stolen here: a drill mints what it leaks, and each program holds what the drill delivers.
"""

from __future__ import annotations

import contextlib
import functools
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rotator.practice import doors
from rotator.practice.configuration import write_configuration
from rotator.practice.consumer import Consumer, Document, listening
from rotator.practice.doors import Knock
from rotator.practice.process import running
from rotator.practice.servers import Servers, running_servers
from rotator.practice.uses import AWS_STORE, VAULT_STORE, Use, keep

OWNER = "drill"


@dataclass(frozen=True, slots=True)
class _Exercise:
    kind: str
    connection: str
    trigger: str
    store: str
    like: str
    log_in: Callable[[Document], Sequence[Knock]]


@contextlib.contextmanager
def drill_ground(folder: Path) -> Iterator[Path]:
    """Run it until the block ends, and a rotator for it; yield the configuration, with an exercise for each kind.

    Raises RuntimeError when a server does not start.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with contextlib.ExitStack() as up:
        servers = up.enter_context(running_servers(folder / "servers"))
        exercises, told = _exercises(servers), []
        for each in exercises:
            empty: Document = {"id": "nobody's yet"}
            use = Use(
                f"{each.kind}-user", each.kind, OWNER, each.store, f"drill/{each.kind}", "low", empty, each.log_in
            )
            address = up.enter_context(
                listening(Consumer(use.consumer, keep(use, servers.aws, servers.vault), each.log_in))
            )
            told.append(_written(each, use, address))
        config = write_configuration(folder, servers, (), {})
        config.write_text("\n".join([config.read_text(encoding="utf-8"), _TARGET, *told]), encoding="utf-8")
        lock = folder / "rotator-data" / "runtime.lock"
        rotator = [str(Path(sys.executable).with_name("rotator")), "--config", str(config), "up"]
        # The clocks are of an installation that is there when something leaks.
        up.enter_context(
            running(rotator, ready=lambda: lock.is_file() and lock.read_text() != "", log=folder / "up.log")
        )
        yield config


_TARGET = '\n[drills]\ntarget = "2m"'


def _exercises(servers: Servers) -> list[_Exercise]:
    """Give the owner an account at each issuer, and of what is minted like another one of those."""
    servers.aws.iam.create_user(UserName=OWNER)
    servers.vault.write_policy(OWNER, f'path "secret/data/{OWNER}-only/*" {{ capabilities = ["read"] }}')
    vault = servers.vault.plant(OWNER, OWNER, policies=["default", OWNER])
    acme = servers.acme.plant(OWNER, ("read",))
    return [
        _Exercise("aws_iam_access_key", "aws", "scanner", AWS_STORE, "", functools.partial(_aws, servers)),
        _Exercise("vault_token", "vault", "manual", VAULT_STORE, vault.accessor, functools.partial(_vault, servers)),
        _Exercise("acme_api_token", "acme", "alarm", VAULT_STORE, acme.id, functools.partial(_acme, servers)),
    ]


def _written(each: _Exercise, use: Use, address: str) -> str:
    place = (
        f'{{store = "{use.store}", connection = "{"aws" if use.store == AWS_STORE else "vault"}", name = "{use.name}"}}'
    )
    keys = {
        "name": f'"{each.kind}"',
        "connection": f'"{each.connection}"',
        "kind": f'"{each.kind}"',
        "owners": f'["{OWNER}"]',
        "trigger": f'"{each.trigger}"',
        "like": f'"{each.like}"',
        "deliver": f"[{place}]",
        "consumers": f'[{{webhook = "{address}"}}]',
    }
    return "\n".join(["", "[[drills.exercises]]", *(f"{key} = {value}" for key, value in keys.items())])


def _aws(servers: Servers, document: Document) -> Sequence[Knock]:
    return [doors.aws(servers.aws.endpoint_url, document["id"], document["aws_secret_access_key"])]


def _vault(servers: Servers, document: Document) -> Sequence[Knock]:
    return [doors.vault(servers.vault.address, document["token"])]


def _acme(servers: Servers, document: Document) -> Sequence[Knock]:
    return [doors.acme(servers.acme.address, document["token"])]
