"""What is kept of an advisory's record: whom it concerns, and what it tells of. No page of prose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rotator.intake.fields import mapping, word
from rotator.intake.shapes import holds_material
from rotator.packages.nature import CODE_OF_A_THIEF, MALWARE, cwes, is_malicious, type_of

LONGEST = 300
"""Letters of its summary that are kept."""
_AS_THEY_ARE = ("id", "aliases", "published", "modified", "withdrawn")
_OF_A_PACKAGE = ("package", "ranges", "versions")
_ORIGINS = "malicious-packages-origins"


def essence(record: Mapping[str, object]) -> dict[str, Any]:
    """Return the record with nothing but that, as an OSV record."""
    said: dict[str, Any] = {name: record[name] for name in _AS_THEY_ARE if name in record}
    affected = record.get("affected")
    if isinstance(affected, list):
        told = (mapping(each) for each in affected)
        said["affected"] = [{name: each[name] for name in _OF_A_PACKAGE if name in each} for each in told]
    if (summary := word(record, "summary")) and not holds_material(summary):
        said["summary"] = summary[:LONGEST]
    own = mapping(record.get("database_specific"))
    known: dict[str, Any] = {"cwe_ids": list(dict.fromkeys(cwes(record))), "type": type_of(record)[:LONGEST]}
    origins = own.get(_ORIGINS)
    listed = origins if isinstance(origins, list) else [origins] if origins else []
    known[_ORIGINS] = [word(mapping(each), "source") for each in listed]
    if some := {name: value for name, value in known.items() if value}:
        said["database_specific"] = some
    return said


def lasting(record: Mapping[str, object], before: Mapping[str, object]) -> dict[str, Any]:
    """Return a record's essence with what the one before it, of the same id, said of a compromise.

    A later record may take all of it back by being withdrawn, which is told; none makes it ordinary by saying less.
    """
    said, own = essence(record), mapping(before.get("database_specific"))
    new = mapping(said.get("database_specific"))
    known: dict[str, Any] = {
        "cwe_ids": [each for each in cwes(before) if each in CODE_OF_A_THIEF],
        "type": MALWARE if type_of(before) == MALWARE else "",
        _ORIGINS: own.get(_ORIGINS),
    }
    kept = {name: value for name, value in known.items() if value}
    if kept:
        if "cwe_ids" in kept:
            kept["cwe_ids"] = list(dict.fromkeys([*kept["cwe_ids"], *cwes(record)]))
        said["database_specific"] = {**new, **kept}
    if named := [each for each in aliases(before) if isinstance(each, str) and is_malicious(each)]:
        there = aliases(said)
        said["aliases"] = [*there, *(each for each in named if each not in there)]
    return said


def aliases(record: Mapping[str, object]) -> list[object]:
    """Return what a record says of its other names; one that is written without a list is one."""
    listed = record.get("aliases")
    return listed if isinstance(listed, list) else [listed] if isinstance(listed, str) else []
