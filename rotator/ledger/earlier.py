"""What earlier runs, of any incident, have done for a credential already or still have before them."""

from __future__ import annotations

import json
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, Select, and_, or_, select

from rotator.credential import CredentialRef
from rotator.flow.order import Elsewhere, Left
from rotator.flow.playbook_words import MINTING, REPLACING, Strategy, Subject, Verb
from rotator.flow.run import BranchState, Run, StepState
from rotator.ledger import drills, preempting, rows, tables
from rotator.ledger.which import Which
from rotator.ports.store import Place

LEAKED = "?"
"""Stands for the name of a replacement that has leaked itself: nobody may hold it any more."""
_REPLACING = sorted(each.value for each in REPLACING)


def answered(
    connection: Connection, deliver: Mapping[CredentialRef, tuple[Place, ...]], incident: str = ""
) -> dict[CredentialRef, str]:
    """Return, for each credential whose replacement an earlier run has made or is about to, that run's id.

    That is a run for the same credential, or one that delivered for the same owner to the same places: consumers
    hold what came with it, unless that has leaked too, now or before. What an `incident` that grows has planned counts,
    approved or not: it is approved first, or together.
    """
    run, names = tables.run, {each.id for each in deliver}
    planned = and_(run.c.incident == incident, run.c.requested_at.is_(None), run.c.strategy.in_(_REPLACING))
    planned = and_(planned, run.c.dismissed.is_(None))
    asked = {(each.provider, each.connection, each.owner) for each in deliver}
    found: dict[CredentialRef, str] = {}
    by_owner: dict[tuple[str, str, str], list[Run]] = {}
    for owners in _by_500(sorted({owner for _, _, owner in asked})):
        query = select(run).where(run.c.owner.in_(owners), or_(replaces(run), planned))
        # What nobody approved has no time yet, and comes last.
        by_time = query.order_by(run.c.requested_at.is_(None), run.c.requested_at)
        names_of = (run.c.provider, run.c.connection, run.c.owner, run.c.credential)
        exposed = select(*names_of).where(run.c.owner.in_(owners), run.c.dismissed.is_(None))
        leaked = {tuple(each) for each in connection.execute(exposed)}
        for row in connection.execute(by_time).mappings():
            earlier = rows.run_of(row)
            owner = earlier.ref.provider, earlier.ref.connection, earlier.ref.owner
            gone = (*owner, earlier.replacement) in leaked
            by_owner.setdefault(owner, []).append(replace(earlier, replacement=LEAKED) if gone else earlier)
    for ref, places in deliver.items():
        for earlier in by_owner.get((ref.provider, ref.connection, ref.owner), []):
            held = bool(places) and set(places) <= set(earlier.deliver)
            if earlier.ref == ref or (held and earlier.replacement not in {LEAKED, ref.id, *names}):
                found[ref] = earlier.id
    return found


def answered_meanwhile(incident: str) -> Select[Any]:
    """Ask for a run of another incident that replaces what this one plans to replace.

    That is the same credential, or one of the same owner that is delivered to the same places, approved since this was
    planned, or opened again: dismissed it answered nobody.
    """
    mine, other, planned = tables.run.alias("mine"), tables.run.alias("other"), tables.plan
    same_owner = (mine.c[name] == other.c[name] for name in ("provider", "connection", "owner"))
    same_credential = and_(mine.c.credential == other.c.credential, mine.c.generation == other.c.generation)
    told = tables.dismissal
    opened = select(1).where(told.c.of == other.c.id, told.c.reopened_at >= planned.c.made_at)
    since = or_(other.c.requested_at >= planned.c.made_at, opened.correlate(other, planned).exists())
    same_places = and_(mine.c.deliver == other.c.deliver, since)
    return select(other.c.id, other.c.credential).where(
        *same_owner,
        or_(same_credential, same_places),
        *_waits_for_approval(mine, planned),
        mine.c.incident == incident,
        mine.c.strategy.in_(_REPLACING),
        other.c.incident != incident,
        replaces(other),
    )


