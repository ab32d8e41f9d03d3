"""Which credentials of a run's owner the ledger knows: what is none of them, somebody else made."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row

from rotator.claims import Ours
from rotator.flow.run import Run
from rotator.ledger import rows, statements


def find(connection: Connection, run: Run) -> Ours:
    """Return which credentials of the run's owner the ledger knows."""
    of_owner = {"provider": run.ref.provider, "connection": run.ref.connection, "owner": run.ref.owner}
    rows_of = connection.execute(statements.FIND_OURS, of_owner).all()
    late = connection.execute(statements.FIND_LATE, of_owner).scalars().all()
    canaries = connection.execute(statements.FIND_CANARIES, of_owner).scalars().all()
    promoted = _promoted_since(connection, run, rows_of)
    replacements = frozenset(row.replacement for row in rows_of if row.replacement is not None)
    known = replacements | {row.credential for row in rows_of} | set(canaries)
    exposed = frozenset(row.credential for row in rows_of if row.requested_at is not None and row.id != run.id)
    return Ours(known, replacements, frozenset(late), promoted, exposed)


def _promoted_since(connection: Connection, run: Run, rows_of: Sequence[Row[Any]]) -> frozenset[tuple[str, str]]:
    """Return the places of a run, each with a version that another run of its owner put there after it had delivered.

    Nearly always no other run delivers there, and the ledger is asked for nothing more.
    """
    if run.replaced_at is None:
        return frozenset()
    mine = [rows.places_text((place,))[1:-1] for place in run.deliver]
    others = [row.id for row in rows_of if row.id != run.id and any(each in row.deliver for each in mine)]
    if not others:
        return frozenset()
    found = connection.execute(statements.FIND_PROMOTED, {"by_runs": others, "since": run.replaced_at}).scalars()
    told = (json.loads(facts).get("promoted", {}) for facts in found)
    places = {str(place) for place in run.deliver}
    return frozenset((at, version) for each in told for at, version in each.items() if at in places)
