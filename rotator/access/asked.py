"""What issuers answered when they were asked what was made with exposed credentials since: exposures, tasks and words.

Where the issuer says who made a thing, it follows from what made it, and is in a thief's hands as that is. Where it
says only that a thing was made, it is nobody's guilt: a person looks, and nothing is cut for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from rotator.access import cloudtrail
from rotator.access.event import Event, Unread, moment, when
from rotator.access.persistence import SOURCE, Acts, Minted, minted
from rotator.credential import CredentialRef, Leaked
from rotator.errors import BadInput
from rotator.flow.exposure import LIST, Certainty, Exposure
from rotator.flow.order import names
from rotator.flow.scope import Unresolved
from rotator.ports.listing import Made, MintedSince

_LOOK = "look who made it, and take it away if nobody knows it"


@dataclass(frozen=True, slots=True)
class Answered:
    """What was told of one credential, exposed `since` then (seconds since 1970); `way` are the links that lead to it.

    `answer` is None where the look failed, and `error` says why: so it is where its log cannot be read, since no plan
    hangs on what a log holds. `made` is what it made, by its issuer's word; `cannot_tell` what that does not tell, and
    of how many records it tells what nobody can read.
    """

    ref: CredentialRef
    since: float
    way: tuple[str, ...]
    answer: MintedSince | None = None
    error: str = ""
    made: Minted = field(init=False, default=Minted())
    cannot_tell: tuple[str, ...] = field(init=False, default=())

    def __post_init__(self) -> None:
        if self.answer is None:
            return
        try:
            # Once: there may be thousands of records, and each look at a scope comes back to them.
            read = tuple(cloudtrail.logged(f"{self.answer.asked} of {self.ref.connection}", self.answer.log))
        except BadInput as error:
            object.__setattr__(self, "answer", None)
            object.__setattr__(self, "error", str(error))
            return
        unread = sum(isinstance(each, Unread) for each in read)
        more = (f"what stands in {unread:,} records of its log that nobody can read",) if unread else ()
        object.__setattr__(self, "made", self._made(self.answer, [each for each in read if isinstance(each, Event)]))
        object.__setattr__(self, "cannot_tell", (*self.answer.cannot_tell, *more))

    def _made(self, answer: MintedSince, events: Sequence[Event]) -> Minted:
        sure = [each for each in answer.made if each.sure]
        logged = minted(Acts(events), {self.ref.id: self.since}, {self.ref.id: self.way})
        return Minted(
            (*logged.exposures, *(self._exposure(each) for each in sure if each.kind)),
            (*logged.unresolved, *(self._task(each) for each in sure if not each.kind)),
        )

    def _exposure(self, each: Made) -> Exposure:
        return Exposure(
            source=LIST,
            rule=each.kind,
            leaked=Leaked(id=each.id, owner=each.owner or None, connection=self.ref.connection),
            path=self.ref.connection,
            seen_at=when(each.at),
            certainty=Certainty.REACHABLE,
            via=(*self.way, self._link(each)),
        )

    def _task(self, each: Made) -> Unresolved:
        link = self._link(each)
        exposure = Exposure(
            source=SOURCE,
            rule=each.act,
            leaked=Leaked(id=each.subject),
            path=self.ref.connection,
            seen_at=when(each.at),
            certainty=Certainty.REACHABLE,
            via=(*self.way, link),
        )
        return Unresolved(None, f"{each.act} {each.subject}", (exposure,), link, each.mend or _LOOK)

    def _link(self, each: Made) -> str:
        made = f"made by or for {self.ref.owner} at {moment(each.at)}"
        return f"{self.ref.connection} shows {each.act} {each.subject}, {made}"


def made_by(answers: Iterable[Answered]) -> Minted:
    """Return all that they made, and the tasks to look at what nobody tells the maker of, one for each sort."""
    found = [each.made for each in answers]
    exposures = tuple(one for each in found for one in each.exposures)
    unresolved = tuple(one for each in found for one in each.unresolved)
    return Minted(exposures, (*unresolved, *_by_nobody(answers)))


def _by_nobody(answers: Iterable[Answered]) -> Iterator[Unresolved]:
    sorts: dict[tuple[str, str], dict[tuple[str, str], tuple[Made, Answered]]] = {}
    for each in answers:
        for one in each.answer.made if each.answer else ():
            if not one.sure:
                of = sorts.setdefault((each.ref.connection, one.act), {})
                of.setdefault((one.owner, one.id or one.subject), (one, each))
    for (connection, act), of in sorted(sorts.items()):
        first, asked = next(iter(of.values()))
        since = min(each.since for _, each in of.values())
        what = f"{act}: {len(of):,} made on {connection} since {moment(since)}, by whom it does not tell"
        exposure = Exposure(
            source=SOURCE,
            rule=act,
            leaked=Leaked(id=first.id or first.subject),
            path=connection,
            seen_at=when(first.at),
            certainty=Certainty.INFERRED,
            via=(*asked.way, what),
        )
        which = names([one.subject for one, _ in of.values()])
        yield Unresolved(None, f"{act} on {connection}", (exposure,), f"{what}: {which}", first.mend or _LOOK)


def sentences(answers: Iterable[Answered]) -> list[str]:
    """Say what each issuer was asked of each kind, how much it tells of, and what it cannot tell."""
    groups: dict[tuple[str, str], list[Answered]] = {}
    for each in answers:
        if each.answer is not None:
            groups.setdefault((each.ref.connection, each.ref.provider), []).append(each)
    return [_sentence(connection, kind, of) for (connection, kind), of in sorted(groups.items())]


def _sentence(connection: str, kind: str, of: Sequence[Answered]) -> str:
    asked = list(dict.fromkeys(each.answer.asked for each in of if each.answer))
    made = [each.made for each in of]
    count = sum(len(each.exposures) + len(each.unresolved) for each in made)
    unsure = len({(one.act, one.subject) for each in of if each.answer for one in each.answer.made if not one.sure})
    ends = list(dict.fromkeys(end for each in of for end in each.cannot_tell))
    since = moment(min(each.since for each in of))
    who = of[0].ref.id if len(of) == 1 else f"{len(of):,} {kind}"
    more = f", and of {unsure:,} by whom it does not tell" if unsure else ""
    rest = f"; it cannot tell {'; '.join(ends)}" if ends else "; that is all"
    return f"{connection} ({', '.join(asked)}) tells of {count:,} made with {who} since {since}{more}{rest}"


def failures(answers: Iterable[Answered]) -> list[str]:
    """Say whose issuer did not answer, the reasons once each."""
    groups: dict[tuple[str, str, str], list[str]] = {}
    for each in answers:
        if each.answer is None:
            groups.setdefault((each.ref.connection, each.ref.provider, each.error), []).append(each.ref.id)
    return [
        f"{connection} cannot tell what was made with {kind} {names(ids)} since it was exposed: {error}"
        for (connection, kind, error), ids in sorted(groups.items())
    ]
