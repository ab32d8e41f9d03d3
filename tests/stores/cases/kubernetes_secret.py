"""Secrets of our fake of the published Kubernetes API."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from rotator.credential import Secret
from rotator.ports.connection import Connection
from rotator.practice.process import free_port
from rotator.stores.kubernetes_secret import connect
from tests.fakes.kubernetes_access import Rule
from tests.fakes.kubernetes_cluster import Refused
from tests.fakes.kubernetes_server import kubernetes_server
from tests.stores.store_contract import StoreCase


@contextmanager
def open_case(tmp_path: Path) -> Iterator[StoreCase]:  # noqa: ARG001 - this cluster is in memory
    numbers = count(1)
    with kubernetes_server() as server:
        cluster = server.cluster
        looks = server.bearer("looks", Rule(("get",), ("secrets",), "shop"))

        def connected(address: str, own: Secret = server.admin):
            return connect(Connection("prod", "kubernetes", endpoint_url=address, credential=lambda: own))

        def put(name: str, text: str) -> None:
            namespace, _, leaf = name.partition("/")
            body = {"metadata": {"name": leaf, "labels": {"team": "shop"}}, "stringData": json.loads(text)}
            try:
                cluster.create("secrets", namespace, body)
            except Refused:
                cluster.replace("secrets", namespace, leaf, body)

        def consumer_reads(name: str) -> str | None:
            try:
                data = cluster.read("secrets", *name.split("/"))["data"]
            except Refused:
                return None
            return json.dumps({key: base64.b64decode(value).decode() for key, value in data.items()}, sort_keys=True)

        yield StoreCase(
            store=connected(server.address),
            unreachable=connected(f"http://127.0.0.1:{free_port()}"),
            fresh_name=lambda: f"shop/service-{next(numbers)}",
            put=put,
            consumer_reads=consumer_reads,
            narrow=connected(server.address, looks),
        )
