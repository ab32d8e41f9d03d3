"""What was given and said for the gates of a pause: kept for good, in its order, and nothing of it taken back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, RowMapping, func, insert, select

from rotator.errors import BadInput
from rotator.flow.gate_facts import Did, Document, Given
from rotator.ledger import rows, tables, vendors
from rotator.ledger.pauses import Pause

if TYPE_CHECKING:
    # Only named: a report has nobody let in.
    from rotator.flow.letting_in import GateStanding

ACTS: Mapping[Did, str] = {
    Did.GIVEN: "gate_given",
    Did.YES: "gate_said_yes",
    Did.OVERRIDDEN: "gate_overridden",
}
"""As what evidence tells it; what was found stands in the record of who let the vendor in."""
_gate, _pause = tables.pause_gate, tables.pause


@dataclass(frozen=True, slots=True)
class Override:
    """A gate that a person opened against what was found, and what that was. It is told for good."""

    vendor: str
    pause: int
    incident: str
    gate: str
    at: float
    by: str
    reason: str
    against: tuple[str, ...]


def given(connection: Connection, pause: Pause) -> list[Given]:
    """Return all that people did for the gates of a pause, in its order."""
    is_it = (_gate.c.vendor == pause.vendor, _gate.c.number == pause.number)
    query = select(_gate).where(*is_it).order_by(_gate.c.nth)
    return [_given(row) for row in connection.execute(query).mappings()]


def refuse_given_before(connection: Connection, pause: Pause, digest: str) -> None:
    """Raise BadInput for a document that was here before a pause, whatever day it bears: it knows nothing of it."""
    is_it = (_gate.c.at < pause.at, _gate.c.act == Did.GIVEN.value, _gate.c.told.contains(digest, autoescape=True))
    for vendor, told in connection.execute(select(_gate.c.vendor, _gate.c.told).where(*is_it).order_by(_gate.c.at)):
        if json.loads(told).get("document", {}).get("sha256") == digest:
            raise BadInput(f"it was given before the pause, for {vendor}", digest, "ask for one that was made since")


def advisories(connection: Connection, pause: Pause) -> list[str]:
    """Return the records of advisories that people gave for a pause."""
    is_it = (_gate.c.vendor == pause.vendor, _gate.c.number == pause.number, _gate.c.act == Did.GIVEN.value)
    query = select(_gate.c.told).where(*is_it).order_by(_gate.c.nth)
    found = map(json.loads, connection.execute(query).scalars())
    return [each["advisory"] for each in found if "advisory" in each]


def keep(  # noqa: PLR0917 - an act, and all that is said of it
    connection: Connection, pause: Pause, gate: str, did: Did, by: str, reason: str, at: float, told: Mapping[str, Any]
) -> None:
    """Keep what a person did for a gate, as evidence of the vendor and of the pause's incident.

    The pause is locked by who calls. The text of an advisory is kept in the ledger alone, its digest as evidence.
    """
    _add(connection, pause, gate, did, by, reason, at, told)
    record = {"at": at, "act": ACTS[did], "by": by, "reason": reason, "pause": pause.number, "gate": gate}
    shown = {name: value for name, value in told.items() if name != "advisory"}
    if "advisory" in told:
        shown["kept"] = hashlib.sha256(rows.plain(told["advisory"]).encode()).hexdigest()
    vendors.act(connection, pause.vendor, {**record, **shown}, pause.incident)


def found(connection: Connection, pause: Pause, by: str, at: float, standing: Iterable[GateStanding]) -> None:
    """Keep how each gate stood when its vendor was let in."""
    for each in standing:
        told = {"evidence": list(each.evidence), "against": [one.says for one in each.shut]}
        _add(connection, pause, each.gate.name, Did.FOUND, by, "", at, told)


def overrides(
    connection: Connection,
    *,
    incidents: Iterable[str] | None = None,
    vendor: str | None = None,
    before: float | None = None,
) -> list[Override]:
    """Return what was overridden, ever, or `before` a moment: of the pauses that are these incidents, of one vendor."""
    is_it = (_pause.c.vendor == _gate.c.vendor) & (_pause.c.number == _gate.c.number)
    query = select(_gate, _pause.c.incident).join(_pause, is_it).where(_gate.c.act == Did.OVERRIDDEN.value)
    if incidents is not None:
        query = query.where(_pause.c.incident.in_(list(incidents)))
    if vendor is not None:
        query = query.where(_gate.c.vendor == vendor)
    if before is not None:
        query = query.where(_gate.c.at < before)
    of = connection.execute(query.order_by(_gate.c.vendor, _gate.c.number, _gate.c.nth)).mappings()
    return [
        Override(
            row["vendor"],
            row["number"],
            row["incident"],
            row["gate"],
            row["at"],
            row["by"],
            row["reason"],
            tuple(json.loads(row["told"])["against"]),
        )
        for row in of
    ]


def _add(  # noqa: PLR0917 - a row
    connection: Connection, pause: Pause, gate: str, did: Did, by: str, reason: str, at: float, told: Mapping[str, Any]
) -> None:
    is_it = (_gate.c.vendor == pause.vendor, _gate.c.number == pause.number)
    last = connection.execute(select(func.coalesce(func.max(_gate.c.nth), 0)).where(*is_it)).scalar_one()
    row = {"vendor": pause.vendor, "number": pause.number, "gate": gate, "nth": last + 1, "act": did.value, "at": at}
    values = rows.plain({**row, "by": by, "reason": reason})
    connection.execute(insert(_gate).values(**values, told=rows.text(rows.plain(told))))


def _given(row: RowMapping) -> Given:
    told = json.loads(row["told"])
    document = told.get("document")
    return Given(
        row["gate"],
        row["nth"],
        Did(row["act"]),
        row["at"],
        row["by"],
        row["reason"],
        document=None
        if document is None
        else Document(
            document["name"],
            document["sha256"],
            document["size"],
            document["from"],
            date.fromisoformat(document["dated"]),
        ),
        of=frozenset(told.get("of", ())),
        against=tuple(told.get("against", ())),
    )
