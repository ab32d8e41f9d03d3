"""What a playbook's `http:` section says of its kind before anything is asked: what it can do, costs, wants to know."""

from __future__ import annotations

import re
from collections.abc import Mapping

from rotator.credential import CredentialRef
from rotator.errors import BadInput, Rejected
from rotator.ports.connection import Connection
from rotator.ports.provider import Capability
from rotator.rest_calls import copied
from rotator.rest_kind import RestKind


def capability(rest: RestKind) -> Capability:
    """Return what can be done for good."""
    if rest.revoke is not None:
        return Capability.REVOCABLE
    return Capability.MANUAL if rest.suspend is None else Capability.DISABLE_ONLY


def calls(rest: RestKind) -> dict[str, int]:
    """Return how many requests each verb sends: one that copies from the exposed credential reads it first."""
    changes = {"suspend": rest.suspend, "resume": rest.resume, "revoke": rest.revoke}
    costs = {verb: 2 if copied(call) else 1 for verb, call in changes.items() if call is not None}
    if rest.revoke is not None and rest.revoke.suspended_first:
        costs["revoke"] += costs["suspend"]
    return {"preserve": 2, "issue": 2, **{verb: cost for verb, cost in costs.items() if cost > 1}}


def given(connection: Connection, name: str, rest: RestKind) -> dict[str, object]:
    """Return the connection's own words for the playbook's templates. Raises BadInput for one that is missing."""
    told = connection.settings.get("settings") or {}
    words: dict[str, object] = {}
    for setting, meaning in rest.settings.items():
        if not isinstance(told, Mapping) or not isinstance(told.get(setting), str | int) or told[setting] == "":
            what = f"{name} needs the setting `{setting}`: {meaning}"
            raise BadInput(what, f"connection {connection.name}", f'settings = {{ {setting} = "…" }}')
        words[setting] = told[setting]
    if connection.account:
        words["account"] = connection.account
    elif rest.uses_account:
        raise BadInput(
            f"{name} names its account in its calls", f"connection {connection.name}", "give it an `account`"
        )
    return words


def names_of(rest: RestKind, ref: CredentialRef) -> dict[str, object]:
    """Return what a call may say of a credential. Raises Rejected for an id, or an owner, that none of the kind has."""
    return {"id": _formed("id", ref.id, rest.id_format), **owner_of(rest, ref.owner)}


def owner_of(rest: RestKind, owner: str) -> dict[str, object]:
    """Return what a call may say of an owner. Raises Rejected for one that no credential of the kind has."""
    return {"owner": _formed("owner", owner, rest.owner_format)}


def _formed(word: str, name: str, form: str | None) -> str:
    if form is not None and not re.fullmatch(form, name):
        raise Rejected(f"malformed_{word}", f"no credential of this kind has such an {word}")
    return name
