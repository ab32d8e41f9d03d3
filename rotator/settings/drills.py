"""`[drills]`: what is practised and when, how soon a canary is to be dead, and how long none may be held."""

from __future__ import annotations

import datetime as dt
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, model_validator

from rotator.flow.duration import Duration
from rotator.flow.exercise import Exercise, Schedule, Trigger
from rotator.flow.playbook_words import Strategy
from rotator.flow.timetable import timetable
from rotator.ports.store import Place
from rotator.settings.consumers import ConsumerSettings
from rotator.settings.credentials import PlaceSettings
from rotator.settings.timing import Cron, TimeZone

_DAY_S = 86400
MOST = 20
"""Canaries of one drill."""


class ScheduleSettings(BaseModel):
    """When an exercise is held, and who agreed to it until when: the end of that day, UTC."""

    model_config = ConfigDict(extra="forbid")
    cron: Cron
    window: Annotated[Duration, Field(ge=60)] = 4 * 3600
    time_zone: TimeZone = "UTC"
    approved_by: Annotated[str, Field(min_length=1, max_length=128)]
    expires: dt.date

    def schedule(self) -> Schedule:
        """Return it as the flow's noun."""
        until = dt.datetime.combine(self.expires, dt.time.max, dt.UTC).timestamp()
        zone = ZoneInfo(self.time_zone)
        return Schedule(timetable(self.cron), float(self.window), zone, self.approved_by, until)


class ExerciseSettings(BaseModel):
    """One exercise: which canaries are minted, how they leak, and what holds their replacements."""

    model_config = ConfigDict(extra="forbid")
    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]
    connection: str
    kind: str
    owners: Annotated[list[Annotated[str, Field(min_length=1)]], Field(min_length=1)]
    trigger: Trigger = Trigger.SCANNER
    count: Annotated[int, Field(ge=1, le=MOST)] = 1
    like: str = ""
    strategy: Strategy | None = None
    deliver: list[PlaceSettings] = []
    consumers: list[ConsumerSettings] = []
    page: bool = False
    schedule: ScheduleSettings | None = None

    def exercise(self) -> Exercise:
        """Return it as the flow's noun."""
        return Exercise(
            name=self.name,
            connection=self.connection,
            kind=self.kind,
            owners=tuple(self.owners),
            trigger=self.trigger,
            count=self.count,
            like=self.like,
            strategy=self.strategy,
            deliver=tuple(Place(each.store, each.connection, each.name) for each in self.deliver),
            consumers=tuple(each.address() for each in self.consumers),
            page=self.page,
            schedule=None if self.schedule is None else self.schedule.schedule(),
        )


class DrillSettings(BaseModel):
    """The table. Without a `target` a drill is held against the ones before it alone."""

    model_config = ConfigDict(extra="forbid")
    target: Annotated[Duration, Field(ge=1)] | None = None
    silent_after: Annotated[Duration, Field(ge=_DAY_S)] = 35 * _DAY_S
    exercises: list[ExerciseSettings] = []

    @model_validator(mode="after")
    def _each_once(self) -> DrillSettings:
        names = [each.name for each in self.exercises]
        if twice := next((each for each in names if names.count(each) > 1), None):
            raise ValueError(f"two exercises are called {twice}: rename one")
        return self

    def check_names(self, connections: list[str]) -> None:
        """Raise ValueError for a connection that an exercise names and that is not there."""
        for each in self.exercises:
            for name in (each.connection, *(place.connection for place in each.deliver)):
                if name not in connections:
                    raise ValueError(
                        f"drills: the exercise {each.name} names the connection {name}, and none is called so"
                    )
