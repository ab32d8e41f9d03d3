"""Conversions to short-lived credentials, by what the service's chain tells of them: what was begun and never ended.

What is made on other systems is written before it is made. Till it is prepared whole, or taken away again, somebody
has to know of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from rotator import clock
from rotator.ledger import service, tables
from rotator.ledger.database import Database

BEGUN = "conversion_begun"
INTENDED = "conversion_intended"
TRIED = "conversion_tried"
PREPARED = "conversion_prepared"
UNDONE = "conversion_undone"
Told = Mapping[str, Any]
"""Which credential, by `kind`, `connection`, `owner` and `id`, and what was `asked`."""
_NAMES = ("kind", "connection", "owner", "id")


@dataclass(frozen=True, slots=True)
class Unfinished:
    """What was about to be made for a credential, in its order, and may be there: as asked, since when, by whom.

    `sent_at` is when the last of it was about to be asked for. Times in epoch seconds.
    """

    kind: str
    connection: str
    owner: str
    id: str
    asked: Mapping[str, str]
    at: float
    by: str
    things: tuple[Mapping[str, str], ...]
    sent_at: float

    def makes_the_same(self, told: Told) -> bool:
        """Tell whether another conversion makes the very same: that of another credential of its owner does."""
        mine = {"kind": self.kind, "connection": self.connection, "owner": self.owner, "asked": self.asked}
        return all(told[name] == value for name, value in mine.items())


def begun(database: Database, told: Told, by: str) -> None:
    """Note that a conversion was begun: of what, and as what was asked."""
    _note(database, {"act": BEGUN, "by": by, **told})


def intended(database: Database, told: Told, by: str, things: Sequence[Mapping[str, str]]) -> None:
    """Note what is about to be made."""
    _note(database, {"act": INTENDED, "by": by, **told, "things": [dict(each) for each in things]})


def tried(database: Database, told: Told, by: str, thing: Mapping[str, str], now: Mapping[str, str]) -> None:
    """Note by which name a thing is found by now that was about to be made without one."""
    _note(database, {"act": TRIED, "by": by, **told, "of": dict(thing), "things": [dict(now)]})


def prepared(database: Database, told: Told, by: str, facts: Mapping[str, str]) -> None:
    """Note that all of it was made, and what was seen of it."""
    _note(database, {"act": PREPARED, "by": by, **told, "facts": dict(facts)})


def undone(
    database: Database,
    told: Told,
    by: str,
    came_of_it: Sequence[tuple[Mapping[str, str], str]],
    left: Mapping[str, str],
) -> None:
    """Note what is not there any more, with what came of each; and what is left, by its words, and why."""
    things = {"things": [dict(each) for each, _ in came_of_it], "came_of_it": [each for _, each in came_of_it]}
    _note(database, {"act": UNDONE, "by": by, **told, **things, "left": dict(left)})


def unfinished(database: Database) -> list[Unfinished]:
    """Return the conversions that were begun, and neither prepared since nor taken back whole, the oldest first."""
    evidence = tables.evidence
    is_one = evidence.c.body.contains('"act":"conversion_', autoescape=True)
    query = select(evidence.c.body).where(evidence.c.chain == service.CHAIN, is_one).order_by(evidence.c.seq)
    with database.read() as connection:
        return _left(map(json.loads, connection.execute(query).scalars()))


def is_unfinished(database: Database, told: Told) -> bool:
    """Tell whether what this was to make is nobody's: whoever asked for the same may have prepared it meanwhile."""
    which = {**{name: told[name] for name in _NAMES}, "asked": told["asked"]}
    return any({name: getattr(each, name) for name in which} == which for each in unfinished(database))


def _note(database: Database, record: Mapping[str, Any]) -> None:
    with database.write() as connection:
        service.note(connection, {"at": clock.now(), **record})


def _left(records: Iterable[Mapping[str, Any]]) -> list[Unfinished]:
    found: dict[str, Unfinished] = {}
    for record in records:
        names = {name: record[name] for name in _NAMES}
        asked = record["asked"]
        key = json.dumps([names, asked], sort_keys=True)
        there = found.pop(key, None)
        things = there.things if there is not None else ()
        sent_at = there.sent_at if there is not None else record["at"]
        if record["act"] in {INTENDED, TRIED}:
            things = tuple(each for each in things if each != record.get("of"))
            things = (*things, *(each for each in record["things"] if each not in things))
            sent_at = record["at"]
        elif record["act"] == UNDONE:
            things = tuple(each for each in things if each not in record["things"])
        elif record["act"] == PREPARED:
            things = ()
            # Who began the same for another credential of that owner can take none of it back: it is in use by now.
            for other in [of for of, each in found.items() if each.makes_the_same(record)]:
                del found[other]
        if things:
            since = (there.at, there.by) if there is not None else (record["at"], record["by"])
            found[key] = Unfinished(**names, asked=asked, at=since[0], by=since[1], things=things, sent_at=sent_at)
    return sorted(found.values(), key=lambda each: each.at)
