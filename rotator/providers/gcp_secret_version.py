"""A version of a secret in Google's Secret Manager: a copy of a value, not a door that the value opens.

Disabling a version lets nobody read it, and can be undone; destroying it takes the copy away for good. Whatever the
value opens is closed by its own issuer, in a run of that kind: here nothing is ever proven dead, and only stated to be
out of reach. `latest` means the version that was made last, enabled or not: so that one is never touched, or whoever
asks for it would get nothing.
A version is named SECRET:NUMBER:TIME, since a secret that is made again counts from 1.
The rotator's own credential needs: secretmanager.versions.{get,list,access,enable,disable,destroy}, and secrets.list to
discover. To ask what it may do, it needs nothing more; for a whole project, Resource Manager's API must be enabled.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import quote

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.errors import MayBeAbsent, Rejected, Unavailable
from rotator.families.gcp import FAMILY, Exchange, Project, listing
from rotator.families.gcp_permissions import on_all, on_one
from rotator.kind import Kind
from rotator.permissions import LOOK, Permission
from rotator.ports.connection import Connection
from rotator.ports.listing import Discovered
from rotator.ports.provider import Capability, State, Status, Verdict
from rotator.rest_kind import RestKind

SERVICE = "secretmanager"
NEEDS = {
    "secretmanager.versions.list": (LOOK,),
    "secretmanager.versions.get": (LOOK,),
    "secretmanager.versions.access": (LOOK,),
    "secretmanager.versions.disable": ("suspend",),
    "secretmanager.versions.enable": ("resume",),
    "secretmanager.versions.destroy": ("revoke",),
}
"""Google's permissions, and what needs them: a value that is reported without its number is read to name it."""

_FULL = re.compile(r"projects/([^/]+)/secrets/([^/]+)(?:/versions/([0-9]+))?")
_SHORT = re.compile(r"([A-Za-z0-9_-]{1,255})(?:[:#]([0-9]+)(?::[0-9TZ]+)?)?")
_ID = re.compile(r"[A-Za-z0-9_-]{1,255}:([0-9]+):[0-9TZ]+")
_STATES = {"ENABLED": State.ACTIVE, "DISABLED": State.SUSPENDED, "DESTROYED": State.ABSENT}


def connect(connection: Connection, name: str, rest: RestKind | None = None) -> GcpSecretVersion:
    """Return the provider for one project."""
    return GcpSecretVersion(connection, name)


