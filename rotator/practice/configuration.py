"""Write the rotator's own accounts on the practice range, and the `rotator.toml` that leads to them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from rotator.credential import Secret
from rotator.practice.accounts import service_user
from rotator.practice.servers import Servers
from rotator.practice.uses import AWS_STORE, Use

_AWS_RIGHTS = (
    {
        "Action": ["iam:GetRole", "iam:GetRolePolicy", "iam:PutRolePolicy", "iam:UpdateAssumeRolePolicy"],
        "Resource": "*",
    },
    {"Action": ["iam:*AccessKey*", "iam:GetUser", "iam:List*", "iam:PutUserPolicy"], "Resource": "*"},
    {"Action": ["sts:GetCallerIdentity", "secretsmanager:*", "cloudtrail:LookupEvents"], "Resource": "*"},
)


def write_configuration(folder: Path, servers: Servers, uses: Iterable[Use], webhooks: Mapping[str, str]) -> Path:
    """Make the rotator's accounts, keep their credentials in files of mode 0600, and write `rotator.toml`.

    `webhooks` are the consumers' addresses by their names. None of these credentials was on the laptop.
    """
    own = service_user(servers.aws, "rotator", *_AWS_RIGHTS)
    aws = {"aws_access_key_id": own.id, "aws_secret_access_key": own.secret.reveal()}
    keys = folder / "rotator-credentials"
    connections: list[Mapping[str, object]] = [
        {
            "name": "aws",
            "family": "aws",
            "account": servers.aws.account,
            "endpoint_url": servers.aws.endpoint_url,
            "region": servers.aws.region,
            "credential": _kept(keys / "aws.json", Secret(json.dumps(aws))),
        },
        {
            "name": "vault",
            "family": "vault",
            "endpoint_url": servers.vault.address,
            "credential": _kept(keys / "vault-token", servers.vault.rotator.token),
        },
        {
            "name": "hosts",
            "family": "ssh",
            "credential": _kept(keys / "ssh-key", servers.ssh.own_key),
            **servers.ssh.settings,
        },
        {
            "name": "acme",
            "family": "http",
            "kinds": ["acme_api_token"],
            "endpoint_url": servers.acme.address,
            "credential": _kept(keys / "acme-token", servers.acme.admin),
        },
    ]
    credentials: list[Mapping[str, object]] = [
        {
            "match": {"provider": use.provider, "owner": use.owner},
            "criticality": use.criticality,
            **({} if use.reads is None else {"reads": list(use.reads)}),
            "deliver": [
                {"store": use.store, "connection": "aws" if use.store == AWS_STORE else "vault", "name": use.name}
            ],
            "consumers": [{"webhook": webhooks[use.consumer]}],
        }
        for use in uses
    ]
    config = folder / "rotator.toml"
    config.write_text(
        "\n".join(
            [
                "# Written by the practice range.",
                f"data_dir = {_toml(str(folder / 'rotator-data'))}",
                *(_table("connections", each) for each in connections),
                *(_table("credentials", each) for each in credentials),
            ]
        ),
        encoding="utf-8",
    )
    return config


def _kept(path: Path, secret: Secret) -> str:
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(secret.reveal(), encoding="utf-8")
    return f"file:{path}"


def _table(name: str, fields: Mapping[str, object]) -> str:
    return "\n".join(["", f"[[{name}]]", *(f"{key} = {_toml(value)}" for key, value in fields.items())])


def _toml(value: object) -> str:
    """Write a text, a list or an inline table; TOML's basic strings escape as JSON's do."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key} = {_toml(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(each) for each in value) + "]"
    return json.dumps(value)