def _waits_for_approval(mine: FromClause, planned: FromClause) -> tuple[ColumnElement[bool], ...]:
    """Match a run that nobody approved, with the revision of the plan that it came with."""
    waits = and_(mine.c.requested_at.is_(None), mine.c.dismissed.is_(None))
    return waits, planned.c.incident == mine.c.incident, planned.c.number == mine.c.revision


def in_each_others_way(incident: str) -> Select[Any]:
    """Ask for a run that was approved since this was planned, and that reads where this one delivers, or the reverse.

    Both are replaced first, so neither would stop before the other: see `stopped_rather` in flow/order.py.
    """
    mine, other, planned = tables.run.alias("mine"), tables.run.alias("other"), tables.plan
    first = Strategy.REPLACE_FIRST.value
    reach, delivery = tables.reach, tables.delivery
    is_reader = or_(
        and_(reach.c.run == mine.c.id, delivery.c.run == other.c.id, reach.c.open == -tables.LIVES),
        and_(reach.c.run == other.c.id, delivery.c.run == mine.c.id, reach.c.open == tables.LIVES),
    )
    return select(other.c.id, reach.c.connection).where(
        *_waits_for_approval(mine, planned),
        mine.c.incident == incident,
        mine.c.strategy == first,
        other.c.incident != incident,
        other.c.strategy == first,
        other.c.requested_at >= planned.c.made_at,
        other.c.replaced_at.is_(None),
        reach.c.connection == delivery.c.connection,
        is_reader,
    )


def standing(connection: Connection, refs: Iterable[CredentialRef]) -> list[tuple[str, str, int]]:
    """Return the open incidents that have seen no death of some of these yet: each, how it stands, of how many."""
    run, asked = tables.run, set(refs)
    found: Counter[tuple[str, str]] = Counter()
    for names in _by_500(sorted({each.id for each in asked})):
        query = (
            select(run)
            .join(tables.incident, tables.incident.c.id == run.c.incident)
            .where(tables.incident.c.closed_at.is_(None), run.c.credential.in_(names))
            .where(run.c.evidence == "none", run.c.let_in_at.is_(None), run.c.dismissed.is_(None))
        )
        for row in connection.execute(query).mappings():
            if rows.run_of(row).ref in asked:
                how = "approved and not done" if row["requested_at"] else "not approved"
                found[row["incident"], how] += 1
    return [(name, how, count) for (name, how), count in sorted(found.items())]


def delivered_since(connection: Connection, which: Which) -> dict[str, str]:
    """Return, for each of these runs that gave a value back, a later run that delivered to the same places."""
    mine, other, step = tables.run.alias("mine"), tables.run.alias("other"), tables.step
    later = and_(other.c.deliver == mine.c.deliver, other.c.id != mine.c.id, other.c.replaced_at > step.c.settled_at)
    query = (
        select(mine.c.id.label("of"), other.c.id)
        .select_from(mine.join(step, step.c.run == mine.c.id).join(other, later))
        .where(which.of(mine), mine.c.deliver != rows.places_text(()))
        .where(step.c.verb == Verb.DEMOTE.value, step.c.state == StepState.DONE.value)
        .order_by(other.c.replaced_at)
    )
    return {row.of: row.id for row in connection.execute(query)}


def elsewhere(connection: Connection, incident: str = "") -> Elsewhere:
    """Return what runs that are replaced first still have before them, and what plans left alive.

    That is of everything approved, and of an `incident` that grows whatever it has planned.
    """
    run, reach, delivery = tables.run, tables.reach, tables.delivery
    counts = and_(or_(run.c.requested_at.is_not(None), run.c.incident == incident), run.c.dismissed.is_(None))
    first = and_(run.c.strategy == Strategy.REPLACE_FIRST.value, counts)
    passed = select(delivery.c.connection).join(run, run.c.id == delivery.c.run)
    read = select(reach.c.connection).join(run, run.c.id == reach.c.run)
    return Elsewhere(
        frozenset(connection.execute(passed.where(first, run.c.replaced_at.is_(None)).distinct()).scalars()),
        frozenset(
            connection.execute(read.where(first, reach.c.open.in_([tables.LIVES, -tables.LIVES])).distinct()).scalars()
        ),
        left_alive(connection, incident=incident),
    )


