"""Parameters of AWS Systems Manager: consumers read the newest version, which is a SecureString.

A new document waits in a parameter of its own, NAME.rotator-staged-DIGEST, under the same key of KMS: a label could
mark a version, but whoever asks for the name alone gets the newest. Two more stand beside the name, which are no
secrets: NAME.rotator-promoted says what the last promotion was, NAME.rotator-after-N lives while one is under way.
`families/newest.py` says how two hands are kept apart. A parameter of type String is refused: AWS changes no type.

The rotator's own credential needs, for NAME and NAME.rotator-*: ssm:GetParameter, PutParameter, DeleteParameter;
ssm:DescribeParameters; and kms:Encrypt and kms:Decrypt where the key is not AWS's own (kms:GenerateDataKey for the
advanced tier); to be asked what it may do, also iam:SimulatePrincipalPolicy on itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rotator.credential import Secret
from rotator.errors import MayBeAbsent, Rejected
from rotator.families.aws import Account, Exchange
from rotator.families.aws_permissions import Simulation, Thing, needs
from rotator.families.newest import NewestIsRead, Note, Value
from rotator.permissions import LOOK, Permission
from rotator.ports.connection import Connection

FAMILY = "aws"

_ENCRYPTED = "SecureString"
_AWS_KEY = "alias/aws/ssm"


def connect(connection: Connection) -> AwsSsmParameters:
    """Return the store of one account and region."""
    return AwsSsmParameters(Account(connection))


class AwsSsmParameters(NewestIsRead):
    """Parameters by name."""

    def __init__(self, account: Account) -> None:
        super().__init__(lambda: _Parameters(account))
        self._account = account

    def permissions(self, whose: str | None) -> Sequence[Permission]:
        simulation = Simulation(self._account)
        of_name = f"parameter/{(whose or '*').lstrip('/')}"
        name = Thing(simulation.arn("ssm", of_name), "" if whose else "name a parameter")
        beside = Thing(
            simulation.arn("ssm", f"{of_name}.rotator-*"),
            f"grant it on {of_name}.rotator-*" if whose else "name a parameter",
            unmade=whose is not None,
        )
        changes = ("promote", "demote")
        asked = [
            *needs(name, (LOOK, *changes), "ssm:GetParameter"),
            *needs(beside, (LOOK, *changes), "ssm:GetParameter"),
            *needs(Thing(simulation.arn("ssm", "*")), changes, "ssm:DescribeParameters"),
            *needs(name, changes, "ssm:PutParameter"),
            *needs(beside, changes, "ssm:PutParameter", "ssm:DeleteParameter"),
        ]
        if key := self._key(simulation, whose):
            asked += needs(key, (LOOK, *changes), "kms:Decrypt")
            asked += needs(key, changes, "kms:Encrypt", "kms:GenerateDataKey")
        return simulation.told(asked)

    def _key(self, simulation: Simulation, name: str | None) -> Thing | None:
        """Return the key that the name is under, None where it is AWS's own, as for a new one."""
        if name is None:
            return simulation.any_key()
        try:
            found = _described(simulation.exchange, name)
        except Rejected as refusal:
            if refusal.reason != "access_denied":
                raise
            return simulation.any_key()
        key = str(found.get("KeyId") or _AWS_KEY)
        return None if key.endswith(_AWS_KEY) else simulation.key(key)


class _Parameters:
    """The calls of one method."""

    def __init__(self, account: Account) -> None:
        self._exchange = account.exchange()

    def beside(self, name: str, what: str) -> str:
        return f"{name}.rotator-{what}"

    def newest(self, name: str) -> Value | None:
        found = self._found(name)
        return None if found is None else Value(int(found["Version"]), Secret(str(found["Value"])))

    def at(self, name: str, number: int) -> Secret | None:
        found = self._found(f"{name}:{number}")
        return None if found is None else Secret(str(found["Value"]))

    def add(self, name: str, text: Secret, like: str) -> int:
        """Write the newest version. Raises Rejected("not_encrypted") where the name holds plain text."""
        model = _described(self._exchange, like)
        if model and model["Type"] != _ENCRYPTED:
            raise Rejected("not_encrypted", f"{like} is a {model['Type']}: delete it and make it a {_ENCRYPTED}")
        # AWS would take its own key, and the cheaper tier, where neither is named again.
        kept = {key: model[key] for key in ("KeyId", "Tier") if model.get(key)}
        overwrite = bool(model) if name == like else False
        made = self._put(name, Value=text.reveal(), Type=_ENCRYPTED, Overwrite=overwrite, **kept)
        return int(made["Version"])

    def note(self, name: str) -> Note | None:
        found = self._found(name)
        return None if found is None else Note(str(found["Value"]), found["LastModifiedDate"].timestamp())

    def write_new(self, name: str, text: str) -> bool:
        try:
            self._put(name, Value=text, Type="String", Overwrite=False)
        except Rejected as refusal:
            if refusal.reason != "already_exists":
                raise
            return False
        return True

    def write(self, name: str, text: str) -> None:
        self._put(name, Value=text, Type="String", Overwrite=True)

    def remove(self, name: str) -> None:
        with MayBeAbsent():
            self._exchange.change("ssm", "delete_parameter", Name=name)

    def _put(self, name: str, **what: Any) -> Any:
        return self._exchange.change("ssm", "put_parameter", Name=name, **what)

    def _found(self, name: str) -> Any:
        with MayBeAbsent():
            return self._exchange.read("ssm", "get_parameter", Name=name, WithDecryption=True)["Parameter"]
        return None


def _described(exchange: Exchange, name: str) -> dict[str, Any]:
    wanted = [{"Key": "Name", "Option": "Equals", "Values": [name]}]
    pages = exchange.pages("ssm", "describe_parameters", "Parameters", ParameterFilters=wanted)
    return next((dict(each) for each in pages if each["Name"] == name), {})
