"""A Secret of a Kubernetes cluster: the document's fields are the Secret's keys.

`name` is NAMESPACE/NAME. The Secret holds the document and nothing else: keys that the document does not have go, and
come back with an undo; type, labels and annotations stay. A version is the resource version, which every change moves,
also one of a label: such a change between staging and promotion is left to whoever made it.

A cluster keeps no history. So a new document waits in a Secret beside its own, NAME.rotator-staged-DIGEST, and what it
replaced is kept in NAME.rotator-kept until the next promotion. Both carry the label that says who made them.
The rotator's own credential needs get, create, update and delete on all `secrets` of that namespace.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from rotator.credential import Secret
from rotator.errors import Rejected, RotatorError, Uncertain
from rotator.families.kubernetes import Kubernetes, is_absent, object_of, path_of, told
from rotator.families.kubernetes_permissions import of_secrets
from rotator.families.one_method import PermittedForEach, PermittedStore
from rotator.families.own_words import unreadable
from rotator.permissions import Permission
from rotator.ports.connection import Connection

FAMILY = "kubernetes"

_STAGED = "staged-"
_LABELS = {"app.kubernetes.io/managed-by": "rotator"}
_OF = "rotator/of-version"
"""Which version of the place the kept data were."""
_BY, _AS = "rotator/promoted", "rotator/promoted-as"
"""Which staged document took its place, and which version that became."""

Object = Mapping[str, Any]


def connect(connection: Connection) -> PermittedStore:
    """Return the store of one cluster."""
    cluster = Kubernetes(connection)
    return PermittedForEach(lambda: KubernetesSecret(cluster.exchange()))


class KubernetesSecret:
    """Secrets of one cluster, for one method."""

    def __init__(self, cluster: Kubernetes) -> None:
        self._cluster = cluster

    def current(self, name: str) -> str | None:
        return _version(self._found(name))

    def staged(self, name: str, token: str) -> str | None:
        version = _STAGED + _digest(token)
        if self._found(name, f".rotator-{version}") is not None:
            return version
        return version if _note(self._found(name, ".rotator-kept"), _BY) == version else None

    def stage(self, name: str, document: Secret, token: str) -> str:
        version, data = _STAGED + _digest(token), _data(document)
        if self.staged(name, token) is None:
            self._create(name, f".rotator-{version}", data, {})  # unless another worker was first
        return version

    def read(self, name: str, version: str) -> Secret:
        """Return the document of a version: current, waiting or kept; of one promoted since, what it became."""
        found = self._found(name, f".rotator-{version}") if version.startswith(_STAGED) else self._found(name)
        if found is None or (not version.startswith(_STAGED) and _version(found) != version):
            found = self._elsewhere(name, version)
        if found is None:
            raise Rejected("not_found", f"{name} has no readable version {version}")
        return _document(found, name)

    def promote(self, name: str, version: str, expected: str | None) -> str:
        """Replace the Secret's data if it is still at `expected`: the server itself compares.

        Raises Uncertain once that may have happened, until it is noted and the waiting copy is gone.
        """
        waiting, kept = self._found(name, f".rotator-{version}"), self._found(name, ".rotator-kept")
        now = self._found(name)
        if waiting is None:
            became = _note(kept, _AS) if _note(kept, _BY) == version else None
            if became is None or became != _version(now):
                raise Rejected("store_changed", f"{name} is at {_version(now)}, and {version} waits there no more")
            return became
        if now is None or now.get("data") != waiting.get("data"):  # else a crash came after the write
            if _version(now) != expected:
                raise Rejected("store_changed", f"{name} is at {_version(now)}, not at {expected}")
            self._keep(name, kept, now, {_BY: version, _OF: expected or ""})
            now = self._write(name, now, waiting["data"])
        became = _version(now) or ""
        try:
            self._finish(name, version, became)
        except RotatorError as error:
            raise Uncertain("staged_copy_remains", f"{name} is promoted; {error.reason}") from None
        return became

    def demote(self, name: str, version: str, previous: str | None) -> None:
        """Give back the data that were kept, or take the Secret away where there was none."""
        now = self._found(name)
        if now is None or _version(now) != version:
            return
        if previous is None:
            told_version = {"preconditions": {"resourceVersion": version, "uid": now["metadata"]["uid"]}}
            self._change("DELETE", _path(name), told_version)
            return
        kept = self._found(name, ".rotator-kept")
        if kept is None or _note(kept, _OF) != previous:
            raise Rejected("not_found", f"{name} no longer keeps version {previous}")
        self._write(name, now, kept.get("data") or {})

    def permissions(self, whose: str | None) -> Sequence[Permission]:
        """Ask the API server for each of them, in the namespace of that name or in all."""
        if whose is not None:
            _path(whose)
        return of_secrets(self._cluster, None if whose is None else whose.partition("/")[0])

    def _elsewhere(self, name: str, version: str) -> Object | None:
        kept = self._found(name, ".rotator-kept")
        if _note(kept, _OF) == version:
            return kept
        if _note(kept, _BY) == version:  # it was staged, and became what the name holds
            now = self._found(name)
            return now if _version(now) == _note(kept, _AS) else None
        return None

    def _keep(self, name: str, kept: Object | None, now: Object | None, notes: Mapping[str, str]) -> None:
        data = dict((now or {}).get("data") or {})
        if kept is None:
            if self._create(name, ".rotator-kept", data, notes) is None:
                raise Rejected("store_changed", f"another promotion of {name} was first")
            return
        body = _with(kept, data, notes)
        self._put(name, ".rotator-kept", body)

    def _write(self, name: str, now: Object | None, data: Mapping[str, str]) -> Object:
        if now is None:
            made = self._create(name, "", data, {}, labels={})
            if made is None:
                raise Rejected("store_changed", f"another hand has just made {name}")
            return made
        return self._put(name, "", {**now, "data": dict(data)})

    def _finish(self, name: str, version: str, became: str) -> None:
        # The note comes first: without it, nothing would lead from the waiting copy to the version that it became.
        kept = self._found(name, ".rotator-kept")
        if kept is not None and (_note(kept, _BY), _note(kept, _AS)) != (version, became):
            self._put(name, ".rotator-kept", _with(kept, kept.get("data") or {}, {_BY: version, _AS: became}))
        self._change("DELETE", _path(name, f".rotator-{version}"), {})

    def _found(self, name: str, beside: str = "") -> Object | None:
        reply = self._cluster.read(_path(name, beside))
        if is_absent(reply):
            return None
        found = object_of(reply)
        if not isinstance(found.get("data") or {}, Mapping) or "resourceVersion" not in found["metadata"]:
            raise unreadable(reply)
        return found

    def _create(
        self,
        name: str,
        beside: str,
        data: Mapping[str, str],
        notes: Mapping[str, str],
        labels: Mapping[str, str] | None = None,
    ) -> Object | None:
        """Make a Secret; None where there is one."""
        namespace, _, leaf = name.partition("/")
        metadata = {
            "name": leaf + beside,
            "labels": dict(_LABELS if labels is None else labels),
            "annotations": dict(notes),
        }
        body = {"apiVersion": "v1", "kind": "Secret", "type": "Opaque", "metadata": metadata, "data": dict(data)}
        reply = self._cluster.change("POST", path_of("secrets", namespace), body)
        return None if reply.status == HTTPStatus.CONFLICT else told(reply)

    def _put(self, name: str, beside: str, body: Object) -> Object:
        """Replace a Secret as it was read. Raises Rejected("store_changed") where it was changed since."""
        reply = self._cluster.change("PUT", _path(name, beside), body)
        if reply.status == HTTPStatus.CONFLICT or is_absent(reply):
            raise Rejected("store_changed", f"another hand was faster at {name}")
        return told(reply)

    def _change(self, method: str, path: str, body: object) -> None:
        reply = self._cluster.change(method, path, body)
        if not is_absent(reply) and reply.status != HTTPStatus.CONFLICT:
            told(reply)


def _path(name: str, beside: str = "") -> str:
    namespace, _, leaf = name.partition("/")
    if not namespace or not leaf or "/" in leaf:
        raise Rejected("bad_name", f"{name} is not NAMESPACE/NAME")
    return path_of("secrets", namespace, leaf + beside)


def _version(found: Object | None) -> str | None:
    """Return the version that consumers read, None where there is no data."""
    return str(found["metadata"]["resourceVersion"]) if found is not None and found.get("data") else None


def _note(found: Object | None, name: str) -> str | None:
    return None if found is None else (found["metadata"].get("annotations") or {}).get(name)


def _with(found: Object, data: Mapping[str, str], notes: Mapping[str, str]) -> Object:
    metadata = found["metadata"]
    return {
        **found,
        "metadata": {**metadata, "annotations": {**(metadata.get("annotations") or {}), **notes}},
        "data": dict(data),
    }


def _data(document: Secret) -> dict[str, str]:
    fields = json.loads(document.reveal())
    if not isinstance(fields, dict) or not all(isinstance(each, str) for each in fields.values()):
        raise Rejected("unreadable", "a Secret is made of named texts")
    return {key: base64.b64encode(value.encode()).decode() for key, value in fields.items()}


def _document(found: Object, name: str) -> Secret:
    try:
        fields = {key: base64.b64decode(value).decode() for key, value in (found.get("data") or {}).items()}
    except (ValueError, binascii.Error):
        raise Rejected("not_text", f"{name} holds something binary") from None
    return Secret(json.dumps(fields, sort_keys=True))


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()[:32]
