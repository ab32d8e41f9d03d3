"""What was said to each revision of a plan, as the ledger has it, and what is still wanted."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from rotator.actor import OF_PROGRAM
from rotator.credential import CredentialRef
from rotator.flow.approval import Facts, Policy, Said, Scope, Wanted, wanted
from rotator.flow.playbook_words import Subject, Verb
from rotator.flow.run import Run
from rotator.ledger import destruction, revisions, tables
from rotator.ledger.revisions import Revision
from rotator.ledger.which import parts

_DESTROYS = (tables.step.c.verb == Verb.REVOKE.value, tables.step.c.subject == Subject.EXPOSED.value)


@dataclass(frozen=True, slots=True)
class Given:
    """One yes as it is kept."""

    digest: str
    said: Said
    role: str
    at: float
    reviewed_at: float | None = None
    reviewed_by: str | None = None
    note: str | None = None

    @property
    def to_review(self) -> bool:
        """Tell whether somebody has still to look at it."""
        return self.said.alone and self.reviewed_at is None


@dataclass(frozen=True, slots=True)
class Standing:
    """How a revision stands with those who approve.

    `destroying` are its runs that destroy what was exposed, `only_for_good` those whose credential nothing else stops.
    """

    revision: Revision
    facts: Facts
    given: tuple[Given, ...] = ()
    wanted: tuple[Wanted, ...] = ()
    only_for_good: tuple[str, ...] = ()
    destroying: frozenset[str] = frozenset()


def find(connection: Connection, incident: str) -> list[Given]:
    """Return every yes to an incident's plan, the first one first."""
    table = tables.approval
    query = select(table).where(table.c.incident == incident).order_by(table.c.at, table.c.id)
    return [
        Given(
            row["digest"],
            Said(row["by"], Scope(row["scope"]), row["glass"], row["standing_order"]),
            row["role"],
            row["at"],
            row["reviewed_at"],
            row["reviewed_by"],
            row["note"],
        )
        for row in connection.execute(query).mappings()
    ]


def standing(
    connection: Connection, incident: str, policy: Policy | None, runs: Collection[Run] | None = None
) -> tuple[Standing, ...]:
    """Return how each revision stands: what was said to it, and what it still wants.

    Where `runs` are given it names of these alone which destroy what was exposed: of a large plan they are many.
    """
    found, shut, given = (
        revisions.find(connection, incident),
        destruction.gates_shut(connection, incident),
        find(connection, incident),
    )
    destroyed = _destroyed(connection, incident)
    of = {each.revision.number: each.destroying for each in gated(connection, incident, runs or ())}
    answer = []
    for each in found:
        together = [one for one in found if _together(one, each)]
        newer = {one.digest for one in found if _of_one_act(one, each) and one.number >= each.number}
        mine = tuple(one for one in given if one.digest in newer)
        facts = _facts(connection, together, sum(destroyed.get(one.number, 0) for one in together))
        waits = set() if each.approved_at is not None else {Scope.CONTAINMENT}
        if each.digest in shut or (each.approved_at is None and policy is not None and policy.apart):
            waits.add(Scope.DESTRUCTION)
        still = tuple(one for one in wanted(policy, counted(given, found, each), facts) if one.scope in waits)
        for_good = only_for_good(connection, incident, each.number) if Scope.DESTRUCTION in waits else ()
        destroy = frozenset(destroying(connection, incident, [each])) if runs is None else of[each.number]
        answer.append(Standing(each, facts, mine, still, for_good, destroy))
    return tuple(answer)


def gated(connection: Connection, incident: str, runs: Collection[Run]) -> tuple[Standing, ...]:
    """Return which of these runs destroy what was exposed, by revision: nothing of what was said to any."""
    step, number = tables.step, {each.id: each.revision for each in runs}
    destroy = {
        name
        for part in parts(number)
        for name in connection.execute(select(step.c.run).where(step.c.run.in_(part), *_DESTROYS)).scalars()
    }
    return tuple(
        Standing(each, Facts(frozenset(), 0), destroying=frozenset(of for of in destroy if number[of] == each.number))
        for each in revisions.find(connection, incident)
    )


def covered(connection: Connection, incident: str, digest: str) -> list[Revision]:
    """Return the revisions that are approved together with the one of that digest, itself last; none for no such."""
    found = revisions.find(connection, incident)
    mine = next((each for each in found if each.digest == digest), None)
    return [] if mine is None else [*(each for each in found if _together(each, mine) and each != mine), mine]


