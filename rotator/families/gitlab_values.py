"""What a CI/CD variable of GitLab holds: a document in a form that GitLab can mask, and how the variable is kept."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from rotator.credential import Secret
from rotator.errors import Rejected
from rotator.families.gitlab_names import Variable

_KEPT_AS = ("variable_type", "protected", "masked", "raw")
NEW = {"variable_type": "env_var", "protected": True, "masked": True, "raw": True}

Found = Mapping[str, Any]
"""A variable as GitLab shows it."""


def version_of(place: Variable, found: Found | None) -> str | None:
    """Return the value's version. It goes to the ledger, so it must not help to guess a value that people chose."""
    if found is None:
        return None
    return hashlib.scrypt(str(found["value"]).encode(), salt=str(place).encode(), n=2**13, r=8, p=1, dklen=16).hex()


def attributes_of(found: Found | None) -> dict[str, Any]:
    """Return how a variable is kept: as it was, or as a new one is."""
    return dict(NEW) if found is None else {**{key: found[key] for key in _KEPT_AS if key in found}, "raw": True}


def masked_form(document: Secret) -> str:
    """Return a document as GitLab can mask it. Raises Rejected("unreadable") for one without named fields."""
    fields = json.loads(document.reveal())
    if not isinstance(fields, dict):
        raise Rejected("unreadable", "a delivered document is made of named fields")
    return without_spaces(fields)


def without_spaces(fields: Mapping[str, Any]) -> str:
    """Return JSON that GitLab can mask: on one line, without a space."""
    return json.dumps(fields, sort_keys=True, separators=(",", ":")).replace(" ", "\\u0020")


def document_in(found: Found) -> Secret:
    """Return the document of a variable, or what it holds where that is none."""
    text = str(found["value"])
    fields = fields_of(found)
    return Secret(json.dumps(fields, sort_keys=True) if fields else text)


def fields_of(found: Found | None) -> dict[str, Any]:
    """Return the named fields of a variable's document, none where it holds no document."""
    try:
        fields = json.loads(str(found["value"])) if found is not None else {}
    except ValueError:
        return {}
    return fields if isinstance(fields, dict) else {}
