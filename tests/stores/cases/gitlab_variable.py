"""CI/CD variables of our fake of GitLab's published interface."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from rotator.credential import Secret
from rotator.ports.connection import Connection
from rotator.practice.process import free_port
from rotator.stores.gitlab_variable import connect
from tests.fakes.gitlab_variables import gitlab_variables
from tests.stores.store_contract import StoreCase

OWNER = "acme/shop"


@contextmanager
def open_case(tmp_path: Path) -> Iterator[StoreCase]:  # noqa: ARG001 - this GitLab is in memory
    numbers = count(1)
    with gitlab_variables() as fake:
        fake.owners.add(("projects", OWNER))

        fake.bearers["glpat-looks"] = (["read_api"], 40)

        def connected(address: str, own: str = fake.own):
            return connect(Connection("gitlab", "gitlab", endpoint_url=address, credential=lambda: Secret(own)))

        def consumer_reads(name: str) -> str | None:
            found = fake.job(OWNER).get(name.partition(":")[2])
            return None if found is None else json.dumps(json.loads(found), sort_keys=True)

        yield StoreCase(
            store=connected(fake.address),
            unreachable=connected(f"http://127.0.0.1:{free_port()}"),
            fresh_name=lambda: f"{OWNER}:TOKEN_{next(numbers)}",
            put=lambda name, text: fake.put(OWNER, name.partition(":")[2], text),
            consumer_reads=consumer_reads,
            narrow=connected(fake.address, "glpat-looks"),
        )
