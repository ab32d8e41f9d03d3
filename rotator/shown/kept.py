"""The picture of one incident, read once and then kept current: only what new evidence names is read again.

A branch's chain begins with its run's name. What moves a row without evidence of its own is found beside it: the other
runs of its credential, of whatever incident, and the comparisons that settle a lost worker's mint.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from rotator import clock, footholds
from rotator.bootstrap import Rotator
from rotator.flow.playbook_words import Verb
from rotator.flow.scope import ConsumerAddress
from rotator.flow.standing import resumes
from rotator.ledger.feed import Record
from rotator.ledger.moving import Moving
from rotator.ledger.outline import Outline
from rotator.ledger.records import Progress, RunRecord
from rotator.report.whole import whole
from rotator.runtime_lock import is_unattended, is_unmanned
from rotator.shown.picture import Picture
from rotator.shown.row import Row
from rotator.shown.rows import of_run, of_task

BEHIND = 20_000
"""Whoever is behind by more records reads the incident anew: that costs no more."""
AT_ONCE = 500
COUNTED_S, COUNTED_ANYHOW_S = 1.0, 5.0
"""How often it is counted what still moves by itself, while evidence comes and while none does: time moves it too."""
_MOVES_NO_RUN = frozenset(
    ("told", "not told", "told again", "closed", "reviewed", "said_yes", "broke_glass", "ordered", "shut", "opened")
)
"""Acts of an incident that change no step, proof or word of a run; what is not known here has all of it read anew."""
_NAMES_RUN = ("run", "of")
"""Where an act names the run or the task that it is about."""


class Kept:
    """One incident's picture. One thread at a time refreshes it, any may look at it; `tell` hears that it has begun."""

    def __init__(self, parts: Rotator, incident: str, tell: Callable[[], None] = lambda: None) -> None:
        self._parts, self._incident, self._tell = parts, incident, tell
        self.picture: Picture | None = None
        self._rows: dict[str, Row] = {}
        self._of_credential: dict[str, set[str]] = {}
        self._given_back: set[str] = set()
        self._resuming: set[str] = set()
        self._late: set[str] = set()
        self._consumers: set[ConsumerAddress] = set()
        self._targets: set[str] = set()
        self._outline: Outline | None = None
        self._moving: Moving | None = None
        self._counted_at = 0.0

    def refresh(self) -> None:
        """Bring it to where the evidence is. Raises BadInput for an incident that is not there."""
        if self.picture is None or not self.picture.is_whole:
            self._load()
        else:
            self._follow(self.picture)

    def _load(self) -> None:
        """Read all of it. The first time, what was read so far is shown meanwhile."""
        at, cursor = clock.now(), self._parts.feed.newest()
        found = self._parts.reading.outline(self._incident)
        names = self._parts.reading.names(found.every)
        _, self._late, stops = self._parts.reading.beside_runs(())
        is_first, self._outline = self.picture is None, found
        self._rows, self._of_credential, self._given_back, self._resuming = {}, {}, set(), set()
        made = Picture(
            self._incident,
            at,
            cursor,
            (),
            every=found.every,
            credentials=len(names) + len(found.tasks),
            is_whole=False,
            times=found.times,
            stops=tuple(stops),
        )
        for start in range(0, len(names), AT_ONCE):
            if is_first:
                self.picture = made.later(at, cursor, rows=tuple(self._rows.values()))
                self._tell()
            self._take(self._parts.reading.runs(names[start : start + AT_ONCE]))
        self._take_tasks(found)
        # Evidence is older than what was read: whatever came meanwhile is read again.
        whole_one = made.later(at, cursor, rows=tuple(self._rows.values()), is_whole=True, credentials=len(self._rows))
        self._show(whole_one, moved=True, spoke=True)

    def _follow(self, picture: Picture) -> None:
        """Read again what new evidence names."""
        at = clock.now()
        records = self._parts.feed.after(picture.cursor, BEHIND + 1)
        touched, others, spoke = self._named(records)
        if len(records) > BEHIND or touched is None:
            self._load()
            return
        changed: dict[str, Any] = {"at": at, "cursor": records[-1].cursor if records else picture.cursor}
        moved: dict[str, Row] = {}
        if spoke:
            self._outline = self._parts.reading.outline(self._incident)
            changed["times"] = self._outline.times
            moved |= self._take_tasks(self._outline)
        ids, late, stops = self._parts.reading.beside_runs(others)
        runs = self._with_others(touched, ids, late) if records or late or self._late else set()
        self._late = late
        moved |= self._take(self._parts.reading.runs(runs))
        gone = runs - set(moved)
        for each in gone:
            del self._rows[each]
        changed["stops"] = tuple(stops)
        if moved or gone:
            rows = tuple(self._rows.values())
            picture = picture.moved(rows, {} if gone else moved, credentials=len(rows), **changed)
        else:
            picture = picture.later(**changed)
        self._show(picture, moved=bool(records), spoke=spoke)

    def _with_others(self, touched: set[str], ids: set[str], late: set[str]) -> set[str]:
        """Return the runs that moved with those: of the same credentials, and where a value was given back."""
        ids = ids | {self._rows[name].id for name in touched}
        found = touched | self._given_back | {name for each in ids for name in self._of_credential.get(each, ())}
        owners = late | self._late
        if owners:
            found |= {name for name, row in self._rows.items() if row.owner in owners}
        return {name for name in found if name in self._rows and not self._rows[name].is_task}

    def _take(self, records: Iterable[RunRecord]) -> dict[str, Row]:
        """Keep the rows of runs that are the incident's; return them."""
        found = self._outline
        taken: dict[str, Row] = {}
        for record in records:
            run = record.run
            if found is None or run.incident not in found.every:
                continue
            detected = found.detected.get((run.incident, run.revision), found.times["detected"] or 0.0)
            taken[run.id] = of_run(record, found.every.index(run.incident), detected)
            self._of_credential.setdefault(run.ref.id, set()).add(run.id)
            self._consumers.update(run.consumers)
            self._targets.update(step.target for step in record.steps)
            if any(step.verb is Verb.DEMOTE for step in record.steps):
                self._given_back.add(run.id)
            if record.resumed_by is not None or any(map(resumes, record.steps)):
                self._resuming.add(run.id)
        self._rows |= taken
        return taken

    def _take_tasks(self, found: Outline) -> dict[str, Row]:
        taken = {}
        for task in found.tasks:
            detected = found.detected.get((task.incident, task.revision), found.times["detected"] or 0.0)
            taken[task.id] = of_task(task, found.every.index(task.incident), detected)
        moved = {name: row for name, row in taken.items() if self._rows.get(name) != row}
        self._rows |= moved
        return moved

    def _show(self, picture: Picture, *, moved: bool, spoke: bool) -> None:
        """Show a picture. What moves by itself is counted less often than it is asked for."""
        shown, since = self.picture, picture.at - self._counted_at
        if shown is None or not shown.is_whole or spoke or since >= (COUNTED_S if moved else COUNTED_ANYHOW_S):
            self._counted_at = picture.at
            self._moving = moving_of(self._parts, picture)
            picture.progress = progress_of(picture, self._moving)
            picture.whole = self._whole(picture)
        elif self._moving is not None:
            picture.progress = progress_of(picture, self._moving)
        self.picture = picture

    def _whole(self, picture: Picture) -> dict[str, Any]:
        """Return what the report says of the incident as a whole, from the few runs that it speaks of."""
        runs = [each for each in picture.rows if not each.is_task]
        unbegun = {each.incident: each.run for each in runs if each.requested_at is None}
        record = self._parts.reading.head(self._incident, [*unbegun.values(), *self._resuming & set(self._rows)])
        return whole(
            record.family,
            "rotator",
            unattended=is_unattended(self._parts),
            unmanned=is_unmanned(self._parts) and picture.progress is not None and picture.progress.busy,
            strange=footholds.unknown(self._parts, record.family, self._consumers, self._targets),
            stale="",
            something_stopped=any(map(picture.is_stopped, runs)),
            sizes=Counter(each.revision for each in runs if each.incident == self._incident),
        )

    def _named(self, records: Iterable[Record]) -> tuple[set[str] | None, set[str], bool]:
        """Return the rows that evidence is about, None for all; runs of other incidents; and whether people spoke."""
        mine: set[str] = set()
        others: set[str] = set()
        spoke, every = False, set(self._outline.every if self._outline is not None else ())
        for each in records:
            run, _, segment = each.chain.rpartition(".")[0].rpartition(".")
            if segment.isdecimal() and run:
                (mine if run in self._rows else others).add(run)
                continue
            act = json.loads(each.body)
            names = {str(act[key]) for key in _NAMES_RUN if isinstance(act.get(key), str)}
            if each.chain in every:
                spoke = True
                if act.get("act") not in _MOVES_NO_RUN and not names & set(self._rows):
                    return None, others, True
            mine |= names & set(self._rows)
            others |= names - set(self._rows)
        return mine, others, spoke


def moving_of(parts: Rotator, picture: Picture) -> Moving:
    """Return what still moves of a picture's incident now."""
    untold = [name for row in picture.told for name in row.also]
    return parts.reading.moving(picture.every, untold, clock.now())


def progress_of(picture: Picture, moving: Moving) -> Progress:
    """Return what a live display counts: the rows as they stand, and what moves beside them."""
    totals = picture.totals
    return Progress(
        dead=totals["proven_dead"],
        stated=totals["stated_dead"],
        settling=totals["settling"],
        pending=totals["pending"],
        held=totals["held"],
        manual=totals["manual"],
        failed=totals["failed"],
        dismissed=totals["dismissed"],
        let_in_again=totals["let_in_again"],
        busy=moving.busy,
        being_replaced=moving.being_replaced,
        waiting=moving.waiting,
        asking=moving.asking,
        stopped=moving.stopped,
    )
