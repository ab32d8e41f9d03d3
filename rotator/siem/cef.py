r"""An event as ArcSight's Common Event Format, version 0: a header of seven fields, and an extension of pairs.

In the header \ and | are escaped, in values of the extension \ and =; a line break is \n there, and none in the header.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rotator import __version__
from rotator.siem.objects import ROTATOR

_SEVERITIES = {1: 1, 2: 3, 3: 5, 4: 7, 5: 9}
"""From OCSF's severity to CEF's 0 to 10."""
_CUSTOM = ("cs1", "cs2", "cs3", "cs4")


def line(event: Mapping[str, Any]) -> str:
    """Return an OCSF event as one line of CEF."""
    header = (ROTATOR, ROTATOR, __version__, str(event["type_uid"]), event["type_name"])
    severity = _SEVERITIES.get(event["severity_id"], 0)
    pairs = " ".join(f"{name}={_value(value)}" for name, value in _extension(event).items())
    return f"CEF:0|{'|'.join(map(_field, header))}|{severity}|{pairs}"


def _extension(event: Mapping[str, Any]) -> dict[str, object]:
    metadata, entity, user = event["metadata"], event.get("entity", {}), event.get("user", {})
    actor = event.get("actor", {})
    found: dict[str, object] = {
        "rt": event["time"],
        "externalId": metadata["uid"],
        "cat": event["class_name"],
        "act": metadata["event_code"],
        "outcome": event.get("status"),
        "reason": event.get("status_detail"),
        "suser": actor.get("user", {}).get("name"),
        "duser": user.get("name") or entity.get("name"),
        "msg": event["message"],
    }
    unmapped, service = event.get("unmapped", {}), event.get("service", {})
    data, own = entity.get("data", {}), user.get("programmatic_credentials", [{}])[0]
    custom = {
        "incident": metadata.get("correlation_uid"),
        "credential": entity.get("uid") or own.get("uid") or unmapped.get("credential"),
        "kind": data.get("kind") or service.get("name"),
        "connection": data.get("connection") or service.get("uid"),
    }
    for key, (label, value) in zip(_CUSTOM, custom.items(), strict=True):
        if value:
            found |= {key: value, f"{key}Label": label}
    return {name: value for name, value in found.items() if value not in (None, "")}


def _field(text: object) -> str:
    return " ".join(str(text).splitlines()).replace("\\", "\\\\").replace("|", "\\|")


def _value(text: object) -> str:
    escaped = str(text).replace("\\", "\\\\").replace("=", "\\=")
    return escaped.replace("\r\n", "\\n").replace("\n", "\\n").replace("\r", "\\r")
