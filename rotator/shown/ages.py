"""The inventory with ages: how old each credential is, when it was used and rotated last, as far as anybody knows."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rotator import clock
from rotator.bootstrap import Rotator
from rotator.flow.inventory import named
from rotator.ledger.looking import Looking
from rotator.ports.store import Place
from rotator.report.clocks import moment
from rotator.shown import inventory

_CREATED = ("created_at",)
_USED = ("last_used_at", "secret_last_used_at", "last_used", "principal_last_used_at")
_ROTATED = ("last_vault_rotation",)
_EXPIRES = ("expires_at", "expire_time")
"""How issuers' lists call what they tell of a credential's times."""
_DAY_S, _YEAR = 86400, 365.25


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries: of a `provider`, of a `source`, with a text in what names them."""

    provider: str = ""
    source: str = ""
    text: str = ""


class _Kept:
    """The entries as they were told last, and as of which mark; one thread at a time tells them anew."""

    def __init__(self) -> None:
        self.alone = threading.Lock()
        self.mark: tuple[Any, ...] = ()
        self.rows: list[dict[str, Any]] = []


def rows(parts: Rotator) -> list[dict[str, Any]]:
    """Return every entry with its times, ISO 8601 in UTC and "" where nobody knows; the oldest first, those behind.

    They are kept while nothing of them changes: of 50,000 they take seconds to tell. In an hour no age is wrong.
    """
    kept: _Kept = parts.__dict__.setdefault("ages_shown", _Kept())
    with kept.alone:
        mark = (*Looking(parts.database).inventory_mark(), clock.now() // 3600)
        if kept.mark != mark:
            kept.rows, kept.mark = _rows(parts), mark
        return kept.rows


def _rows(parts: Rotator) -> list[dict[str, Any]]:
    made = Looking(parts.database).made()
    found = [_row(each, made) for each in inventory.entries(parts)]
    return sorted(found, key=lambda each: (not each["born"], each["born"], each["name"]))


def of(every: Sequence[Mapping[str, Any]], wanted: Wanted) -> list[Mapping[str, Any]]:
    """Return those that are wanted."""
    text = wanted.text.casefold()
    return [
        each
        for each in every
        if wanted.provider in {"", each["provider"]}
        and wanted.source in {"", each["source"]}
        and (not text or text in each["name"].casefold() or text in each["said"].casefold())
    ]


def _row(entry: Mapping[str, Any], made: Mapping[tuple[str, str, str], float]) -> dict[str, Any]:
    facts: Mapping[str, str] = entry["facts"]
    match = entry["match"]
    ours = made.get((match.get("provider", ""), match.get("connection", ""), match.get("id", "")))
    rotated, created = moment(ours) or _first(facts, _ROTATED), _first(facts, _CREATED)
    said = {name: value for name, value in entry["said"].items() if value not in (None, "", [], {})}
    return {
        "name": named(entry["match"]),
        "id": entry["match"].get("id", ""),
        "owner": entry["match"].get("owner", ""),
        "provider": entry["match"].get("provider", ""),
        "connection": entry["match"].get("connection", ""),
        "source": entry["source"],
        "file": entry["file"],
        "by": entry["by"],
        "at": entry["at"],
        "born": (born := max(rotated, created)),
        "age": _age(born),
        "created": created,
        "rotated": rotated,
        "used": _first(facts, _USED),
        "never_used": any(facts.get(name) == "never" for name in _USED),
        "expires": _first(facts, _EXPIRES),
        "gone": facts.get("gone_at", ""),
        "said": "; ".join(f"{name}: {_words(value)}" for name, value in said.items()),
        "overruled": entry["overruled"],
    }


def _first(facts: Mapping[str, str], names: Sequence[str]) -> str:
    """Return the first of these that is a moment, in one form."""
    for name in names:
        try:
            found = datetime.fromisoformat(facts.get(name, ""))
        except ValueError:
            continue
        aware = found if found.tzinfo else found.replace(tzinfo=UTC)
        return moment(aware.timestamp())
    return ""


def _age(born: str) -> str:
    """Return how old it is, as people say it: in days, and in years from two on."""
    if not born:
        return ""
    days = max(clock.now() - datetime.fromisoformat(born).timestamp(), 0.0) / _DAY_S
    return f"{days / _YEAR:.1f} years" if days >= 2 * _YEAR else f"{int(days)} day{'' if int(days) == 1 else 's'}"


def _words(value: Any) -> str:
    """Say what an entry says as plans say it: a place is `store:connection:name`."""
    if isinstance(value, list):
        return ", ".join(map(_words, value))
    if not isinstance(value, Mapping):
        return str(value)
    if value.keys() == {"store", "connection", "name"}:
        return str(Place(**value))
    return " ".join(f"{name} {_words(each)}" for name, each in value.items())
