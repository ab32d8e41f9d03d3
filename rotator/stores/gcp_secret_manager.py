"""Secrets of Google's Secret Manager: consumers read `latest`, which is the version that was added last.

`name` is the secret's name in the connection's project. A version cannot wait in the secret itself, since it would be
`latest` at once (an alias would have to be followed by every consumer). So a new document waits in a secret of its own,
NAME-rotator-staged-DIGEST. Two more stand beside the name, without a version: NAME-rotator-promoted says in a label
what the last promotion was, NAME-rotator-after-N lives while one is under way. Making a secret is what only one can
do; an etag guards a secret's labels, and not the adding of a version. `families/newest.py` says how two hands are kept
apart.

A secret that is not there is made, replicated automatically. Needs, for NAME and NAME-rotator-*:
secretmanager.secrets.{create,get,update,delete} and secretmanager.versions.{add,get,access}. To ask what it may do,
the credential needs nothing more; Resource Manager's API must be enabled. What a condition grants by those names cannot
be asked before they are there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rotator.credential import Secret
from rotator.errors import MayBeAbsent, Rejected
from rotator.families.gcp_permissions import Needs, on_all, on_one
from rotator.families.gcp_secrets import SecretManager
from rotator.families.newest import NewestIsRead, Note, Value
from rotator.permissions import LOOK, Permission
from rotator.ports.connection import Connection
from rotator.ports.store import Store

FAMILY = "gcp"

_ANY = ("promote", "demote")
_NAMED: Needs = {
    "secretmanager.versions.get": (LOOK, *_ANY),
    "secretmanager.versions.access": (LOOK, *_ANY),
    "secretmanager.secrets.get": _ANY,
    "secretmanager.versions.add": _ANY,
}
_MADE: Needs = {"secretmanager.secrets.create": _ANY}
_BESIDE: Needs = {
    "secretmanager.versions.get": _ANY,
    "secretmanager.versions.access": _ANY,
    "secretmanager.versions.add": ("promote",),
    "secretmanager.secrets.get": _ANY,
    "secretmanager.secrets.update": ("promote",),
    "secretmanager.secrets.delete": _ANY,
}
"""What is needed of NAME itself, to make a secret (asked of the project), and of what stands beside NAME."""

_LABEL = "rotator"
_UNREADABLE = {"failed_precondition", "refused"}
"""A version that is disabled or destroyed: 400 FAILED_PRECONDITION."""


def connect(connection: Connection) -> Store:
    """Return the store of one project. Raises BadInput where the connection names none."""
    return GcpSecretManager(SecretManager(connection))


class GcpSecretManager(NewestIsRead):
    """The secrets of one project."""

    def __init__(self, manager: SecretManager) -> None:
        super().__init__(lambda: _Secrets(manager))
        self._project = manager.project

    def permissions(self, whose: str | None) -> Sequence[Permission]:
        """Return what is granted on a name, and of what will stand beside it, or on all of the project."""
        if whose is None:
            return [*on_all(self._project, {**_BESIDE, **_NAMED}), *on_all(self._project, _MADE, narrower="")]
        path = f"/v1/{_path(self._project.id, whose)}"
        beside = f"it is needed on {whose}-rotator-* too, and a grant by name shows only once they are there"
        return [
            *on_one(self._project, "secretmanager", path, f"secret {whose}", _NAMED, may_be_made=True),
            *on_all(self._project, _MADE, narrower=""),
            *on_all(self._project, _BESIDE, narrower=beside),
        ]


class _Secrets:
    """The calls of one method."""

    def __init__(self, manager: SecretManager) -> None:
        self._exchange = manager.exchange()
        self._parent, self._project = f"projects/{manager.project.id}", manager.project.id

    def beside(self, name: str, what: str) -> str:
        return f"{name}-rotator-{what}"

    def newest(self, name: str) -> Value | None:
        found = self._found("get_secret_version", name=f"{self._path(name)}/versions/latest")
        if found is None:
            return None
        number = int(found.name.rpartition("/")[2])
        return Value(number, self.at(name, number))

    def at(self, name: str, number: int) -> Secret | None:
        """Return the text of a version, None where it is gone or disabled. Raises Rejected("not_text")."""
        try:
            found = self._found("access_secret_version", name=f"{self._path(name)}/versions/{number}")
        except Rejected as refusal:
            if refusal.reason not in _UNREADABLE:
                raise
            return None
        try:
            return None if found is None else Secret(found.payload.data.decode())
        except UnicodeDecodeError:
            raise Rejected("not_text", f"version {number} of {name} is binary") from None

    def add(self, name: str, text: Secret, like: str) -> int:
        model = self._found("get_secret", name=self._path(like))
        if name != like or model is None:
            self._make(name, {}, model)
        payload = {"data": text.reveal().encode()}
        made = self._exchange.change("add_secret_version", parent=self._path(name), payload=payload)
        return int(made.name.rpartition("/")[2])

    def note(self, name: str) -> Note | None:
        found = self._found("get_secret", name=self._path(name))
        return None if found is None else Note(found.labels.get(_LABEL, ""), found.create_time.timestamp())

    def write_new(self, name: str, text: str) -> bool:
        return self._make(name, {_LABEL: text}, None)

    def write(self, name: str, text: str) -> None:
        if not self._make(name, {_LABEL: text}, None):
            secret = {"name": self._path(name), "labels": {_LABEL: text}}
            self._exchange.change("update_secret", secret=secret, update_mask={"paths": ["labels"]})

    def remove(self, name: str) -> None:
        with MayBeAbsent():
            self._exchange.change("delete_secret", name=self._path(name))

    def _make(self, name: str, labels: dict[str, str], model: Any) -> bool:
        """Make a secret, replicated as the model is; False where there is one already."""
        replication = {"automatic": {}} if model is None else model.replication
        secret = {"replication": replication, "labels": labels}
        try:
            self._exchange.change("create_secret", parent=self._parent, secret_id=name, secret=secret)
        except Rejected as refusal:
            if refusal.reason != "already_exists":
                raise
            return False
        return True

    def _path(self, name: str) -> str:
        return _path(self._project, name)

    def _found(self, operation: str, **request: Any) -> Any:
        with MayBeAbsent():
            return self._exchange.read(operation, **request)
        return None


def _path(project: str, name: str) -> str:
    if not name or not name.replace("-", "").replace("_", "").isalnum():
        raise Rejected("bad_name", f"{name} is not a secret's name: letters, digits, - and _")
    return f"projects/{project}/secrets/{name}"