def _together(each: Revision, mine: Revision) -> bool:
    """Tell whether two revisions are, or were, approved by one act: the newest covers all that wait before it."""
    return _of_one_act(each, mine) and each.number <= mine.number


def _of_one_act(each: Revision, mine: Revision) -> bool:
    return (each.approved_at, each.approved_by) == (mine.approved_at, mine.approved_by)


def counted(given: Iterable[Given], found: Iterable[Revision], mine: Revision) -> list[Said]:
    """Return what counts for a revision, of all that was said: no yes covers what came after its digest.

    Nor does one to an older digest outlive what came after it, which may have changed what it was about (a dismissal is
    taken back): until they are approved only what was said to the newest counts, from then on that to each from `mine`.
    """
    act = [each for each in found if _of_one_act(each, mine)]
    newest, from_mine = act[-1].digest, {each.digest for each in act if each.number >= mine.number}
    return [
        each.said
        for each in given
        if each.digest == newest
        or (each.digest in from_mine and mine.approved_at is not None and each.at > mine.approved_at)
    ]


def facts_of(connection: Connection, incident: str, together: Sequence[Revision]) -> Facts:
    """Return what the rule looks at of revisions that one yes is for."""
    destroyed = _destroyed(connection, incident)
    return _facts(connection, together, sum(destroyed.get(each.number, 0) for each in together))


def _facts(connection: Connection, together: Sequence[Revision], destroyed: int) -> Facts:
    makers = frozenset(each.by for each in together)
    return Facts(makers | behind(connection, makers), destroyed)


def behind(connection: Connection, makers: Iterable[str]) -> frozenset[str]:
    """Return who made the programs' tokens among these, and the tokens that made them, back to people.

    He may still hold one, and what it does may be his doing.
    """
    token, found, left = tables.token, set[str](), set(makers)
    while left:
        names = [each.removeprefix(OF_PROGRAM) for each in left if each.startswith(OF_PROGRAM)]
        created = set(connection.execute(select(token.c.created_by).where(token.c.name.in_(names))).scalars())
        left = created - found
        found |= created
    return frozenset(found)


def credentials(connection: Connection, incident: str, together: Iterable[Revision]) -> list[CredentialRef]:
    """Return the exposed credentials of revisions."""
    run = tables.run
    names = (run.c.provider, run.c.connection, run.c.owner, run.c.credential, run.c.generation)
    of = (run.c.incident == incident, run.c.revision.in_([each.number for each in together]))
    return [CredentialRef(*row) for row in connection.execute(select(*names).where(*of))]


def destroying(connection: Connection, incident: str, together: Iterable[Revision]) -> list[str]:
    """Return the runs of revisions that destroy what was exposed."""
    run, step = tables.run, tables.step
    of = (run.c.incident == incident, run.c.revision.in_([each.number for each in together]))
    query = select(run.c.id).join(step, step.c.run == run.c.id).where(*of, *_DESTROYS).distinct()
    return list(connection.execute(query).scalars())


def _destroyed(connection: Connection, incident: str) -> dict[int, int]:
    """Return how many runs of each revision destroy what was exposed."""
    run, step = tables.run, tables.step
    destroys = select(1).where(step.c.run == run.c.id, *_DESTROYS).exists()
    query = select(run.c.revision, func.count()).where(run.c.incident == incident, destroys).group_by(run.c.revision)
    return {number: count for number, count in connection.execute(query)}  # noqa: C416 - rows are not pairs


def only_for_good(connection: Connection, incident: str, number: int) -> tuple[str, ...]:
    """Return the credentials of a revision that live until their destruction is approved: nothing else stops them."""
    run, step, earlier = tables.run, tables.step, tables.step.alias("earlier")
    stops = [Verb.SUSPEND.value, Verb.UNINSTALL.value]
    before = select(1).where(
        earlier.c.run == run.c.id,
        earlier.c.verb.in_(stops),
        earlier.c.subject == Subject.EXPOSED.value,
        earlier.c.position < step.c.position,
    )
    query = (
        select(run.c.id)
        .join(step, step.c.run == run.c.id)
        .where(run.c.incident == incident, run.c.revision == number, run.c.dead_at.is_(None))
        .where(step.c.verb == Verb.REVOKE.value, step.c.subject == Subject.EXPOSED.value, ~before.exists())
    )
    return tuple(sorted(set(connection.execute(query).scalars())))
