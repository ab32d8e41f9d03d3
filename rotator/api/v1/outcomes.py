"""The shapes of what acts over HTTP answer: what became of each."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class _Goes(BaseModel):
    """`stopped`: the stops that keep it from going on, each with what lifts it. `start`: what must run here first."""

    stopped: list[str]
    start: str


class Stopped(BaseModel):
    """What is stopped, how many unfinished runs wait for it, and what was merged into it and is not stopped with it."""

    what: str
    waiting: int
    apart: list[str]
    lifted_by: str


class Continued(BaseModel):
    """What goes on, the stops that are still in force, and how many sealed secrets this service's key cannot open."""

    what: str
    still: list[str]
    sealed_by_another: int


class Decided(_Goes):
    """How many steps it was."""

    steps: int


class Released(_Goes):
    """What the release meant."""

    meant: str


class Undone(_Goes):
    """The steps that are taken back, and those that are skipped; what that does, in words, and what to know of it."""

    takes_back: list[str]
    skipped: list[str]
    would_do: list[str]
    warnings: list[str]


class GateSet(_Goes):
    """How a gate stands now, how many steps waited for it, and the footholds that are still open.

    `apart` are incidents that were merged into this one: each has gates of its own.
    """

    gate: str
    is_open: bool
    waiting: int
    apart: list[str]
    open_footholds: list[str]


class Isolated(_Goes):
    """The footholds that are still open."""

    open_footholds: list[str]


class Dismissed(BaseModel):
    """What was dismissed: `did` are steps that stay done, `failed` those that were tried in vain.

    `at_work`: a worker gives way before its next call.
    """

    of: str
    kind: str
    key: str
    issuer_says: str
    at_work: bool
    did: list[str]
    failed: list[str]


class Reopened(_Goes):
    """What is open again; and the digest that must be approved before it goes on, and by whom: "" where none must."""

    of: str
    kind: str
    key: str
    incident: str
    is_task: bool
    digest: str
    begins: str


class Asks(BaseModel):
    """A yes that is wanted: `option` stands behind `rotator approve` for it; `is_meant`: this yes was for it too."""

    who: str
    option: str
    is_meant: bool


class Approved(_Goes):
    """What became of a yes: whether it is new, the work begins, the destruction may; and what is still wanted."""

    is_new: bool
    begins: bool
    destroys: bool
    wanted: list[str]
    asks: list[Asks]


class Closed(BaseModel):
    """What was left open, by run or task, and how many destructions are scheduled and come."""

    open: list[str]
    scheduled: int


class OpenAgain(BaseModel):
    """The incident that is open again."""

    incident: str


class Elsewhere(BaseModel):
    """Another incident that speaks of so many of the same credentials, and is not done with them."""

    model_config = ConfigDict(populate_by_name=True)

    incident: str
    is_: str = Field(alias="is")
    credentials: int


class Declared(BaseModel):
    """An incident that was declared: the digest to approve, and how many runs, tasks and exclusions it has.

    `begins` says who starts it. `refused` is why who declared it may not, "" where he may; `confirm` what he is to say
    then; `foretold` what waits for the destruction's own approval.
    """

    incident: str
    digest: str
    runs: int
    manual: int
    excluded: int
    warnings: list[str]
    elsewhere: list[Elsewhere]
    begins: str
    refused: str
    confirm: str
    foretold: list[str]


class Grown(BaseModel):
    """What was added: the revision and the digest to approve, 0 and "" where nothing is new, and what it covers too.

    `seen_again` of its credentials were seen in so many `places` more; `footholds` are new. `freed` runs wait for no
    owner any more, since the severity was raised; it is null where it was not.
    """

    revision: int
    digest: str
    covers: list[int]
    seen_again: int
    places: int
    footholds: list[str]
    freed: int | None
    warnings: list[str]
    elsewhere: list[Elsewhere]
    told: list[str] = Field(description="What became of it, in words.")


class Reviewed(BaseModel):
    """What was looked at: the scope that was approved, and by whom."""

    reviewed: list[str]
