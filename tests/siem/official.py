"""Check an event against the official schema: its class, what it requires, what it knows, enums, types, constraints."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

SCHEMA: dict[str, Any] = json.loads((Path(__file__).parent / "schema" / "ocsf-1.8.0.json").read_text())
CLASSES = {each["uid"]: each for each in SCHEMA["classes"].values()}
_OTHER = "99"


def faults(event: Mapping[str, Any]) -> list[str]:
    """Return what is not as the schema has it."""
    of = CLASSES.get(event.get("class_uid", -1))
    if of is None:
        return [f"class_uid: {event.get('class_uid')} is no class of these"]
    metadata = event.get("metadata", {})
    found = list(_object(of, event, frozenset(metadata.get("profiles", [])), ""))
    if metadata.get("version") != SCHEMA["version"]:
        found.append(f"metadata.version: {metadata.get('version')}")
    if event.get("type_uid") != event["class_uid"] * 100 + event.get("activity_id", 0):
        found.append(f"type_uid: {event.get('type_uid')}")
    if event.get("class_name") != of["caption"]:
        found.append(f"class_name: {event.get('class_name')}")
    return found


def _object(of: Mapping[str, Any], value: Mapping[str, Any], profiles: frozenset[str], path: str) -> Iterator[str]:
    known = {
        name: each
        for name, each in of["attributes"].items()
        if not each.get("profiles") or profiles & set(each["profiles"])
    }
    if of["name"] == "object":  # it is of whatever the source has
        return
    for name, each in known.items():
        if each.get("requirement") == "required" and name not in value:
            yield f"{path}{name}: is required"
    for name, given in value.items():
        if name not in known:
            yield f"{path}{name}: is not known"
            continue
        if "@deprecated" in known[name]:
            yield f"{path}{name}: is deprecated"
        yield from _attribute(known[name], given, profiles, f"{path}{name}")
        yield from _caption(known[name], name, value, path)
    wanted = of.get("constraints", {}).get("at_least_one")
    if wanted and not set(wanted) & set(value):
        yield f"{path}: needs one of {', '.join(wanted)}"


def _attribute(of: Mapping[str, Any], value: Any, profiles: frozenset[str], path: str) -> Iterator[str]:
    if of.get("is_array"):
        if not isinstance(value, list):
            yield f"{path}: is no list"
            return
        for number, each in enumerate(value):
            yield from _one(of, each, profiles, f"{path}[{number}]")
        return
    yield from _one(of, value, profiles, path)


def _one(of: Mapping[str, Any], value: Any, profiles: frozenset[str], path: str) -> Iterator[str]:
    if of["type"] == "object_t":
        if not isinstance(value, dict):
            yield f"{path}: is no object"
        elif of["object_type"] not in SCHEMA["objects"]:
            yield f"{path}: the schema's {of['object_type']} is not kept here"
        else:
            yield from _object(SCHEMA["objects"][of["object_type"]], value, profiles, f"{path}.")
        return
    if not _is_of(of["type"], value):
        yield f"{path}: {value!r} is no {of['type']}"
    if of.get("enum") and str(value) not in of["enum"]:
        yield f"{path}: {value!r} is none of its enum"


def _is_of(name: str, value: Any) -> bool:
    of = SCHEMA["types"][name]
    base = of.get("type", name)
    if base in {"integer_t", "long_t"}:
        low, high = of.get("range", [-(2**63), 2**63 - 1])
        return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
    if base == "string_t":
        fits = isinstance(value, str) and len(value) <= of.get("max_len", len(value))
        return fits and re.search(of.get("regex", ""), value) is not None
    return {"boolean_t": isinstance(value, bool), "float_t": isinstance(value, float), "json_t": True}[base]


def _caption(of: Mapping[str, Any], name: str, value: Mapping[str, Any], path: str) -> Iterator[str]:
    """Yield where the word beside an enum is not the enum's own; of what is `Other` it is the source's."""
    beside, number = of.get("sibling"), str(value[name])
    if beside not in value or number == _OTHER:
        return
    if value[beside] != of["enum"].get(number, {}).get("caption"):
        yield f"{path}{beside}: {value[beside]!r} is not what {number} means"
