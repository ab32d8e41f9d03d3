"""What the practice range's company owns: its credentials, the programs that use them, and what lay on the laptop."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

import asyncssh

from rotator.credential import Secret
from rotator.practice import doors
from rotator.practice.accounts import leaky_user
from rotator.practice.consumer import Document
from rotator.practice.doors import Knock
from rotator.practice.honesty import Stolen
from rotator.practice.laptop import AwsKey, Loot
from rotator.practice.openbao import OpenBao, PlantedToken
from rotator.practice.servers import Servers
from rotator.practice.uses import AWS_STORE, VAULT_STORE, Use


def settle(servers: Servers) -> tuple[Loot, tuple[Use, ...], tuple[Stolen, ...]]:
    """Mint every credential; return what lies on the laptop, who uses what, and how to knock with each.

    The stolen Vault token may read `payments/*`, where the replacement of the Acme token goes: it must die first.
    Nothing uses the key of `backup` any more, so it is only revoked; and no scanner sees its secret whole.
    """
    ci, data, backup = (leaky_user(servers.aws, name) for name in ("ci", "data", "backup"))
    servers.vault.write_policy("payments", 'path "secret/data/payments/*" { capabilities = ["read"] }')
    deploy = _found_by_scanners(
        lambda: servers.vault.plant("payments", "payments-deploy", policies=["default", "payments"]), servers.vault
    )
    acme = servers.acme.plant("billing", ("invoices:read", "invoices:write"))
    key = asyncssh.generate_private_key("ssh-ed25519", comment="dev@laptop")
    pem = Secret(key.export_private_key().decode())
    servers.ssh.authorize(key.export_public_key().decode().strip())

    aws = functools.partial(_aws, servers.aws.endpoint_url)
    vault = functools.partial(_vault, servers.vault.address)
    uses = (
        Use("ci-runner", "aws_iam_access_key", "ci", AWS_STORE, "ci/aws", "high", _aws_document(ci), aws),
        Use(
            "warehouse", "aws_iam_access_key", "data", VAULT_STORE, "warehouse/aws", "medium", _aws_document(data), aws
        ),
        Use(
            "payments-gateway",
            "vault_token",
            "payments-deploy",
            AWS_STORE,
            "payments/vault",
            "critical",
            {"id": deploy.accessor, "token": deploy.token.reveal()},
            vault,
            reads=("vault:secret/payments/*",),
        ),
        Use(
            "billing",
            "acme_api_token",
            "billing",
            VAULT_STORE,
            "payments/acme",
            "high",
            {"id": acme.id, "token": acme.token.reveal()},
            functools.partial(_acme, servers.acme.address),
        ),
        Use(
            "deployer",
            "ssh_authorized_key",
            "deploy",
            VAULT_STORE,
            "deploy/ssh",
            "high",
            {"id": key.get_fingerprint(), "private_key": pem.reveal()},
            functools.partial(_ssh, servers),
        ),
    )
    stolen = (
        *(
            Stolen(_label(use), use.provider, use.document["id"], functools.partial(use.log_in, use.document))
            for use in uses
        ),
        Stolen(
            "AWS key of backup",
            "aws_iam_access_key",
            backup.id,
            functools.partial(aws, _aws_document(backup)),
            whole=False,
        ),
    )
    return Loot(ci, data, backup, pem, deploy.token, acme.token), uses, stolen


def _found_by_scanners(mint: Callable[[], PlantedToken], vault: OpenBao) -> PlantedToken:
    """Mint until the token holds a digit: the scanner takes the one in fifty without for a word, and passes it over."""
    token = mint()
    while not any(letter.isdigit() for letter in token.token.reveal().partition(".")[2]):
        vault.call("POST", "auth/token/revoke-accessor", {"accessor": token.accessor})
        token = mint()
    return token


def _label(use: Use) -> str:
    kind = {"aws_iam_access_key": "AWS key", "vault_token": "Vault token", "acme_api_token": "Acme token"}
    return f"{kind.get(use.provider, 'SSH key')} of {use.owner}"


def _aws_document(key: AwsKey) -> Document:
    return {"id": key.id, "aws_access_key_id": key.id, "aws_secret_access_key": key.secret.reveal()}


def _aws(address: str, document: Document) -> Sequence[Knock]:
    return [doors.aws(address, document["id"], document["aws_secret_access_key"])]


def _vault(address: str, document: Document) -> Sequence[Knock]:
    return [doors.vault(address, document["token"])]


def _acme(address: str, document: Document) -> Sequence[Knock]:
    return [doors.acme(address, document["token"])]


def _ssh(servers: Servers, document: Document) -> Sequence[Knock]:
    return [
        doors.ssh(name, address, port, (servers.ssh.user, document["private_key"]))
        for name, address, port in servers.ssh.doors()
    ]
