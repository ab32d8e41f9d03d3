"""AWS Secrets Manager: a version is staged under a label of its own, then AWSCURRENT moves to it.

The rotator's own credential needs on the secret: DescribeSecret, GetSecretValue, PutSecretValue,
UpdateSecretVersionStage, and CreateSecret where it may be missing; kms:Decrypt and GenerateDataKey on the key that it
is under, unless that is AWS's own; to be asked what it may do, GetResourcePolicy, and iam:SimulatePrincipalPolicy on
itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid5

from rotator.credential import Secret
from rotator.errors import MayBeAbsent, Rejected
from rotator.families.aws import Account, Exchange
from rotator.families.aws_permissions import Simulation, needs
from rotator.families.aws_secret_permissions import looked_up
from rotator.permissions import LOOK, Permission
from rotator.ports.connection import Connection

FAMILY = "aws"

CURRENT = "AWSCURRENT"
EMPTY_STAGE = "ROTATOR_EMPTY"
EMPTY_VALUE = "{}"
_TOKENS = UUID("0b5d7d6e-6a0e-4c43-9d0c-2a6f1b0c9a57")
EMPTY_VERSION = str(uuid5(_TOKENS, "empty"))


def connect(connection: Connection) -> AwsSecretsManager:
    """Return the store of one account and region."""
    return AwsSecretsManager(connection)


class AwsSecretsManager:
    """Secrets by name or ARN.

    The first version of a secret becomes AWSCURRENT whatever labels it is given, so a first replacement would reach
    its consumers before it is proven. Hence a secret that holds nothing gets an empty first version, and `current`
    answers None while that is the current one.
    """

    def __init__(self, connection: Connection) -> None:
        self._account = Account(connection)

    def current(self, name: str) -> str | None:
        return _consumed(self._versions(self._account.exchange(), name) or {})

    def staged(self, name: str, token: str) -> str | None:
        version = _version(token)
        return version if version in (self._versions(self._account.exchange(), name) or {}) else None

    def stage(self, name: str, document: Secret, token: str) -> str:
        exchange = self._account.exchange()
        version = _version(token)
        versions = self._versions(exchange, name)
        if versions is None:
            self._make(exchange, name)
        elif not _with(versions, CURRENT):
            self._fill(exchange, name)
        elif version in versions:
            return version
        self._put(exchange, name, document.reveal(), version, _label(version))
        return version

    def read(self, name: str, version: str) -> Secret:
        """Return the text of one version.

        Raises Rejected("not_found"), or Rejected("not_text") for a binary one.
        """
        answer = self._account.exchange().read("secretsmanager", "get_secret_value", SecretId=name, VersionId=version)
        if "SecretString" not in answer:
            raise Rejected("not_text", f"version {version} of {name} is binary")
        return Secret(answer["SecretString"])

    def promote(self, name: str, version: str, expected: str | None) -> str:
        exchange = self._account.exchange()
        versions = self._versions(exchange, name) or {}
        if _consumed(versions) != version:
            if _consumed(versions) != expected:
                raise Rejected("store_changed", f"{name} is at {_consumed(versions)}, not at {expected}")
            self._move(exchange, name, versions, version)
        if _label(version) in versions.get(version, ()):
            # A version that keeps a label is never cleared away: this one shall go when it is neither current nor
            # previous any more.
            self._label(exchange, name, _label(version), RemoveFromVersionId=version)
        return version

    def demote(self, name: str, version: str, previous: str | None) -> None:
        """Move AWSCURRENT back.

        Raises Rejected("nothing_to_return_to") when the version consumers had before is gone.
        """
        exchange = self._account.exchange()
        versions = self._versions(exchange, name) or {}
        if _consumed(versions) != version:
            return
        target = previous or _empty(versions)
        if target is None:
            raise Rejected("nothing_to_return_to", f"{name} has no empty version any more")
        self._move(exchange, name, versions, target)

    def permissions(self, whose: str | None) -> Sequence[Permission]:
        simulation = Simulation(self._account)
        found = looked_up(simulation, whose)
        deliver = ("promote",)
        asked = [
            *needs(found.secret, (LOOK, "promote", "demote"), "secretsmanager:DescribeSecret"),
            *needs(found.secret, deliver, "secretsmanager:PutSecretValue", "secretsmanager:GetSecretValue"),
            *needs(found.secret, ("promote", "demote"), "secretsmanager:UpdateSecretVersionStage"),
        ]
        for form in found.made_as:
            asked += needs(form, deliver, "secretsmanager:CreateSecret")
        if found.key:
            asked += needs(found.key, deliver, "kms:GenerateDataKey", "kms:Decrypt")
        return simulation.told(asked)

    def _versions(self, exchange: Exchange, name: str) -> dict[str, list[str]] | None:
        """Return the labelled versions with their labels, or None when there is no such secret."""
        with MayBeAbsent():
            found = exchange.read("secretsmanager", "describe_secret", SecretId=name)
            return dict(found.get("VersionIdsToStages", {}))
        return None

    def _make(self, exchange: Exchange, name: str) -> None:
        try:
            made = exchange.change(
                "secretsmanager",
                "create_secret",
                Name=name,
                SecretString=EMPTY_VALUE,
                ClientRequestToken=EMPTY_VERSION,
            )
        except Rejected as refusal:
            if refusal.reason != "already_exists":  # another worker was first
                raise
            return
        if made["VersionId"] != EMPTY_VERSION:  # ministack gives a first version an id of its own
            self._label(exchange, name, EMPTY_STAGE, MoveToVersionId=made["VersionId"])

    def _fill(self, exchange: Exchange, name: str) -> None:
        """Give an empty version to a secret that was made without any; harmless when another hand was faster."""
        self._put(exchange, name, EMPTY_VALUE, EMPTY_VERSION, EMPTY_STAGE)

    def _put(self, exchange: Exchange, name: str, text: str, version: str, stage: str) -> None:
        exchange.change(
            "secretsmanager",
            "put_secret_value",
            SecretId=name,
            SecretString=text,
            ClientRequestToken=version,
            VersionStages=[stage],
        )

    def _move(self, exchange: Exchange, name: str, versions: dict[str, list[str]], version: str) -> None:
        """Move AWSCURRENT from where it was seen; the service refuses when it is there no more."""
        seen = _with(versions, CURRENT)
        source: dict[str, Any] = {"RemoveFromVersionId": seen} if seen else {}
        try:
            self._label(exchange, name, CURRENT, MoveToVersionId=version, **source)
        except Rejected as refusal:
            if refusal.reason not in {"invalid_parameter", "not_found"}:
                raise
            raise Rejected("store_changed", f"another hand moved {CURRENT} of {name}") from None

    def _label(self, exchange: Exchange, name: str, stage: str, **move: str) -> None:
        exchange.change("secretsmanager", "update_secret_version_stage", SecretId=name, VersionStage=stage, **move)


def _version(token: str) -> str:
    """Return the version id of a token: the service takes ours, which makes staging idempotent."""
    return str(uuid5(_TOKENS, token))


def _label(version: str) -> str:
    """Return a label of this version alone: a shared one would leave the version that had it before."""
    return f"ROTATOR_STAGED_{version}"


def _with(versions: dict[str, list[str]], stage: str) -> str | None:
    return next((version for version, stages in versions.items() if stage in stages), None)


def _empty(versions: dict[str, list[str]]) -> str | None:
    return EMPTY_VERSION if EMPTY_VERSION in versions else _with(versions, EMPTY_STAGE)


def _consumed(versions: dict[str, list[str]]) -> str | None:
    """Return the version that consumers read, None when it is the empty one."""
    current = _with(versions, CURRENT)
    return None if current == _empty(versions) else current
