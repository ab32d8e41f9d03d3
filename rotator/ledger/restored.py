"""What a restored ledger must not believe: that nothing happened since its backup.

Every worker of that time counts as lost. A mint that was not finished is looked for before another is made, a series of
refusals that had not held begins anew, and the fences move on so far that no process of before can write. What people
said since, an undo, a legal hold or a stop, is gone: so everything is stopped until a person has looked.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, case, delete, insert, select, update

from rotator.flow.playbook_words import Verb
from rotator.flow.proof import unheard
from rotator.flow.run import AT_ONCE, THROUGH
from rotator.flow.step import RESTORED_FROM, UNRESOLVED, UNSEEN_ATTEMPTS
from rotator.ledger import gone, rows, service, statements, stops, tables
from rotator.ledger.acts import act, lock

UNSEEN = 8
"""Attempts of a mint that may have been made since: so many names are looked for, and never used again.

Whatever a later one left carries a name that nobody looks for. It is then a stranger's, and left to a person.
"""

FENCES = 1_000_000
"""More claims than any branch has had since."""

_branch, _step, _proof = tables.branch, tables.step, tables.proof


def mark(connection: Connection, taken_at: float, now: float, by: str) -> int:
    """Mark what may have gone on since the backup, and stop everything; return how many mints are looked for first."""
    _begin_epoch(connection)
    _free(connection)
    looked_for = _look_for_mints(connection, taken_at)
    _break_series(connection)
    told = {"at": now, "act": "restored", "by": by, "backup_at": taken_at, "reason": _reason(taken_at)}
    _stop(connection, told)
    # Also where there is no incident: who compares checkpoints with what was kept outside sees another past.
    service.note(connection, {**told, "sessions": _sign_everybody_out(connection, now, by)})
    return looked_for


def _begin_epoch(connection: Connection) -> None:
    """Make every cursor of before unknown: who follows the evidence reads it from the beginning."""
    connection.execute(delete(tables.epoch))
    connection.execute(insert(tables.epoch).values(name=secrets.token_hex(8)))


def _free(connection: Connection) -> None:
    """Take every claim away; what was at work is due at once."""
    was_held = _branch.c.holder.is_not(None)
    connection.execute(
        update(_branch).values(
            due_at=case((was_held, AT_ONCE), else_=_branch.c.due_at),
            holder=None,
            sent_at=None,
            granted=None,
            probe=0,
            fence=_branch.c.fence + FENCES,
        )
    )


def _look_for_mints(connection: Connection, taken_at: float) -> int:
    """Have every mint that was not through looked for, whether or not its turn had come then."""
    through = [each.value for each in THROUGH]
    query = select(_step).where(_step.c.verb == Verb.ISSUE.value, _step.c.state.not_in(through))
    found = [rows.step_of(each) for each in connection.execute(query).mappings()]
    for step in found:
        facts = dict(step.facts)
        unseen = facts.get(UNSEEN_ATTEMPTS)
        marked = {
            RESTORED_FROM: min(taken_at, float(str(facts.get(RESTORED_FROM, taken_at)))),
            UNSEEN_ATTEMPTS: UNSEEN + (unseen if isinstance(unseen, int) else 0),
            UNRESOLVED: True,
        }
        # Its patience begins when it is looked for.
        progress = {**rows.step_progress(step), "started_at": None, "facts": rows.text(rows.plain({**facts, **marked}))}
        connection.execute(statements.MOVE_STEP, {"s_id": step.id, **progress})
    return len(found)


def _break_series(connection: Connection) -> None:
    """Begin each series of refusals anew that had not held: nobody knows what a knock since was answered."""
    for row in connection.execute(select(_proof).where(_proof.c.contained_at.is_(None))).mappings().all():
        proof = rows.proof_of(row)
        if proof.settling:
            told = rows.proof_row(unheard(proof))
            connection.execute(statements.PROVE, {"p_run": row["run"], "p_target": proof.target, **told})


def _reason(taken_at: float) -> str:
    moment = datetime.fromtimestamp(taken_at, UTC).isoformat(timespec="seconds")
    return f"restored from the backup of {moment}: what was done since is not in this ledger"


def _stop(connection: Connection, told: Mapping[str, Any]) -> None:
    """Stop everything, and tell every incident why."""
    if all(each.scope != stops.ALL for each in stops.find(connection)):
        said = {name: told[name] for name in ("at", "by", "reason")}
        connection.execute(insert(tables.stop).values(scope=stops.ALL, name="", **said))
    known = select(tables.incident.c.id).where(~gone.is_gone(tables.incident.c.id))
    incidents = list(connection.execute(known).scalars())
    lock(connection, incidents)
    for incident in sorted(incidents):
        act(connection, incident, told)


def _sign_everybody_out(connection: Connection, now: float, by: str) -> list[str]:
    """End each session that lived then: whose it is may have signed out since, or been signed out; return which."""
    session, reason = tables.session, "restored from a backup"
    ending = update(session).where(session.c.ended_at.is_(None)).returning(session.c.id)
    return sorted(connection.execute(ending.values(ended_at=now, ended_by=by, ended_reason=reason)).scalars())
