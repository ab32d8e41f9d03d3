"""The practice range: a small company on 127.0.0.1 whose laptop is about to be stolen.

An AWS account and a Vault (both also stores), three SSH hosts, a service with API tokens, and the programs that use
them; with an account for the rotator in each, and a `rotator.toml` that says where replacements go and who must hear.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from rotator.practice.configuration import write_configuration
from rotator.practice.consumer import Consumer, listening
from rotator.practice.estate import settle
from rotator.practice.honesty import Stolen
from rotator.practice.laptop import Loot
from rotator.practice.servers import Servers, running_servers
from rotator.practice.uses import keep


@dataclass(frozen=True, slots=True)
class Range:
    """A range that is up: the rotator's configuration, what is there to be stolen, and who uses it.

    `consumers` are by the id of the credential that each holds before the incident.
    """

    servers: Servers
    config: Path
    loot: Loot
    stolen: tuple[Stolen, ...]
    consumers: Mapping[str, Consumer]


@contextlib.contextmanager
def practice_range(folder: Path) -> Iterator[Range]:
    """Run everything until the block ends. All that it leaves is in `folder`, which must be an absolute path.

    Raises RuntimeError when a server does not start or a consumer cannot use what it holds.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with contextlib.ExitStack() as up:
        servers = up.enter_context(running_servers(folder / "servers"))
        loot, uses, stolen = settle(servers)
        consumers, webhooks = {}, {}
        for use in uses:
            consumer = Consumer(use.consumer, keep(use, servers.aws, servers.vault), use.log_in)
            consumer.reload()
            if consumer.using != use.document["id"]:
                raise RuntimeError(f"the practice range's {use.consumer} cannot use its own credential")
            consumers[consumer.using] = consumer
            webhooks[consumer.name] = up.enter_context(listening(consumer))
        config = write_configuration(folder, servers, uses, webhooks)
        yield Range(servers, config, loot, stolen, consumers)
