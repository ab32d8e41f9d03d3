"""Certificates in the ledger, and the canaries that they are made with, from before one is made until it is gone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import RowMapping, delete, insert, select, update

from rotator.canary import Canary
from rotator.evidence.certificate import Certificate
from rotator.ledger import rows, service, tables
from rotator.ledger.database import Database
from rotator.ledger.evidence import canonical

_certificate, _trial = tables.certificate, tables.trial


@dataclass(frozen=True, slots=True)
class Kept:
    """A certificate, and by what it is found. `at` in epoch seconds."""

    number: int
    at: float
    kind: str
    connection: str
    certificate: Certificate


class Certificates:
    """Keep what was certified, and what may be alive of it. Each is evidence of the service."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def intend(self, canary: Canary) -> None:
        """Keep it before anything is made."""
        kept = {"kind": canary.kind, "connection": canary.connection, "owner": canary.owner, "marker": canary.marker}
        row = {**kept, "at": canary.at, "credential": canary.credential}
        with self._database.write() as connection:
            connection.execute(insert(_trial).values(**rows.plain(row), before=canonical({"ids": list(canary.before)})))
            service.note(connection, {"act": "canary_intended", **row})

    def made(self, marker: str, credential: str) -> None:
        """Keep its id."""
        with self._database.write() as connection:
            connection.execute(update(_trial).where(_trial.c.marker == marker).values(credential=credential))

    def gone(self, marker: str) -> None:
        """Forget it: its issuer says that there is none."""
        with self._database.write() as connection:
            if connection.execute(delete(_trial).where(_trial.c.marker == marker)).rowcount:
                service.note(connection, {"act": "canary_gone", "marker": marker})

    def left(self, connection: str | None = None) -> list[Canary]:
        """Return the canaries of a connection, or of any, that may be alive, the oldest first."""
        query = select(_trial).order_by(_trial.c.at, _trial.c.marker)
        query = query if connection is None else query.where(_trial.c.connection == connection)
        with self._database.read() as reading:
            found = reading.execute(query).mappings().all()
        return [Canary(**{**row, "before": tuple(json.loads(row["before"])["ids"])}) for row in found]

    def keep(self, certificate: Certificate) -> None:
        """Keep one, and that it was made: its hash is in the evidence."""
        told = certificate.told
        of = {name: told[name] for name in ("at", "kind", "connection")}
        with self._database.write() as connection:
            values = {**of, "body": certificate.body, "signature": certificate.signature}
            connection.execute(insert(_certificate).values(**values))
            what: Mapping[str, object] = {
                "act": "certified",
                "outcome": told["outcome"],
                "sha256": certificate.sha256,
                **of,
            }
            service.note(connection, {**what, "by": told["by"], "certificate": told})

    def every(self) -> list[Kept]:
        """Return all that were kept, the newest first."""
        query = select(_certificate).order_by(_certificate.c.at.desc(), _certificate.c.number.desc())
        with self._database.read() as connection:
            return [_kept(row) for row in connection.execute(query).mappings()]


def _kept(row: RowMapping) -> Kept:
    of = Certificate(row["body"], row["signature"])
    return Kept(row["number"], row["at"], row["kind"], row["connection"], of)
