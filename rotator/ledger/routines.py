"""What hygiene is decided on: which credentials there are, when each was made, and which are in other hands."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter

from sqlalchemy import Connection, and_, func, insert, or_, select

from rotator import clock
from rotator.credential import CredentialRef
from rotator.errors import BadInput
from rotator.flow.playbook_words import REPLACING
from rotator.ledger import approvals, drills, tables
from rotator.ledger.approving import one_at_a_time
from rotator.ledger.database import Database
from rotator.ledger.enrolment import Enrolment
from rotator.ledger.routine_tasks import Task, epoch, open_tasks

_hygiene, _incident, _listed, _run = tables.hygiene, tables.incident, tables.listed, tables.run
_ACTIVE, _AGAIN = "active", "it is looked at again in a minute"
_NAME = ("provider", "connection", "owner", "credential")
_LISTED = select(*(_listed.c[name] for name in _NAME), _listed.c.facts, _listed.c.gone_at)
_REPLACED = select(*(_run.c[name] for name in _NAME), _run.c.replacement, _run.c.replaced_at).where(
    _run.c.replaced_at.is_not(None), _run.c.dismissed.is_(None), drills.is_none(_run)
)
_BY_NAME = attrgetter("ref.provider", "ref.connection", "ref.owner", "ref.id")
Owner = tuple[str, str, str]
"""The kind, the connection and the owner whose credentials share a replacement; the id where nobody knows the owner."""


@dataclass(frozen=True, slots=True)
class There:
    """One credential that is there: when it was made and when it ends by itself, as far as anybody told."""

    ref: CredentialRef
    made_at: float | None
    ends_at: float | None


def owner_of(ref: CredentialRef) -> Owner:
    """Name whose it is."""
    return ref.provider, ref.connection, ref.owner or ref.id


class Routines:
    """The ledger as hygiene reads it, and what it has begun."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def there(self, until: float = math.inf) -> list[There]:
        """Return what issuers list, and what we made since, but for what is gone, stopped, or was replaced by us.

        What was made after `until`, in epoch seconds, is left out unless it ends by itself: of 50,000 most are young.
        """
        made: dict[CredentialRef, float] = {}
        old: set[CredentialRef] = set()
        found: list[There] = []
        with self._database.read() as connection:
            for *name, new_id, at in connection.execute(_REPLACED):
                ref = CredentialRef(*name)
                new = ref.with_id(new_id or ref.id)
                made[new] = max(made.get(new, 0.0), at)
                if new != ref:
                    old.add(ref)
            for *name, told, gone_at in connection.execute(_LISTED):
                facts = json.loads(told)
                made_at, ends_at = epoch(facts.get("created_at")), epoch(facts.get("expires_at"))
                if made and (ours := made.pop(CredentialRef(*name), None)) is not None:
                    made_at = ours if made_at is None else max(made_at, ours)
                is_there = gone_at is None and facts.get("state", _ACTIVE) == _ACTIVE
                if is_there and (made_at is None or made_at <= until or ends_at is not None):
                    found.append(There(CredentialRef(*name), made_at, ends_at))
        found += [There(ref, at, None) for ref, at in made.items() if at <= until]
        return sorted((each for each in found if each.ref not in old), key=_BY_NAME)

    def busy(self) -> dict[Owner, str]:
        """Return the owners of which something else is done, each with what that is."""
        with self._database.read() as connection:
            return _busy(connection)

    def tasks(self) -> dict[tuple[str, str], Task]:
        """Return what hygiene has left to a person, who has not done it yet, by kind and id."""
        with self._database.read() as connection:
            return {(each.kind, each.key): each for each in open_tasks(connection)}

    def at_work(self) -> dict[str, int]:
        """Return how many credentials of each policy are being replaced; what stands still counts too."""
        query = (
            select(_hygiene.c.policy, func.count())
            .join(_run, _run.c.incident == _hygiene.c.incident)
            .join(_incident, _incident.c.id == _run.c.incident)
            .where(_run.c.dismissed.is_(None), _run.c.replaced_at.is_(None), _incident.c.closed_at.is_(None))
            .group_by(_hygiene.c.policy)
        )
        with self._database.read() as connection:
            return {policy: count for policy, count in connection.execute(query)}  # noqa: C416 - rows

    def policies(self, incidents: Collection[str]) -> Mapping[str, str]:
        """Return the policy of each of these incidents that is hygiene."""
        query = select(_hygiene.c.incident, _hygiene.c.policy).where(_hygiene.c.incident.in_(sorted(incidents)))
        with self._database.read() as connection:
            return {incident: policy for incident, policy in connection.execute(query)}  # noqa: C416 - rows


@dataclass(frozen=True, slots=True)
class Agreed:
    """What a policy agreed to: to begin these in a minute `at`, and whether what is replaced may be destroyed."""

    policy: str
    agreed_by: str
    at: float
    refs: Sequence[CredentialRef]
    enrolment: Enrolment
    destroys: bool = False

    @property
    def by(self) -> str:
        """Return in whose name it is done."""
        return f"hygiene policy {self.policy}"

    def begin(self, connection: Connection, incident: str, digest: str, _by: str) -> bool:
        """Say yes to a plan in the policy's name, in the transaction that declares it.

        Raises BadInput where that minute was decided by another, or somebody else answers one of the owners by now.
        """
        one_at_a_time(connection)
        taken = select(_hygiene.c.incident).where(_hygiene.c.policy == self.policy, _hygiene.c.at == self.at)
        if (other := connection.execute(taken).scalar()) is not None:
            raise BadInput(f"{other} was begun in this minute", self.policy, _AGAIN)
        refuse_busy(connection, self.refs, but=incident)
        connection.execute(insert(_hygiene).values(incident=incident, policy=self.policy, at=self.at))
        now = clock.now()
        approvals.by_policy(connection, incident, digest, self.by, self.agreed_by, now, destroys=self.destroys)
        return self.enrolment.approve_within(connection, incident, digest, self.by)


def refuse_busy(connection: Connection, refs: Sequence[CredentialRef], but: str = "") -> None:
    """Raise BadInput where another incident answers one of the owners of these."""
    busy = _busy(connection, but)
    if (ref := next((each for each in refs if owner_of(each) in busy), None)) is not None:
        raise BadInput(busy[owner_of(ref)], str(ref), _AGAIN)


def _busy(connection: Connection, but: str = "") -> dict[Owner, str]:
    replacing = and_(_run.c.strategy.in_(sorted(each.value for each in REPLACING)), _run.c.replaced_at.is_(None))
    query = (
        select(_run.c.provider, _run.c.connection, _run.c.owner, _run.c.credential, _run.c.id)
        .join(_incident, _incident.c.id == _run.c.incident)
        .where(_run.c.dismissed.is_(None), _incident.c.closed_at.is_(None), _incident.c.id != but)
        .where(or_(_run.c.evidence == "none", replacing))
    )
    return {(row[0], row[1], row[2] or row[3]): f"{row[4]} answers it" for row in connection.execute(query)}