def left_alive(connection: Connection, since: float = 0.0, incident: str = "") -> tuple[Left, ...]:
    """Return what the plans that were approved since then left alive, and no later run has stopped.

    Of an `incident` that grows, whatever it leaves. Each is told of the latest incident that left it. What a release
    kept that told no reach is not among them.
    """
    plan, manual, run = tables.plan, tables.manual, tables.run
    tasks = select(manual.c.id).where(manual.c.incident == plan.c.incident, manual.c.revision == plan.c.number)
    query = (
        select(plan.c.incident.label("id"), plan.c.made_at.label("declared_at"), plan.c.document)
        .where(or_(plan.c.approved_at > since, plan.c.incident == incident), tasks.exists())
        .order_by(plan.c.approved_at, plan.c.incident)
    )
    found: dict[tuple[str, str, str], tuple[Left, float]] = {}
    for row in connection.execute(query):
        document = json.loads(zlib.decompress(row.document))
        for part in ("manual", "excluded"):
            for each in document.get(part, ()):
                if reaches := frozenset(each.get("reaches", ())):
                    named = each["provider"], each.get("connection", ""), each["id"]
                    left = Left(row.id, *named, reaches, part == "excluded", frozenset(each.get("known", ())))
                    found[named] = left, row.declared_at
    stopped: dict[str, list[Any]] = {}
    names = (run.c.kind, run.c.connection, run.c.credential, run.c.contained_at)
    for ids in _by_500(sorted({key for _, _, key in found})):
        of_ids = select(*names).where(run.c.credential.in_(ids), run.c.contained_at.is_not(None))
        for death in connection.execute(of_ids):
            stopped.setdefault(death.credential, []).append(death)
    return tuple(
        left
        for left, declared_at in found.values()
        if not any(
            each.contained_at >= declared_at and left.is_of(each.kind, each.connection)
            for each in stopped.get(left.key, ())
        )
    )


def replaces(run: FromClause) -> ColumnElement[bool]:
    """Ask whether a run has replaced its credential, or is about to: approved, and no branch of it has failed.

    One that a person took back, or that made none since a person went on without, replaces nothing; nor does hygiene
    that has not begun to: it gives way. What a drill makes is gone when it ends, and replaces nothing.
    """
    branch, step = tables.branch, tables.step
    failed = select(branch.c.id).where(branch.c.run == run.c.id, branch.c.state == BranchState.FAILED.value)
    minting = run.c.strategy.in_(_REPLACING)
    given_up = select(step.c.id).where(
        step.c.run == run.c.id,
        or_(
            # A demotion, and the end of a replacement, come of an undo alone.
            and_(step.c.verb == Verb.DEMOTE.value, step.c.state != StepState.SKIPPED.value),
            and_(
                step.c.verb.in_([Verb.REVOKE.value, Verb.UNINSTALL.value]),
                step.c.subject == Subject.REPLACEMENT.value,
                step.c.state != StepState.SKIPPED.value,
            ),
            and_(step.c.verb.in_([each.value for each in MINTING]), step.c.state == StepState.SKIPPED.value),
        ),
    )
    goes_on = and_(run.c.requested_at.is_not(None), run.c.dismissed.is_(None))
    made = or_(run.c.replacement.is_not(None), and_(goes_on, minting, ~failed.exists()))
    return and_(made, ~given_up.exists(), ~preempting.gives_way(run), drills.is_none(run))


def _by_500(names: Sequence[str]) -> Iterator[Sequence[str]]:
    """Give long lists in pieces that every database takes."""
    for start in range(0, len(names), 500):
        yield names[start : start + 500]
