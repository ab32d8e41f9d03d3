"""Say yes to a plan, or look at what went through without enough of them. Each is evidence of the incident.

What a revision destroys waits at a gate of its own, which is shut as the revision is approved and opened when enough
was said to its destruction.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, insert, select, update

from rotator import clock
from rotator.credential import CredentialRef
from rotator.errors import BadInput, NotAllowed
from rotator.flow.approval import BOTH, Decision, Policy, Said, Scope, Wanted, decide, enough, may_review, scopes_of
from rotator.flow.playbook_words import DESTRUCTION
from rotator.ledger import approved, approving, notices, revisions, rows, statements, tables
from rotator.ledger.acts import act, lock, said
from rotator.ledger.approved import Given
from rotator.ledger.database import Database
from rotator.ledger.enrolment import Enrolment
from rotator.ledger.revisions import Revision
from rotator.notices.event import Event


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a yes: whether anything is new, the work begins with it, the destruction may; what is wanted."""

    is_new: bool
    begins: bool = False
    destroys: bool = False
    wanted: tuple[Wanted, ...] = ()


class Approvals:
    """Take what people say to a plan; `policy` is the rule, None where one person does everything."""

    def __init__(
        self, database: Database, enrolment: Enrolment, policy: Policy | None, clock: Callable[[], float] = clock.now
    ) -> None:
        self._database, self._enrolment, self.policy, self._clock = database, enrolment, policy, clock

    def approve(self, incident: str, digest: str, by: str, scopes: frozenset[Scope] = BOTH, glass: str = "") -> Outcome:
        """Write down a yes, and begin what it is enough for, in one transaction.

        Raises NotAllowed for a yes that is not this person's, BadInput for a plan that is not the one that was shown,
        or is stale.
        """
        with self._database.write() as connection:
            return self._say(connection, incident, digest, by, scopes, glass)

    def check(self, incident: str, digest: str, by: str, scopes: frozenset[Scope], glass: str = "") -> None:
        """Raise NotAllowed where a yes would not be this person's to give; write nothing."""
        with self._database.read() as connection:
            if together := approved.covered(connection, incident, digest):
                before = _counted(connection, incident, together[-1])
                decide(self.policy, by, before, approved.facts_of(connection, incident, together), scopes, glass)

    def consent(self, connection: Connection, incident: str, digest: str, by: str) -> bool:
        """Take the yes of who declares, inside that transaction. Raises NotAllowed where it is not enough.

        Where no machine does anything, there is nothing that others would have to approve.
        """
        if not approved.credentials(connection, incident, approved.covered(connection, incident, digest)):
            return self._enrolment.approve_within(connection, incident, digest, by)
        found = self._say(connection, incident, digest, by, scopes_of(None, self.policy))
        if found.wanted and not found.begins:
            raise NotAllowed("; ".join(map(str, found.wanted)), f"approve {incident}", "it was not declared")
        return found.begins

    def _say(  # noqa: PLR0917 - a yes, and what it is said to
        self, connection: Connection, incident: str, digest: str, by: str, scopes: frozenset[Scope], glass: str = ""
    ) -> Outcome:
        approving.one_at_a_time(connection)
        lock(connection, [incident])
        revisions.refuse_closed(connection, incident)
        together = approved.covered(connection, incident, digest)
        newest = connection.execute(
            select(tables.incident.c.plan_digest).where(tables.incident.c.id == incident)
        ).scalar()
        waits = not together or together[-1].approved_at is None
        if not together or (waits and digest != newest):
            # Nothing was said to a plan that is not there, or is not the newest: whoever approves says so.
            return Outcome(self._enrolment.approve_within(connection, incident, digest, by))
        if waits and not glass and not approved.credentials(connection, incident, together):
            return Outcome(self._enrolment.approve_within(connection, incident, digest, by))  # as in `consent`
        found = _say(connection, incident, together, by, scopes, self.policy, self._clock(), glass)
        begins = False
        if waits and Scope.CONTAINMENT in found.enough:
            begins = self._enrolment.approve_within(connection, incident, digest, by)
        elif waits:
            self._enrolment.refuse_stale(connection, incident)
        return Outcome(bool(found.written) or begins, begins, Scope.DESTRUCTION in found.enough, found.wanted)

    def credentials(self, incident: str, digest: str) -> list[CredentialRef]:
        """Return the exposed credentials that an approval of that digest is about."""
        with self._database.read() as connection:
            return approved.credentials(connection, incident, approved.covered(connection, incident, digest))

    def newest(self, incident: str) -> str:
        """Return the digest of an incident's newest plan."""
        query = select(tables.incident.c.plan_digest).where(tables.incident.c.id == incident)
        with self._database.read() as connection:
            return str(connection.execute(query).scalar_one())

    def wanted(self, incident: str, digest: str) -> tuple[Wanted, ...]:
        """Return what a plan still wants of whom, with whatever it covers."""
        with self._database.read() as connection:
            found = approved.standing(connection, incident, self.policy)
        return next((each.wanted for each in found if each.revision.digest == digest), ())

    def review(self, incident: str, by: str, note: str) -> list[Given]:
        """Note that somebody looked at what went through without approval; return what that was.

        Raises NotAllowed for who may not, BadInput where nothing is left to be looked at, or no note is given.
        """
        if not note.strip():
            raise BadInput("a review says what was seen: it becomes evidence", "--note", "say it in a few words")
        table, now = tables.approval, self._clock()
        with self._database.write() as connection:
            lock(connection, [incident])
            left = [each for each in approved.find(connection, incident) if each.to_review]
            if not left:
                raise BadInput("nothing of it waits for a review", incident, "nothing to do")
            may = [each for each in left if not may_review(self.policy, by, each.said.by)]
            if not may:
                why = may_review(self.policy, by, left[0].said.by)
                raise NotAllowed(why, f"review {incident}", "ask another approver")
            for each in may:
                is_it = (table.c.incident == incident, table.c.digest == each.digest, table.c.at == each.at)
                values = rows.plain({"reviewed_at": now, "reviewed_by": by, "note": note})
                connection.execute(update(table).where(*is_it, table.c.reviewed_at.is_(None)).values(values))
            what = [{"plan": each.digest, "scope": each.said.scope.value, "by": each.said.by} for each in may]
            act(connection, incident, {"at": now, "act": "reviewed", "by": by, "note": note, "what": what})
        return may


