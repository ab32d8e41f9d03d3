"""Triage of vendors over HTTP: which are touched, what people judge of that, and the memo that is made of it."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from rotator.api.problems import of_input
from rotator.api.v1.acts import Text, Why
from rotator.api.v1.doing import Asker, Doing
from rotator.bootstrap import Rotator
from rotator.errors import BadInput
from rotator.flow.roles import Act
from rotator.operations import vendor_triage

_MOST, _RECORD, _TEXT = 20, 4 << 20, 1 << 20
_Id = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[^\x00]*$")]
Vendor = Annotated[str, Path(max_length=64, pattern=r"^[^\x00]+$", description="A vendor's name.")]
Advisory = Annotated[str, Path(max_length=128, pattern=r"^[^\x00]+$", description="An advisory's id.")]
Term = Annotated[str, Path(max_length=32, pattern=r"^[a-z_]+$", description="Which term.")]


class NoticeGiven(BaseModel):
    """What happened. `records` are OSV records as text, by the names of their files."""

    model_config = ConfigDict(extra="forbid")
    advisories: Annotated[list[_Id], Field(max_length=_MOST)] = []
    records: dict[Annotated[str, Field(max_length=255)], Annotated[str, Field(max_length=_RECORD)]] = {}
    breached: Annotated[list[_Id], Field(max_length=_MOST)] = []
    notice: Annotated[str, Field(max_length=_TEXT, pattern=r"^[^\x00]*$")] = ""


class TermGiven(BaseModel):
    """A value with its reason; `value` null takes back what was set. `notice` is "" for every notice."""

    model_config = ConfigDict(extra="forbid")
    value: Annotated[str, Field(max_length=32)] | None = None
    notice: Annotated[str, Field(max_length=128, pattern=r"^[^\x00]*$")] = ""
    reason: Text


class NoticeRow(BaseModel):
    """What was told of. Terms are set for its `id`."""

    id: str
    title: str
    names: list[str]
    published_at: str
    packages: list[str]
    breached: list[str]
    notes: list[str]
    summary: str


class TermRow(BaseModel):
    """One figure; `value` null is not known, and `ask` how to find out. `by` is who set it, "" where nobody did."""

    name: str
    value: float | None
    unit: str
    level: str
    source: str
    why: str
    by: str
    at: str
    instead_of: float | None
    ask: str


class GroundRow(BaseModel):
    """What speaks for a vendor's being touched."""

    likelihood: float
    why: str
    source: str
    ask: str


class TriageRow(BaseModel):
    """One vendor: its priority is likelihood times sensitivity, as `terms` have them. `paused` is its incident."""

    rank: int
    vendor: str
    title: str
    owner: str
    advice: str
    because: str
    paused: str
    priority: float
    terms: list[TermRow]
    grounds: list[GroundRow]


class Triaged(BaseModel):
    """The vendors that a notice may touch, the gravest first."""

    notice: NoticeRow
    vendors: list[TriageRow]


class Assessed(BaseModel):
    """What a term is since; `before` is what a person had set, null where nobody had."""

    vendor: str
    term: str
    notice: str
    value: float | None
    level: str
    before: float | None


class TouchedRow(BaseModel):
    """A vendor that an advisory touches."""

    vendor: str
    priority: float
    advice: str


class Escalated(BaseModel):
    """An advisory that is taken for a compromise: `what` says by whose word, `record` what its record tells.

    `touched` are the vendors of whom something speaks for it, the gravest first; of `unknown` it is not known.
    """

    advisory: str
    names: list[str]
    what: str
    record: str
    touched: list[TouchedRow]
    unknown: int


def routes(doing: Doing) -> APIRouter:
    """Return what may be asked and set."""
    router = APIRouter()

    @router.post("/vendors/triage", response_model=Triaged, tags=["asking"])
    def triage(given: NoticeGiven, asked: Asker) -> Any:
        """Say which vendors a notice touches and how badly, each term with its source.

        An advisory's id is looked up where `[advisories] url` says. Only that somebody asked is kept.
        """

        def look(parts: Rotator) -> Mapping[str, Any]:
            try:
                return vendor_triage.triage(
                    parts, asked.caller.by, given.advisories, given.records, given.breached, given.notice
                )
            except BadInput as error:
                raise of_input(error, HTTPStatus.UNPROCESSABLE_ENTITY, "bad_report") from None

        return doing.look(asked, Act.ASK, "vendors", look)

    @router.post("/advisories/{advisory}/escalate", response_model=Escalated, tags=["acts"])
    def escalate(advisory: Advisory, given: Why, asked: Asker) -> Any:
        """Take an ordinary vulnerability for a compromise: vendors are triaged for it, and people told.

        One that did not arrive is looked up where `[advisories] url` says.
        """

        def work(parts: Rotator) -> Mapping[str, Any]:
            return vendor_triage.escalate(parts, asked.caller.by, advisory, given.reason)

        return doing.do(asked, Act.ESCALATE, advisory, work)

    @router.post("/vendors/{vendor}/terms/{term}", response_model=Assessed, tags=["acts"])
    def assess(vendor: Vendor, term: Term, given: TermGiven, asked: Asker) -> Any:
        """Set a term of a vendor's triage with a reason, for one notice or for every one; or take it back."""

        def work(parts: Rotator) -> Mapping[str, Any]:
            by = asked.caller.by
            return vendor_triage.assess(parts, by, vendor, term, given.value, given.notice, given.reason)

        return doing.do(asked, Act.ASSESS, f"{vendor} {term}", work)

    return router
