"""The same Secrets Manager store, whichever emulator stands for AWS."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from typing import Any

from rotator.credential import Secret
from rotator.ports.connection import Connection
from rotator.ports.store import Store
from rotator.practice.ministack import Ministack
from rotator.practice.process import free_port
from rotator.stores.aws_secrets_manager import EMPTY_VALUE, connect
from tests.contracts.cases.aws_iam_access_key import LOOKING, allowed, as_user
from tests.servers.moto import Moto
from tests.stores.store_contract import StoreCase


def connection(
    server: Ministack | Moto,
    endpoint_url: str | None = None,
    credential: Callable[[], Secret] | None = None,
) -> Connection:
    document = {"aws_access_key_id": server.admin_id, "aws_secret_access_key": server.admin_secret.reveal()}
    own = Secret(json.dumps(document))
    address = endpoint_url or server.endpoint_url
    return Connection("aws-test", "aws", server.account, address, credential or (lambda: own))


class Unasked:
    """A store on moto, which has no SimulatePrincipalPolicy and breaks down when asked: it cannot be asked there."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        if name == "permissions":
            raise AttributeError(name)
        return getattr(self._store, name)


def store_case(server: Ministack | Moto) -> StoreCase:
    consumer = server.client("secretsmanager")

    def put(name: str, text: str) -> None:
        try:
            stages = consumer.describe_secret(SecretId=name)["VersionIdsToStages"]
        except consumer.exceptions.ResourceNotFoundException:
            consumer.create_secret(Name=name, SecretString=text)
            return
        # In two calls: moto leaves AWSCURRENT on two versions when PutSecretValue takes it from a promoted one.
        current = next(version for version, labels in stages.items() if "AWSCURRENT" in labels)
        made = consumer.put_secret_value(SecretId=name, SecretString=text, VersionStages=["BY_HAND"])["VersionId"]
        consumer.update_secret_version_stage(
            SecretId=name, VersionStage="AWSCURRENT", MoveToVersionId=made, RemoveFromVersionId=current
        )

    def consumer_reads(name: str) -> str | None:
        try:
            # moto answers the old value when the stage is left out.
            text = consumer.get_secret_value(SecretId=name, VersionStage="AWSCURRENT")["SecretString"]
        except consumer.exceptions.ResourceNotFoundException:
            return None
        return None if text == EMPTY_VALUE else text

    store = connect(connection(server))
    return StoreCase(
        store=Unasked(store) if isinstance(server, Moto) else store,
        unreachable=connect(connection(server, f"http://127.0.0.1:{free_port()}")),
        fresh_name=lambda: f"ci/{secrets.token_hex(6)}",
        put=put,
        consumer_reads=consumer_reads,
        narrow=None if isinstance(server, Moto) else connect(as_user(server, allowed(*LOOKING))),
    )