def by_order(
    connection: Connection, incident: str, digest: str, orders: Sequence[str], scopes: Collection[Scope]
) -> str:
    """Write down that standing orders say yes to a revision, and return in whose name that is approved."""
    name, now = f"standing order {', '.join(orders)}", clock.now()
    together = approved.covered(connection, incident, digest)
    given = [Said(name, scope, order=", ".join(orders)) for scope in Scope if scope in scopes]
    _write(connection, incident, digest, given, "", now)
    may = {each.digest for each in together} if Scope.DESTRUCTION in scopes else set()
    _set_gates(connection, incident, together, name, now, may)
    told = {"plan": digest, "orders": list(orders)}
    act(connection, incident, {"at": now, "act": "ordered", "by": name, "scope": sorted(scopes), **told})
    notices.tell(connection, incident, Event.STANDING_ORDER, told, now)
    return name


def by_policy(  # noqa: PLR0917 - who agreed to what
    connection: Connection, incident: str, digest: str, by: str, agreed_by: str, now: float, *, destroys: bool
) -> None:
    """Note that a policy of hygiene agrees to a plan; what it destroys waits at its gate unless that is agreed too."""
    together = approved.covered(connection, incident, digest)
    _set_gates(connection, incident, together, by, now, {each.digest for each in together} if destroys else set())
    scopes = sorted(each.value for each in (Scope if destroys else (Scope.CONTAINMENT,)))
    act(connection, incident, {"at": now, "act": "agreed", "by": by, "agreed_by": agreed_by, "scope": scopes})


