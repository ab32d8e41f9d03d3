"""Parameters of AWS Systems Manager: consumers read the newest version, which is a SecureString.

A new document waits in a parameter of its own, NAME.rotator-staged-DIGEST, under the same key of KMS: a label could
mark a version, but whoever asks for the name alone gets the newest. Two more stand beside the name, which are no
secrets: NAME.rotator-promoted says what the last promotion was, NAME.rotator-after-N lives while one is under way.
`families/newest.py` says how two hands are kept apart. A parameter of type String is refused: AWS changes no type.

The rotator's own credential needs, for NAME and NAME.rotator-*: ssm:GetParameter, PutParameter, DeleteParameter;
ssm:DescribeParameters; and kms:Encrypt and kms:Decrypt where the key is not AWS's own.
"""

from __future__ import annotations

from typing import Any

from rotator.credential import Secret
from rotator.errors import MayBeAbsent, Rejected
from rotator.families.aws import Account
from rotator.families.newest import NewestIsRead, Note, Value
from rotator.ports import Connection, Store

FAMILY = "aws"

_ENCRYPTED = "SecureString"


def connect(connection: Connection) -> Store:
    """Return the store of one account and region."""
    account = Account(connection)
    return NewestIsRead(lambda: _Parameters(account))


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
        model = self._described(like)
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

    def _described(self, name: str) -> dict[str, Any]:
        wanted = [{"Key": "Name", "Option": "Equals", "Values": [name]}]
        pages = self._exchange.pages("ssm", "describe_parameters", "Parameters", ParameterFilters=wanted)
        return next((dict(each) for each in pages if each["Name"] == name), {})
