"""The same SSM store, whichever emulator stands for AWS."""

from __future__ import annotations

import secrets

from rotator.families.newest import EMPTY
from rotator.practice.ministack import Ministack
from rotator.practice.process import free_port
from rotator.stores.aws_ssm_parameter import connect
from tests.contracts.cases.aws_iam_access_key import LOOKING, allowed, as_user
from tests.servers.moto import Moto
from tests.stores.secrets_manager_case import Unasked, connection
from tests.stores.store_contract import StoreCase


def store_case(server: Ministack | Moto) -> StoreCase:
    consumer = server.client("ssm")

    def consumer_reads(name: str) -> str | None:
        try:
            text = consumer.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]
        except consumer.exceptions.ParameterNotFound:
            return None
        return None if text == EMPTY else text

    store = connect(connection(server))
    return StoreCase(
        store=Unasked(store) if isinstance(server, Moto) else store,
        unreachable=connect(connection(server, f"http://127.0.0.1:{free_port()}")),
        fresh_name=lambda: f"/ci/{secrets.token_hex(6)}",
        put=lambda name, text: consumer.put_parameter(Name=name, Value=text, Type="SecureString", Overwrite=True),
        consumer_reads=consumer_reads,
        narrow=None if isinstance(server, Moto) else connect(as_user(server, allowed(*LOOKING))),
    )