def _say(  # noqa: PLR0917 - a yes, and what it is said to
    connection: Connection,
    incident: str,
    together: Sequence[Revision],
    by: str,
    scopes: frozenset[Scope],
    policy: Policy | None,
    now: float,
    glass: str = "",
) -> Decision:
    """Write down one person's yes, shut or open the gate of the destruction; return what it comes to."""
    if glass:
        said(by, glass)
    before = _counted(connection, incident, together[-1])
    facts = approved.facts_of(connection, incident, together)
    found = decide(policy, by, before, facts, scopes, glass)
    if policy is None and scopes == BOTH and not glass and not before:
        return replace(found, written=())  # one person alone: nothing was agreed that would have to be kept
    given = [Said(by, scope, glass) for scope in found.written]
    person = policy.people.get(by) if policy is not None else None
    _write(connection, incident, together[-1].digest, given, person.role.value if person is not None else "", now)
    if Scope.CONTAINMENT in found.enough or together[-1].approved_at is not None:
        counts = {each.digest: _counted(connection, incident, each) for each in together}
        may = {digest for digest, told in counts.items() if Scope.DESTRUCTION in enough(policy, told)}
        _set_gates(connection, incident, together, by, now, may)
    if given:
        told = {"plan": together[-1].digest, "scope": [each.value for each in found.written]}
        still = [str(each) for each in found.wanted]
        kept = {**told, **({"reason": glass} if glass else {}), **({"wanted": still} if still else {})}
        act(connection, incident, {"at": now, "act": "broke_glass" if glass else "said_yes", "by": by, **kept})
        _tell(connection, incident, together[-1].digest, by, found, glass=bool(glass), now=now)
    return found


def _counted(connection: Connection, incident: str, mine: Revision) -> list[Said]:
    return approved.counted(approved.find(connection, incident), revisions.find(connection, incident), mine)


def _tell(
    connection: Connection, incident: str, digest: str, by: str, found: Decision, *, glass: bool, now: float
) -> None:
    if glass:
        notices.tell(connection, incident, Event.BREAK_GLASS, {"plan": digest, "by": by}, now)
        notices.tell(connection, incident, Event.REVIEW_DUE, {"plan": digest, "by": by}, now)
    elif found.wanted:
        first = found.wanted[0]
        facts = {"plan": digest, "of": list(first.of or ()), **({"by": by} if first.scope in found.written else {})}
        if first.scope is Scope.DESTRUCTION:
            # It is asked for with its own plan's digest: the newest plan may be another's by then.
            facts |= {"scope": first.scope, "command": f"rotator approve {incident} --digest {digest}{first.option}"}
        notices.tell(connection, incident, Event.APPROVAL_WANTED, facts, now)


def _write(  # noqa: PLR0917 - a row
    connection: Connection, incident: str, digest: str, given: Sequence[Said], role: str, now: float
) -> None:
    for each in given:
        values = {"by": each.by, "glass": each.glass, "standing_order": each.order}
        of = {"incident": incident, "digest": digest, "scope": each.scope.value, "role": role, "at": now}
        connection.execute(insert(tables.approval).values(**of, **rows.plain(values)))


def _set_gates(  # noqa: PLR0917 - gates, and what they follow from
    connection: Connection,
    incident: str,
    together: Sequence[Revision],
    by: str,
    now: float,
    may: Collection[str],
) -> None:
    """Shut the gate of each revision whose destruction is not approved, open those of the digests that `may`."""
    gate, opened = tables.gate, 0
    there = set(connection.execute(select(gate.c.name).where(gate.c.incident == incident)).scalars())
    for each in together:
        name = DESTRUCTION + each.digest
        if each.digest in may:
            values = rows.plain({"open": 1, "at": now, "by": by, "reason": "its destruction is approved"})
            is_it = (gate.c.incident == incident, gate.c.name == name, gate.c.open == 0)
            opened += connection.execute(update(gate).where(*is_it).values(values)).rowcount
        elif name not in there and approved.destroying(connection, incident, [each]):
            values = rows.plain({"at": now, "by": by, "reason": "only its containment is approved"})
            connection.execute(insert(gate).values(incident=incident, name=name, open=0, **values))
    if opened:
        connection.execute(statements.WAKE_AT_OPEN_GATES)
