"""Two incidents become one: what nobody approved of the first becomes revisions of the other's plan.

What works already stays where it is, since its evidence and its gates are there; it is told under the other one too.
A credential in both is answered once: by the run that was approved, else by the other's.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Row, and_, delete, exists, insert, or_, select, update

from rotator.errors import BadInput
from rotator.flow.incident import Severity
from rotator.flow.playbook_words import REPLACING
from rotator.flow.revision import digest_of
from rotator.flow.run import UNDOES, StepState
from rotator.ledger import drills, enrolled, growing, kept_back, plans, raising, revisions, tables
from rotator.ledger.acts import act, lock
from rotator.ledger.notices import tell
from rotator.ledger.reviews import to_review
from rotator.ledger.revisions import Revision
from rotator.ledger.withdrawing import withdraw
from rotator.notices.event import Event

_REPLACING = sorted(each.value for each in REPLACING)
_REF = ("provider", "connection", "owner", "credential", "generation")


@dataclass(frozen=True, slots=True)
class Merged:
    """What became of it: how many credentials were `same` in both, and the newest revision that came of it, if any."""

    same: int
    revision: Revision | None


def merge(  # noqa: PLR0917 - two incidents, and who says so when
    connection: Connection, source: str, target: str, by: str, at: float, basis: plans.Basis
) -> Merged:
    """Merge one into the other. Raises BadInput where one is not there, or their plans are in each other's way."""
    if source == target:
        raise BadInput("an incident is not merged into itself", source, "name two")
    drills.refuse_merging(connection, (source, target))
    lock(connection, [*(each for one in (source, target) for each in (one, *revisions.merged(connection, one)))])
    taken = revisions.taken(connection, source)
    was_approved, severity = taken["approved_at"] is not None, taken["severity"]
    revisions.taken(connection, target)
    _refuse_doubtful(connection, source, target)
    stood = {each: not plans.changed_since(connection, each, basis) for each in (source, target)}
    same, withdrawn = _once(connection, source, target)
    for each in (source, target):
        if stood[each]:
            plans.stand_anew(connection, each, basis)
    _refuse_each_others_way(connection, source, target, basis)
    moved = [_moved(connection, each, source, target) for each in revisions.unapproved(connection, source)]
    if not was_approved:
        table = tables.foothold
        hosts = connection.execute(select(table.c.host).where(table.c.incident == source)).scalars().all()
        connection.execute(delete(table).where(table.c.incident == source))
        growing.stand_on(connection, target, hosts, at, by, f"merged from {source}")
    connection.execute(update(tables.incident).where(tables.incident.c.id == source).values(merged_into=target))
    raising.raise_to(connection, target, Severity(severity), by, at)
    newest = next((each for each in reversed(moved) if each is not None), None)
    told = {"at": at, "act": "merged", "by": by, "same": same}
    numbers = [each.number for each in moved if each is not None]
    told |= {"withdrawn": withdrawn} if withdrawn else {}
    act(connection, source, {**told, "into": target})
    act(connection, target, {**told, "incident": source, **({"revisions": numbers} if numbers else {})})
    for number in numbers:
        enrolled.tell(connection, target, number, at, source)
    tell(connection, target, Event.MERGED, {"other": source, "by": by}, at)
    if newest is not None:
        tell(connection, target, Event.REVISED, {"revision": str(newest.number), "by": by}, at)
    return Merged(len(same), newest)


