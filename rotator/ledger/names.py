"""Names that people give to what the ledger has: where one means nothing, which one was meant.

Names of incidents and runs differ in few letters. So only a slip of the hand is read as one: to lead a person to
another incident would be worse than to lead him nowhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from sqlalchemy import Connection, func, select

from rotator.errors import BadInput
from rotator.flow.incident import Purpose
from rotator.ledger import tables
from rotator.ledger.purposes import purpose

LAST = "last"
_SLIP = 0.9
"""How much of two names must be the same: of an incident's twenty letters all but two."""
_incident, _run = tables.incident, tables.run


def near(name: str, known: Sequence[str]) -> str | None:
    """Return the one of the known names that this is a slip of, or the beginning or the end; None where it is none."""
    parts = [each for each in known if name and (each.startswith(name) or each.endswith(name))]
    return parts[0] if len(parts) == 1 else next(iter(get_close_matches(name, known, n=1, cutoff=_SLIP)), None)


def incidents(connection: Connection, most: int | None = None) -> list[str]:
    """Return the incidents' names, the newest first."""
    return list(
        connection.execute(select(_incident.c.id).order_by(_incident.c.declared_at.desc()).limit(most)).scalars()
    )


def incident(connection: Connection, name: str) -> str:
    """Return the incident that a person named: by its id, or the newest as `last`. Raises BadInput where it is none."""
    known = incidents(connection)
    if name in known:
        return name
    if name == LAST:
        return last(connection)
    found = near(name, known) or (LAST if known and get_close_matches(name, [LAST]) else None)
    mend = f"did you mean `{found}`?" if found else "rotator incident list shows them"
    raise BadInput("no such incident", name, mend)


def last(connection: Connection) -> str:
    """Return the newest incident that somebody responds to: of one that was merged, the one under which it is told.

    A drill or hygiene that began meanwhile is not what anybody means. Raises BadInput where there is none.
    """
    newest = select(_incident.c.id).order_by(_incident.c.declared_at.desc(), _incident.c.id.desc()).limit(1)
    name: str | None = connection.execute(newest.where(purpose(_incident) == Purpose.RESPONSE.value)).scalar()
    if name is None:
        raise BadInput("there is no incident yet", LAST, "rotator respond FILE declares one")
    merged = select(_incident.c.id, _incident.c.merged_into).where(_incident.c.merged_into.is_not(None))
    into = {row.id: row.merged_into for row in connection.execute(merged)}
    while name in into:
        name = into[name]
    return name


def run(connection: Connection, name: str) -> str:
    """Return the run that a person named by its id. Raises BadInput where there is none."""
    if connection.execute(select(_run.c.id).where(_run.c.id == name)).first() is not None:
        return name
    of, _, number = name.partition(".")
    known = incidents(connection)
    meant = of if of in known else near(of, known)
    if meant is None:
        mend = "the report shows them, as INCIDENT.r1: rotator report last"
    elif connection.execute(select(_run.c.id).where(_run.c.id == f"{meant}.{number}")).first() is not None:
        mend = f"did you mean `{meant}.{number}`?"
    else:
        count = connection.execute(select(func.count()).select_from(_run).where(_run.c.incident == meant)).scalar()
        mend = f"of {meant} there are {count:,}, named as {meant}.r1: rotator report {meant}"
    raise BadInput("no such run in this ledger", name, mend)
