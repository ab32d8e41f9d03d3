"""An incident as a board shows it: a small row for each credential, counted, filtered, sorted and paged in memory.

It tells what the report tells, as of one moment. Nothing in it changes: the next moment has a picture of its own.
"""

from __future__ import annotations

import bisect
import copy
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from operator import attrgetter
from typing import Any, TypeVar

from rotator.errors import BadInput
from rotator.flow.standing import CredentialState
from rotator.ledger.records import Progress
from rotator.ledger.stops import ALL, CONNECTION, INCIDENT, Stop
from rotator.report.revisions import together
from rotator.shown.row import Needs, Row
from rotator.shown.tally import Tally

Made = TypeVar("Made")


class Sort(StrEnum):
    """By what rows may be sorted: as the report has them, or by one column."""

    REPORT = "report"
    PROVIDER = "provider"
    CONNECTION = "connection"
    OWNER = "owner"
    ID = "id"
    STATE = "state"
    WAVE = "wave"
    PRIORITY = "priority"
    DEAD_AT = "dead_at"


@dataclass(frozen=True, slots=True)
class Page:
    """A page of rows, the cursor of the page behind it, None at the end; and how many rows there are in all."""

    rows: tuple[Row, ...]
    next: str | None
    count: int


@dataclass
class Picture:
    """An incident with what was merged into it, as the ledger stood `at` (epoch seconds), behind the feed's `cursor`.

    `every` names it and what was merged into it. While it is read for the first time it is not whole: `rows` are those
    that were read so far of so many `credentials`. `times` are the incident's own moments, by their names.
    """

    incident: str
    at: float
    cursor: str
    rows: Sequence[Row] = field(repr=False)
    every: tuple[str, ...] = ()
    credentials: int = 0
    is_whole: bool = True
    times: Mapping[str, float | None] = field(default_factory=dict)
    stops: tuple[Stop, ...] = ()
    progress: Progress | None = None
    whole: Mapping[str, Any] | None = field(default=None, repr=False)

    def later(self, at: float, cursor: str, **changed: Any) -> Picture:
        """Return it as of a later moment, at which no row of it had moved: what was counted stays counted."""
        found = copy.copy(self)
        for name, value in {"at": at, "cursor": cursor, **changed}.items():
            setattr(found, name, value)
        return found

    def moved(self, rows: Sequence[Row], moved: Mapping[str, Row], **changed: Any) -> Picture:
        """Return it with new `rows`, of which some `moved`: while these stay where they were nothing is sorted anew."""
        found = replace(self, rows=rows, **changed)
        if "told" in self.__dict__:
            place = self._places
            if all(name in place and _stays(self.told[place[name]], row) for name, row in moved.items()):
                told = list(self.told)
                for name, row in moved.items():
                    told[place[name]] = row
                tally = self.tally.after((self.told[place[name]], row) for name, row in moved.items())
                found.__dict__ |= {"told": tuple(told), "_places": place, "tally": tally}
        return found

    def once(self, make: Callable[[Picture], Made]) -> Made:
        """Return what is made of the rows, made once for as long as none of them moves."""
        made: dict[Callable[[Picture], Any], Any] = self.__dict__.setdefault("_made", {})
        if make not in made:
            made[make] = make(self)
        found: Made = made[make]
        return found

    def is_stopped(self, row: Row) -> bool:
        """Tell whether a stop keeps a run where it is."""
        return bool(self.stops and row.touches) and any(
            each.scope == ALL
            or (each.scope == INCIDENT and each.name == row.incident)
            or (each.scope == CONNECTION and each.name in row.touches)
            for each in self.stops
        )

    @cached_property
    def _places(self) -> dict[str, int]:
        return {each.run: number for number, each in enumerate(self.told)}

    @cached_property
    def told(self) -> tuple[Row, ...]:
        """Every credential once, in the report's order, the tasks of persons behind all others."""
        ranked = sorted(self.rows, key=attrgetter("rank"))
        found = together(
            (each for each in ranked if not each.is_task),
            attrgetter("provider", "connection", "owner", "id"),
            lambda each: (each.is_dismissed, bool(each.settled_by)),
        )
        first = [one if not others else _with(one, others) for one, *others in found]
        return *first, *(each for each in ranked if each.is_task)

    @cached_property
    def tally(self) -> Tally:
        """What is counted of them."""
        return Tally(self.told)

    @property
    def totals(self) -> dict[str, int]:
        """The report's totals."""
        return self.tally.totals()

    @property
    def by_provider(self) -> dict[str, dict[str, int]]:
        """The same of each provider, by name."""
        return {name: self.tally.totals(name) for name in self.tally.providers}

    @cached_property
    def waiting(self) -> tuple[Row, ...]:
        """What needs a person, the worst first."""
        of: dict[Needs, list[Row]] = {each: [] for each in Needs}
        for each in self.told:
            if each.needs is not None:
                of[each.needs].append(each)
        return tuple(each for needs in Needs for each in of[needs])

    @cached_property
    def needs(self) -> dict[Needs, int]:
        """How many need a person, by why; the worst first."""
        found = Counter(each.needs for each in self.waiting)
        return {each: found[each] for each in Needs if found[each]}

    def page(
        self,
        *,
        state: str | None = None,
        provider: str | None = None,
        needs: str | None = None,
        text: str = "",
        sort: Sort = Sort.REPORT,
        descending: bool = False,
        after: str | None = None,
        limit: int = 100,
    ) -> Page:
        """Return rows that stand so, are of that provider, and have that text in id, owner, connection or run.

        Raises BadInput for a cursor that is none of such a list.
        """
        found: Sequence[Row] = self.told
        if state is not None:
            wanted = next((each for each in CredentialState if each == state), None)
            found = [each for each in found if each.state is wanted]
        if provider is not None:
            found = [each for each in found if each.provider == provider]
        if needs is not None:
            found = [each for each in found if each.needs == needs]
        if part := text.casefold():
            found = [each for each in found if part in each.words]
        # What is told stands by rank: a stable sort by the column alone leaves those that are alike in it so.
        rows = found if sort is Sort.REPORT else sorted(found, key=_column(sort))
        return _page(rows, lambda each: [*_by(each, sort), *each.rank], after, limit, descending=descending)

    def queue(self, after: str | None = None, limit: int = 50) -> Page:
        """Return what needs a person, page by page, the worst first. Raises BadInput for a cursor that is none."""
        order = {needs: number for number, needs in enumerate(Needs)}
        return _page(self.waiting, lambda each: [order[each.needs or Needs.TASK], *each.rank], after, limit)