def _refuse_doubtful(connection: Connection, source: str, target: str) -> None:
    """Raise BadInput where one would hide what of the other lives, or what a person has yet to look at."""
    mine, theirs = ([each, *revisions.merged(connection, each)] for each in (source, target))
    reviews = to_review(connection)
    if (of := next((each for each in [*mine, *theirs] if reviews.get(each)), None)) is not None:
        raise BadInput("it has an open review", of, f"look at it first: rotator review {of} --note …; then merge")
    for of, others in ((source, theirs), (target, mine)):
        kept_back.refuse_leaving(connection, of, others)
    run, apart = tables.run, f"open it again and approve it, or leave {source} and {target} apart"
    # A revision of them that nobody approved moves, and they with it.
    waiting = [each.number for each in revisions.unapproved(connection, source)]
    left = (run.c.incident.in_(mine), run.c.requested_at.is_(None), run.c.dismissed.is_not(None))
    stays = or_(run.c.incident != source, run.c.revision.not_in(waiting))
    if (of := connection.execute(select(run.c.id).where(*left, stays).limit(1)).scalar()) is not None:
        raise BadInput("it was dismissed before its approval, and could not be opened again there", of, apart)
    for table, names in ((run, _REF), (tables.manual, ("kind", "key", "connection"))):
        one, other = table.alias("one"), table.alias("other")
        same = and_(*(one.c[name].is_not_distinct_from(other.c[name]) for name in names))
        differ = one.c.dismissed.is_(None) != other.c.dismissed.is_(None)
        both = select(one.c.id, other.c.id.label("other")).join(other, and_(same, differ))
        found = connection.execute(both.where(one.c.incident.in_(mine), other.c.incident.in_(theirs)).limit(1)).first()
        if found is not None:
            raise BadInput(
                f"one of {found.id} and {found.other} is dismissed, the other is not",
                source,
                f"dismiss the other too, or {apart}",
            )
    if (outage := _left_with_nothing(connection, mine, theirs)) is not None:
        why = f"{outage.lost} would be taken back, whose replacement {outage.leans} leans on, for {outage.kept}"
        raise BadInput(why, source, f"leave them apart: {outage.kept} brings its owner nothing new")


def _left_with_nothing(connection: Connection, mine: list[str], theirs: list[str]) -> Row[Any, Any, Any] | None:
    """Find a run that mints and would be taken back for one that does not, while another of its owner does neither."""
    lost, kept, leans = (tables.run.alias(name) for name in ("lost", "kept", "leans"))
    owner = and_(*(lost.c[name] == leans.c[name] for name in ("provider", "connection", "owner")))
    query = (
        select(lost.c.id.label("lost"), kept.c.id.label("kept"), leans.c.id.label("leans"))
        .join(kept, and_(*(lost.c[name] == kept.c[name] for name in _REF)))
        .join(leans, and_(owner, leans.c.id.not_in([lost.c.id, kept.c.id])))
        .where(lost.c.requested_at.is_(None), lost.c.strategy.in_(_REPLACING), kept.c.strategy.not_in(_REPLACING))
        .where(leans.c.strategy.not_in(_REPLACING), leans.c.dismissed.is_(None), leans.c.incident.in_([*mine, *theirs]))
    )
    sides = ((mine, theirs), (theirs, mine))
    across = or_(*(lost.c.incident.in_(one) & kept.c.incident.in_(other) for one, other in sides))
    # Of two that nobody approved the target's answers.
    back = or_(lost.c.incident.in_(mine), kept.c.requested_at.is_not(None))
    return connection.execute(query.where(across, back).limit(1)).first()


def _once(connection: Connection, source: str, target: str) -> tuple[dict[str, str], dict[str, str]]:
    """Let one run answer what both have; return by which each is answered, and which of them were taken back."""
    mine, theirs = tables.run.alias("mine"), tables.run.alias("theirs")
    is_same = and_(*(mine.c[name] == theirs.c[name] for name in _REF))
    sides = tuple([each, *revisions.merged(connection, each)] for each in (source, target))
    query = (
        select(mine.c.id, theirs.c.id.label("other"), mine.c.requested_at, theirs.c.requested_at.label("theirs_at"))
        .join(theirs, is_same)
        .where(mine.c.incident.in_(sides[0]), theirs.c.incident.in_(sides[1]))
    )
    found, gone = {}, {}
    for row in connection.execute(query.order_by(mine.c.id)).all():
        if _is_undone(connection, row.other if row.requested_at is None else row.id):
            continue  # it answers the credential no more: what waits to stop it goes on waiting
        if row.requested_at is None:
            withdraw(connection, row.id, row.other)
            gone[row.id] = row.other
        elif row.theirs_at is None:
            withdraw(connection, row.other, row.id)
            gone[row.other] = row.id
        else:
            found[row.id] = row.other
    gone |= _tasks_once(connection, *sides)
    return found | gone, gone


def _is_undone(connection: Connection, run: str) -> bool:
    """Tell whether somebody took back what a run did."""
    step = tables.step
    is_it = (step.c.run == run, step.c.facts.contains(f'"{UNDOES}"'), step.c.state != StepState.SKIPPED.value)
    return connection.execute(select(step.c.id).where(*is_it).limit(1)).first() is not None


