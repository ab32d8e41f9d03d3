"""Secret ids of Vault's AppRole: where a role tells of them, how one is written, and what one takes over of another."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from rotator.credential import Secret
from rotator.errors import Rejected
from rotator.families.vault import Reply, sendable
from rotator.families.vault_accessors import MARKER_KEY
from rotator.families.vault_mounts import at, kept, nowhere

SECRET_FIELD = "secret_id"  # noqa: S105 - the name of a field
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_PART_OF_ONE = re.compile(r"[0-9a-f-]*")


def path_of(owner: str) -> str:
    """Return the path of a role."""
    mount, role = at(owner)
    return f"auth/{mount}/role/{role}"


def is_unknown(reply: Reply) -> bool:
    """Tell whether the role does not know the accessor: OpenBao's lookup says it with 404, its destroy with 500."""
    said = reply.status == HTTPStatus.NOT_FOUND and not nowhere(reply)
    return said or reply.says("failed to find accessor entry")


def told(reply: Reply) -> Reply:
    """Return an accepted answer; a role that is not there may stand on another server."""
    if nowhere(reply) or reply.says("does not exist"):
        raise Rejected("not_this_account", "no such role here; if somebody deleted it, its secret ids went with it")
    return reply.accepted()


def secret_id_in(secret: Secret) -> Secret:
    """Return the secret id of a report or of a document that rotator delivered."""
    text = secret.reveal().strip()
    if text.startswith("{"):
        try:
            text = str(json.loads(text)[SECRET_FIELD])
        except (ValueError, KeyError, TypeError):
            raise Rejected("unreadable", f"the document has no {SECRET_FIELD}") from None
    if not sendable(Secret(text)) or (_PART_OF_ONE.fullmatch(text) and not _UUID.fullmatch(text)):
        raise Rejected("unreadable", "the secret id is truncated or malformed")
    return Secret(text)


def facts_of(found: Mapping[str, Any]) -> dict[str, str]:
    """Return plain facts of a secret id: its age, its limits and its metadata."""
    facts = kept(found, ("creation_time", "expiration_time", "secret_id_num_uses", "secret_id_ttl"))
    for name in ("cidr_list", "token_bound_cidrs"):
        if found.get(name):
            facts[name] = ",".join(found[name])
    if found.get("metadata"):
        facts["metadata"] = json.dumps(found["metadata"], sort_keys=True)
    return facts


def like(exposed: Mapping[str, str], marker: str) -> dict[str, object]:
    """Return the request for a secret id with the same limits."""
    metadata = {**json.loads(exposed.get("metadata", "{}")), MARKER_KEY: marker}
    body: dict[str, object] = {"metadata": json.dumps(metadata)}
    for name in ("cidr_list", "token_bound_cidrs"):
        if name in exposed:
            body[name] = exposed[name].split(",")
    if "secret_id_ttl" in exposed:
        body["ttl"] = f"{exposed['secret_id_ttl']}s"
    if "secret_id_num_uses" in exposed:
        body["num_uses"] = int(exposed["secret_id_num_uses"]) + 1  # the knock before its delivery spends one
    return body