def _page(
    rows: Sequence[Row], key: Callable[[Row], list[Any]], after: str | None, limit: int, *, descending: bool = False
) -> Page:
    """Return the rows behind a cursor, the sorting key of the last row before: what moves meanwhile moves no other.

    The rows come sorted by that key, and are told from their end where it goes down. Raises BadInput for a cursor that
    is no such key.
    """
    begin, end = 0, len(rows)
    if after is not None:
        place = _place(after, key(rows[0]) if rows else None)
        if descending:
            end = bisect.bisect_left(rows, place, key=key)
        else:
            begin = bisect.bisect_right(rows, place, key=key)
    is_last = end - begin <= limit
    shown = rows[max(end - limit, begin) : end][::-1] if descending else rows[begin : begin + limit]
    return Page(tuple(shown), None if is_last else json.dumps(key(shown[-1])), len(rows))


def _place(cursor: str, like: list[Any] | None) -> list[Any]:
    """Read a cursor, which must be `like` a key of its list, where that has any."""
    try:
        place = json.loads(cursor)
    except ValueError:
        place = None
    if not isinstance(place, list) or (like is not None and list(map(type, place)) != list(map(type, like))):
        raise BadInput("no page begins there", "after", "give the `next` of a page before, as it was given")
    return place


def _stays(before: Row, row: Row) -> bool:
    """Tell whether a run that moved is told where it was: alone, and at its rank."""
    return not before.also and before.rank == row.rank


def _by(row: Row, sort: Sort) -> list[Any]:
    if sort is Sort.REPORT:
        return []
    value = _column(sort)(row)
    return [*value] if isinstance(value, tuple) else [value.value if isinstance(value, CredentialState) else value]


def _column(sort: Sort) -> Callable[[Row], Any]:
    """Return by what a column is sorted: who is not known to be dead comes last."""
    if sort is Sort.DEAD_AT:
        return lambda row: (row.dead_at is None, row.dead_at or 0.0)
    return attrgetter(sort.value)


def _with(row: Row, others: Sequence[Row]) -> Row:
    """Return the run that tells how a credential stands, with its other runs: what they need it needs."""
    needs = row.needs or next((each.needs for each in others if each.needs is not None), None)
    return replace(row, also=tuple(each.run for each in others), needs=needs)
