"""What the rows of a vendor must be, by the records of its chain: one function for each act that writes one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sqlalchemy import Table

from rotator.flow.gate_facts import Did
from rotator.flow.registry import dataset_of
from rotator.ledger import assessments, pause_gates, pauses, tables, vendor_uses, vendors

Same = Callable[[Mapping[str, Any]], bool]
"""Tells whether a row is as it should be."""
Rows = dict[Table, dict[tuple[Any, ...], list[Same]]]
"""By table and key what must be so of the row."""
_PAUSED = ("incident", "at", "by", "reason")
_GROWS = ("datasets", "reach")
_RESTORED = {"restored_at": "at", "restored_by": "by", "restored_why": "reason"}
_ATTESTED = ("kind", "issuer", "scope", "valid_from", "valid_to", "sha256")
_OF_A_RECORD = {"kept", "at", "act", "by", "reason", "pause", "gate", "vendor", "incident", "chain", "seq", "previous"}
_OF_GATES = {act: did for did, act in pause_gates.ACTS.items()}


def replay(name: str, records: Iterable[Mapping[str, Any]], head: str) -> Rows:
    """Return what must be so of each row of a vendor. A row that is not named must not be there."""
    registry: dict[str, Any] = {}
    told, software, logs, terms, pause, held, gates = {}, {}, {}, {}, {}, {}, {}  # type: ignore[var-annotated]
    length = 0
    for record in records:
        act, number, length = record["act"], record.get("pause", 0), length + 1
        if act in (vendors.REGISTERED, vendors.ATTESTED):
            registry = _registered(registry, record)
            told = {"at": record["at"], "by": record["by"]}
        elif act == vendors.SOFTWARE:
            software[name, record["source"]] = [_is_list(record)]
        elif act in (assessments.SET, assessments.CLEARED):
            terms.pop((name, record["notice"], record["term"]), None)
            if act == assessments.SET:
                terms[name, record["notice"], record["term"]] = [_has(record, "value", "at", "by", "reason")]
        elif act == vendor_uses.SEEN:
            logs = {} if record.get("kept") == "" else {(name,): [_kept(record)]}
        elif act in _OF_PAUSES:
            pause[name, number] = _OF_PAUSES[act](pause.get((name, number), []), record)
            held |= {} if act == pauses.RESTORED else {(name, number): [_kept(record)]}
            for each in record.get("gates", ()):
                _add(gates, name, number, each["gate"], _stood(record, each))
        elif act in _OF_GATES:
            _add(gates, name, number, record["gate"], _gave(record))
    known = {**told, "length": length, "head": head}
    return {
        tables.vendor: {(name,): [_has(known, *known), _says(registry)]},
        tables.software: software,
        tables.vendor_log: logs,
        tables.term: terms,
        tables.pause: pause,
        tables.pause_held: held,
        tables.pause_gate: gates,
    }


def dataset_said(records: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, str]]:
    """Return the rows of datasets by their names, by what the service's chain tells of them."""
    said: dict[str, dict[str, Any]] = {}
    for record in records:
        if record.get("act") == vendors.DATASET:
            said[record["dataset"]] = _merged(said.get(record["dataset"], {}), record)
    found = {name: dataset_of(name, told) for name, told in said.items()}
    return {
        name: {"name": name, "sensitivity": each.sensitivity.value, "manifest": each.manifest, "why": each.why}
        for name, each in found.items()
    }


def _registered(before: Mapping[str, Any], record: Mapping[str, Any]) -> dict[str, Any]:
    if record["act"] == vendors.REGISTERED:
        return _merged(before, record)
    attested = {each: record[each] for each in _ATTESTED if each in record}
    return {**before, "attestations": [*before.get("attestations", []), attested]}


def _merged(before: Mapping[str, Any], record: Mapping[str, Any]) -> dict[str, Any]:
    return {**{name: value for name, value in before.items() if name not in record["before"]}, **record["after"]}


def _says(registry: Mapping[str, Any]) -> Same:
    return lambda row: _data(row["told"]) == registry


def _has(told: Mapping[str, Any], *names: str) -> Same:
    return lambda row: all(row[name] == told.get(name) for name in names)


def _is_list(record: Mapping[str, Any]) -> Same:
    """Know a list of software; before `kept` was told, of its components only how many there are."""
    made, at = record.get("made"), record["at"]
    known = {"digest": record["digest"], "at": at if made is None or made > at else made}

    def is_it(row: Mapping[str, Any]) -> bool:
        components = row["components"]
        if "kept" in record and record["kept"] != hashlib.sha256(components.encode()).hexdigest():
            return False
        return components.count("\n") == record["components"] and _has(known, *known)(row)

    return is_it


def _began(_: list[Same], record: Mapping[str, Any]) -> list[Same]:
    no = dict.fromkeys(_RESTORED)
    return [_has(record, *_PAUSED), _froze(record, "notices", "checklist"), _froze(record, *_GROWS), _has(no, *no)]


def _grew(before: list[Same], record: Mapping[str, Any]) -> list[Same]:
    return [*before[:2], _froze(record, *_GROWS), *before[3:]]


def _ended(before: list[Same], record: Mapping[str, Any]) -> list[Same]:
    ended = {mine: record[its] for mine, its in _RESTORED.items()}
    return [*before[:3], _has(ended, *ended)]


_OF_PAUSES = {pauses.PAUSED: _began, pauses.AGAIN: _grew, pauses.RESTORED: _ended}


def _froze(record: Mapping[str, Any], *names: str) -> Same:
    return lambda row: all(_data(row[each]) == record[each] for each in names if each in record)


def _kept(record: Mapping[str, Any]) -> Same:
    return lambda row: row["digest"] == record.get("kept", row["digest"])


def _add(gates: dict[Any, list[Same]], name: str, number: int, gate: str, same: Same) -> None:
    gates[name, number, 1 + sum(1 for each in gates if each[1] == number), gate] = [same]


def _gave(record: Mapping[str, Any]) -> Same:
    """Know what somebody gave for a gate; of an advisory the row has the text, and evidence its digest."""
    known = {**record, "act": _OF_GATES[record["act"]].value}

    def is_it(row: Mapping[str, Any]) -> bool:
        told = _data(row["told"])
        if not isinstance(told, dict) or not _has(known, "gate", "act", "at", "by", "reason")(row):
            return False
        text = told.pop("advisory", None)
        if (text is not None) != ("advisories" in record):
            return False
        if "kept" in record and record["kept"] != hashlib.sha256(str(text).encode()).hexdigest():
            return False
        return told == {name: value for name, value in record.items() if name not in _OF_A_RECORD}

    return is_it


def _stood(record: Mapping[str, Any], gate: Mapping[str, Any]) -> Same:
    """Know a gate as it was found: shut by what was left, and by what was overridden."""
    known = {"gate": gate["gate"], "act": Did.FOUND.value, "at": record["at"], "by": record["by"], "reason": ""}
    over = {says for each in gate["overrides"] for says in each["against"]}

    def is_it(row: Mapping[str, Any]) -> bool:
        told = _data(row["told"])
        if not isinstance(told, dict) or not _has(known, *known)(row):
            return False
        against = set(told.get("against", ()))
        return told.get("evidence") == gate["evidence"] and set(gate["shut_by"]) <= against <= {*gate["shut_by"], *over}

    return is_it


def _data(text: str) -> Any:
    """Read what a row has; what nobody can read is nothing that a chain tells."""
    try:
        return json.loads(text)
    except ValueError:
        return None