class GcpSecretVersion(Kind):
    """Versions of one project's secrets; `owner` is the secret's name in the project."""

    family: ClassVar[str] = FAMILY
    capability: ClassVar[Capability] = Capability.REVOCABLE
    no_knock: ClassVar[str] = "a copy has no door: what the value opens is tried by its own kind"
    sends_secret: ClassVar[bool] = False
    nobody: ClassVar[tuple[str, str]] = ("rotator-provider-check", "rotator-provider-check:1:20200101T000000Z")
    calls: ClassVar[Mapping[str, int]] = {"preserve": 2, "suspend": 2, "resume": 2, "revoke": 2}
    settle_s = 0.0  # a version's state is the same everywhere at once
    secret_field = "value"  # noqa: S105 - the name of a field

    def __init__(self, connection: Connection, name: str) -> None:
        super().__init__(connection, name)
        self._project = Project(connection)

    def identify(self, leaked: Leaked) -> CredentialRef:
        """Name the version that holds the value: each is read with our own credential, and compared here.

        Without the value, the report must name the version (SECRET:NUMBER, or Google's full name). Raises
        Rejected("unreadable") for neither, Rejected("unknown_credential") when no enabled version holds that value.
        """
        told = leaked.id or leaked.owner or ""
        full, short = _FULL.fullmatch(told), _SHORT.fullmatch(told)
        project, secret, number = full.groups() if full else (None, *(short.groups() if short else (None, None)))
        for named in (project, leaked.account):
            if named is not None and not named.isdigit() and named != self._project.id:  # a number is nobody's id
                raise Rejected("not_this_account", f"the report names project {named}")
        if secret is None or (leaked.secret is None and number is None):
            raise Rejected("unreadable", "name the secret, and its version or its value")
        exchange = self._project.exchange()
        for each in self._versions(exchange, secret):
            if number in (None, _number(each)) and (
                leaked.secret is None or self._holds(exchange, secret, each, leaked.secret)
            ):
                return self._ref(secret, each)
        raise Rejected("unknown_credential", f"no version of {secret} that can be read holds this value")

    def inspect(self, ref: CredentialRef) -> Status:
        return _status(self._found(self._project.exchange(), ref))

    def siblings(self, ref: CredentialRef) -> frozenset[CredentialRef]:
        """Return the secret's versions that are not destroyed."""
        versions = self._versions(self._project.exchange(), ref.owner)
        return frozenset(self._ref(ref.owner, each) for each in versions if _state(each) is not State.ABSENT)

    def discover(self) -> Iterator[Discovered]:
        """Yield the versions of every secret that are not destroyed. Google does not tell when one was last read."""
        path = f"/v1/projects/{quote(self._project.id, safe=':')}/secrets"
        for secret in listing(self._project, SERVICE, path, "secrets"):
            name = str(secret["name"]).rpartition("/")[2]
            for each in self._versions(self._project.exchange(), name):
                status = _status(each)
                if status.state is not State.ABSENT:
                    yield Discovered(self._ref(name, each), {**status.facts, "state": status.state.value})

    def preserve(self, ref: CredentialRef) -> Mapping[str, str]:
        """Return the version's state and which one `latest` gives."""
        versions = self._versions(self._project.exchange(), ref.owner)
        found = next((each for each in versions if self._ref(ref.owner, each) == ref), None)
        return {
            "versions": str(len(versions)),
            "latest": max((_number(each) for each in versions), key=int, default="none"),
            **_status(found).facts,
        }

    def suspend(self, ref: CredentialRef) -> None:
        """Disable it. Raises Rejected("still_latest") while whoever asks for `latest` is given it."""
        self._set(ref, "disable", State.SUSPENDED)

    def resume(self, ref: CredentialRef) -> None:
        """Enable it again. Raises Rejected("destroyed") for what is gone for good."""
        exchange = self._project.exchange()
        if _state(self._found(exchange, ref)) is State.ABSENT:
            raise Rejected("destroyed", f"{ref.id} cannot be brought back")
        exchange.change(SERVICE, "POST", f"{self._path(ref)}:enable", {})

    def verify(self, ref: CredentialRef, secret: Secret) -> Verdict:  # noqa: ARG002 - it is compared with nothing
        raise Rejected("no_knock", self.no_knock)

    def revoke(self, ref: CredentialRef) -> None:
        """Destroy its copy. A secret that delays destruction keeps it disabled for so long."""
        self._set(ref, "destroy", State.ABSENT)

    def permissions(self, whose: str | None) -> Sequence[Permission]:
        """Return what is granted on a secret, or on all of the project."""
        if whose is None:
            return on_all(self._project, NEEDS)
        return on_one(self._project, SERVICE, self._of(whose), f"secret {whose}", NEEDS)

    def _set(self, ref: CredentialRef, verb: str, wanted: State) -> None:
        exchange = self._project.exchange()
        versions = self._versions(exchange, ref.owner)
        found = next((each for each in versions if self._ref(ref.owner, each) == ref), None)
        if found is None:
            found = self._found(
                exchange, ref
            )  # a list that lacks it is Google's when Google has no such version either
        if found is None or _state(found) in {wanted, State.ABSENT}:
            return
        if all(int(_number(each)) <= int(_number(found)) for each in versions):
            raise Rejected(
                "still_latest", f"{ref.owner} still gives it to whoever asks for latest: add the new value first"
            )
        exchange.change(SERVICE, "POST", f"{self._path(ref)}:{verb}", {})

    def _found(self, exchange: Exchange, ref: CredentialRef) -> Mapping[str, Any] | None:
        with MayBeAbsent():
            found = exchange.read(SERVICE, self._path(ref))
            return found if self._ref(ref.owner, found) == ref else None
        return None

    def _versions(self, exchange: Exchange, secret: str) -> list[Mapping[str, Any]]:
        """Return a secret's versions; none when the project knows no such secret: its name is its own project's."""
        found: list[Mapping[str, Any]] = []
        page = ""
        with MayBeAbsent():
            while True:
                answer = exchange.read(SERVICE, f"{self._of(secret)}/versions?pageSize=1000{page}")
                found += answer.get("versions", [])
                if not answer.get("nextPageToken"):
                    return found
                page = f"&pageToken={answer['nextPageToken']}"
        return []

    def _holds(self, exchange: Exchange, secret: str, version: Mapping[str, Any], value: Secret) -> bool:
        if _state(version) is not State.ACTIVE:
            return False
        answer = exchange.read(SERVICE, f"{self._of(secret)}/versions/{_number(version)}:access")
        try:
            return Secret(base64.b64decode(answer["payload"]["data"]).decode()) == value
        except (KeyError, TypeError, binascii.Error, UnicodeDecodeError):
            return False  # a binary value is no text of a report

    def _of(self, secret: str) -> str:
        return f"/v1/projects/{quote(self._project.id, safe=':')}/secrets/{quote(secret, safe='')}"

    def _path(self, ref: CredentialRef) -> str:
        if not (found := _ID.fullmatch(ref.id)):
            raise Rejected("unreadable", "a version is named SECRET:NUMBER:TIME")
        return f"{self._of(ref.owner)}/versions/{found[1]}"

    def _ref(self, secret: str, version: Mapping[str, Any]) -> CredentialRef:
        made = re.sub(r"[-:]|\.[0-9]+", "", str(version.get("createTime", "")))
        return self._ref_of(secret, f"{secret}:{_number(version)}:{made}")


def _number(version: Mapping[str, Any]) -> str:
    name = version.get("name")
    if not isinstance(name, str):
        raise Unavailable("answer_unreadable", "a version has no name")
    return name.rpartition("/")[2]


def _state(version: Mapping[str, Any] | None) -> State:
    return State.ABSENT if version is None else _STATES.get(str(version.get("state")), State.ACTIVE)


def _status(version: Mapping[str, Any] | None) -> Status:
    told = {"created_at": "createTime", "destroyed_at": "destroyTime", "will_be_destroyed_at": "scheduledDestroyTime"}
    facts = {name: str(version[field]) for name, field in told.items() if version and version.get(field)}
    return Status(_state(version), facts)
