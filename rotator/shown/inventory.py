"""The entries of the inventory: said in the configuration, imported, and kept of what issuers list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rotator.bootstrap import Rotator
from rotator.flow.inventory import CONFIGURATION, NAMES, Change, key
from rotator.report.clocks import moment

_OVERRULED = frozenset({"criticality", "environment", "deliver", "consumers", "vendor", "contact"})
"""Keys of which one entry is believed; of all others what everybody says is heard."""


def entries(parts: Rotator) -> list[dict[str, Any]]:
    """Return every entry as data. An imported one is overruled in the keys that the configuration has of its match."""
    stated = [(each.match.model_dump(exclude_none=True), each) for each in parts.settings.credentials]
    own = {key(match): _said(each).keys() & _OVERRULED for match, each in reversed(stated)}
    found = [_entry(match, "configuration", CONFIGURATION, said=_said(each)) for match, each in stated]
    found += [
        _entry(each.match, "import", each.file, said=each.said, by=each.by, at=moment(each.at), overruled=sorted(keys))
        for each in parts.inventory.stated()
        for keys in [each.said.keys() & own.get(key(each.match), set())]
    ]
    for one in parts.inventory.listed():
        facts = {**one.facts, **({"gone_at": moment(one.gone_at)} if one.gone_at is not None else {})}
        match = {name: value for name in NAMES if (value := getattr(one.ref, name))}
        found.append(_entry(match, "discover", one.ref.connection, facts=facts, at=moment(one.last_seen_at)))
    return found


def change(of: Change) -> dict[str, Any]:
    """Return what an import does to one entry as data."""
    return {"act": of.act.value, "match": dict(of.match), "before": of.before, "after": of.after, "where": of.where}


def history(parts: Rotator, match: str) -> list[dict[str, Any]]:
    """Return how the imported entries that a person means came to say what they say, the oldest change first."""
    return [
        {
            "match": dict(each.match),
            "at": moment(each.at),
            "by": each.by,
            "file": each.file,
            "before": each.before,
            "after": each.after,
        }
        for each in parts.inventory.history(match)
    ]


def _entry(
    match: Mapping[str, str],
    source: str,
    file: str,
    *,
    said: Mapping[str, Any] | None = None,
    facts: Mapping[str, str] | None = None,
    by: str = "",
    at: str = "",
    overruled: Sequence[str] = (),
) -> dict[str, Any]:
    return {
        "match": dict(match),
        "said": dict(said or {}),
        "facts": dict(facts or {}),
        "source": source,
        "file": file,
        "by": by,
        "at": at,
        "overruled": list(overruled),
    }


def _said(entry: Any) -> dict[str, Any]:
    found: dict[str, Any] = entry.model_dump(mode="json", exclude_unset=True, exclude={"match"})
    return found