def _tasks_once(connection: Connection, ours: list[str], others: list[str]) -> dict[str, str]:
    mine, theirs = tables.manual.alias("mine"), tables.manual.alias("theirs")
    exposure, dismissal = tables.exposure, tables.dismissal
    is_same = and_(
        mine.c.kind.is_not_distinct_from(theirs.c.kind),
        mine.c.key == theirs.c.key,
        mine.c.connection == theirs.c.connection,
        mine.c.dismissed.is_(None) == theirs.c.dismissed.is_(None),  # what is open stays so
    )
    query = select(mine.c.id, theirs.c.id.label("other"), theirs.c.incident).join(theirs, is_same)
    both = query.where(mine.c.incident.in_(ours), theirs.c.incident.in_(others))
    found = {}
    for name, other, incident in connection.execute(both.order_by(mine.c.id)).all():
        connection.execute(update(exposure).where(exposure.c.manual == name).values(manual=other, incident=incident))
        connection.execute(update(dismissal).where(dismissal.c.of == name).values(of=other, incident=incident))
        connection.execute(delete(tables.manual).where(tables.manual.c.id == name))
        found[name] = str(other)
    return found


def _refuse_each_others_way(connection: Connection, source: str, target: str, basis: plans.Basis) -> None:
    """Raise BadInput where two plans that nobody approved would bring one owner two replacements, or one is stale."""
    mine, theirs = tables.run.alias("mine"), tables.run.alias("theirs")
    owner = and_(*(mine.c[name] == theirs.c[name] for name in ("provider", "connection", "owner", "deliver")))
    both = (each.c.strategy.in_(_REPLACING) & each.c.requested_at.is_(None) for each in (mine, theirs))
    query = select(mine.c.id, theirs.c.id.label("other")).join(theirs, owner)
    found = connection.execute(
        query.where(mine.c.incident == source, theirs.c.incident == target, *both).limit(1)
    ).first()
    why = f"{found.id} and {found.other} would each bring its owner a replacement" if found else ""
    if not why and (stale := plans.stale(connection, source, basis)) is not None:
        why = f"what nobody approved of it is stale: {stale[0]}"
    if why:
        first = f"rotator incident add {target} FILE… with what was reported there plans both together; then merge"
        raise BadInput(why, source, first)


def _moved(connection: Connection, each: Revision, source: str, target: str) -> Revision | None:
    """Move a revision, None where nothing is left of it: the other incident had all of it."""
    run, manual = tables.run, tables.manual
    of_run = (run.c.incident == source, run.c.revision == each.number)
    of_task = (manual.c.incident == source, manual.c.revision == each.number)
    if not connection.execute(select(or_(exists().where(*of_run), exists().where(*of_task)))).scalar():
        return None
    behind = revisions.behind(connection, target)
    number, covered = behind.revision + 1, revisions.unapproved(connection, target)
    digest = digest_of(target, number, each.digest, [one.digest for one in covered])
    revision = replace(each, number=number, digest=digest, why=f"merged from {source}")
    runs = select(run.c.id).where(*of_run)
    told = tables.dismissal
    tasks = select(manual.c.id).where(*of_task)
    connection.execute(update(told).where(or_(told.c.of.in_(runs), told.c.of.in_(tasks))).values(incident=target))
    for name in ("branch", "reach", "exposure"):
        table = tables.metadata.tables[name]
        connection.execute(update(table).where(table.c.run.in_(runs)).values(incident=target))
    connection.execute(update(tables.exposure).where(tables.exposure.c.manual.in_(tasks)).values(incident=target))
    connection.execute(update(run).where(*of_run, run.c.wave > 0).values(wave=run.c.wave + behind.wave))
    connection.execute(update(run).where(*of_run).values(incident=target, revision=number))
    connection.execute(update(manual).where(*of_task).values(incident=target, revision=number))
    _keep(connection, each, revision, source, target, [one.number for one in covered])
    connection.execute(update(tables.incident).where(tables.incident.c.id == target).values(plan_digest=digest))
    return revision


def _keep(  # noqa: PLR0917 - likewise
    connection: Connection, before: Revision, now: Revision, source: str, target: str, covers: list[int]
) -> None:
    plan = tables.plan
    of_it = select(plan.c.basis, plan.c.document).where(plan.c.incident == source, plan.c.number == before.number)
    basis, kept = connection.execute(of_it).one()
    document: dict[str, Any] = json.loads(zlib.decompress(kept))
    if document:
        document |= {"digest": now.digest, "incident": target, "revision": now.number, "covers": covers, "from": source}
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    row = {name: getattr(now, name) for name in ("number", "digest", "made_at", "detected_at", "by", "why")}
    connection.execute(insert(plan).values(incident=target, basis=basis, document=zlib.compress(text.encode()), **row))
