"""KV version 2 of a real OpenBao server, written with the rotator's own narrow token."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import requests

from rotator.credential import Secret
from rotator.ports.connection import Connection
from rotator.practice.openbao import openbao
from rotator.practice.process import free_port
from rotator.stores.vault_kv import connect
from tests.stores.store_contract import StoreCase


@contextmanager
def open_case(tmp_path: Path) -> Iterator[StoreCase]:
    numbers = count(1)
    with openbao(tmp_path) as server:
        server.write_policy("consumer", 'path "secret/data/app/*" { capabilities = ["read"] }')
        consumer = server.plant("consumer", "consumer")

        def connected(address: str, own: Secret = server.rotator.token):
            return connect(Connection("vault", "vault", endpoint_url=address, credential=lambda: own))

        def consumer_reads(name: str) -> str | None:
            answer = requests.get(
                f"{server.address}/v1/secret/data/{name}",
                headers={"X-Vault-Token": consumer.token.reveal()},
                timeout=15,
            )
            if answer.status_code == 404:
                return None
            answer.raise_for_status()
            return json.dumps(answer.json()["data"]["data"], sort_keys=True)

        yield StoreCase(
            store=connected(server.address),
            unreachable=connected(f"http://127.0.0.1:{free_port()}"),
            fresh_name=lambda: f"app/service-{next(numbers)}",
            put=lambda name, document: server.put(name, json.loads(document)),
            consumer_reads=consumer_reads,
            narrow=connected(server.address, consumer.token),
        )
