"""Who uses which credential in the practice range: where it is kept, who reads it there, how it is logged in with."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from rotator.practice import doors
from rotator.practice.accounts import service_user
from rotator.practice.consumer import Document
from rotator.practice.doors import Knock
from rotator.practice.ministack import Ministack
from rotator.practice.openbao import OpenBao

AWS_STORE, VAULT_STORE = "aws_secrets_manager", "vault_kv"


@dataclass(frozen=True, slots=True)
class Use:
    """One credential in use. `document` is what its store holds before the incident."""

    consumer: str
    provider: str
    owner: str
    store: str
    name: str
    criticality: str
    document: Document
    log_in: Callable[[Document], Sequence[Knock]]
    reads: tuple[str, ...] | None = None


def keep(use: Use, aws: Ministack, vault: OpenBao) -> Callable[[], Document]:
    """Put the document into its store; return how its consumer reads it, with a reader identity of its own.

    The reader raises OSError when the store refuses or is silent.
    """
    if use.store == AWS_STORE:
        aws.client("secretsmanager").create_secret(Name=use.name, SecretString=json.dumps(use.document))
        allowed = {
            "Action": "secretsmanager:GetSecretValue",
            "Resource": f"arn:aws:secretsmanager:*:*:secret:{use.name}-*",
        }
        reader = service_user(aws, f"{use.consumer}-reader", allowed)
        return lambda: _from_aws(aws.endpoint_url, (reader.id, reader.secret.reveal()), use.name)
    vault.put(use.name, use.document)
    policy = f"{use.consumer}-reader"
    vault.write_policy(policy, f'path "secret/data/{use.name}" {{ capabilities = ["read"] }}')
    token = vault.plant(policy, policy).token
    return lambda: _from_vault(vault.address, token.reveal(), use.name)


def _from_aws(address: str, key: tuple[str, str], name: str) -> Document:
    status, body = doors.aws_call(
        address,
        "secretsmanager",
        *key,
        target="secretsmanager.GetSecretValue",
        fields={"SecretId": name, "VersionStage": "AWSCURRENT"},
    )
    return _document(status, body, lambda answer: json.loads(answer["SecretString"]))


def _from_vault(address: str, token: str, name: str) -> Document:
    status, body = doors.http("GET", f"{address}/v1/secret/data/{name}", {"X-Vault-Token": token})
    return _document(status, body, lambda answer: answer["data"]["data"])


def _document(status: int, body: str, find: Callable[[Any], object]) -> Document:
    if status != HTTPStatus.OK:
        raise OSError(f"the store answered {status}")
    found = find(json.loads(body))
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else {}
