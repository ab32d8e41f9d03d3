"""Letting a paused vendor in again, over HTTP: its gates, what people give for them, and the restore."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse

from rotator.api.problems import Problem
from rotator.api.v1.access import Reader
from rotator.api.v1.acts import Text, Why
from rotator.api.v1.doing import Asker, Doing
from rotator.bootstrap import Rotator
from rotator.errors import BadInput
from rotator.flow.checklist import Asks
from rotator.flow.roles import Act
from rotator.operations import vendor_restore
from rotator.restoring import asked_of

Vendor = Annotated[str, Path(max_length=64, pattern=r"^[^\x00]+$", description="A vendor's name.")]
Gate = Annotated[str, Path(max_length=64, pattern=r"^[^\x00]+$", description="A gate of its checklist.")]
_Short = Annotated[str, Field(max_length=255, pattern=r"^[^\x00]*$")]


class DocumentGiven(BaseModel):
    """A document by its SHA-256, taken by who gives it; of an advisory, and of nothing else, the `text` too."""

    model_config = ConfigDict(extra="forbid")
    name: Annotated[_Short, Field(min_length=1)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    size: Annotated[int, Field(ge=0, le=1 << 50)]
    text: Annotated[str, Field(max_length=1 << 15)] = ""


class GateMet(BaseModel):
    """What a gate asks for: why, and of a report the document, from whom it is, and the day that it bears."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)
    reason: Text
    document: DocumentGiven | None = None
    from_: Annotated[_Short, Field(alias="from")] = ""
    dated: Annotated[str, Field(pattern=r"^(\d{4}-\d{2}-\d{2})?$")] = ""


class Overriding(Why):
    """Why; `confirm` is what would have to be typed at a terminal."""

    confirm: Annotated[str, Field(max_length=500)] = ""


class Restoring(Why):
    """Why; the grants to give back by their ids or runs, or all of them; and that it is meant."""

    resume: Annotated[list[_Short], Field(max_length=1000, default_factory=list)]
    resume_grants: bool = False
    yes: bool = False


class OverrideRow(BaseModel):
    """Who opened a gate against what was found, and what that was."""

    at: str
    by: str
    reason: str
    against: list[str]


class GateRow(BaseModel):
    """A gate as it stands: `shut_by` is what keeps it shut, `todo` what to do next, "" where it is open."""

    gate: str
    asks: Asks
    is_open: bool
    is_overridden: bool
    shut_by: list[str]
    todo: str
    evidence: list[str]
    overrides: list[OverrideRow]


class GrantRow(BaseModel):
    """A grant that the pause only suspended, and the run that did."""

    run: str
    grant: str


class GatesShown(BaseModel):
    """A pause, its gates by what is so now, and the grants that the vendor could get back."""

    vendor: str
    incident: str
    paused_at: str
    paused_by: str
    reason: str
    is_open: bool
    gates: list[GateRow]
    grants: list[GrantRow]


class ResumedRow(GrantRow):
    """A grant that is given back, and what is done for it."""

    does: list[str]


class RestoredShown(BaseModel):
    """A vendor that is let in: how its gates stood, and what it gets back. The last two are as of other acts."""

    vendor: str
    incident: str
    gates: list[GateRow]
    resumed: list[ResumedRow]
    stopped: list[str]
    start: str


def reading(parts: Rotator) -> APIRouter:
    """Return what may be read."""
    router = APIRouter(tags=["standing"])

    @router.get("/vendors/{vendor}/gates", response_model=GatesShown)
    def gates(_: Reader, vendor: Vendor) -> Any:
        """Return how the gates of a paused vendor stand by what is so now."""
        return JSONResponse(_known(parts.on(parts.database), vendor))

    return router


def routes(doing: Doing, parts: Rotator) -> APIRouter:
    """Return what may be done."""
    router = APIRouter(tags=["acts"])

    @router.post("/vendors/{vendor}/gates/{gate}/meet", response_model=GateRow)
    def meet(vendor: Vendor, gate: Gate, given: GateMet, asked: Asker) -> Any:
        """Give what a gate asks a person for; a yes to an approval is an approver's."""

        def work(on: Rotator) -> Mapping[str, Any]:
            document = None if given.document is None else given.document.model_dump()
            by = asked.caller.by
            return vendor_restore.meet(on, by, vendor, gate, given.reason, document, given.from_, given.dated)

        is_yes = asked_of(parts, vendor, gate) is Asks.APPROVAL
        return doing.do(asked, Act.APPROVE if is_yes else Act.MEET_GATE, f"{vendor} {gate}", work)

    @router.post("/vendors/{vendor}/gates/{gate}/override", response_model=GateRow)
    def override(vendor: Vendor, gate: Gate, given: Overriding, asked: Asker) -> Any:
        """Open a gate against what keeps it shut now; it stands in every report for good."""

        def work(on: Rotator) -> Mapping[str, Any]:
            return vendor_restore.override(on, asked.caller.by, vendor, gate, given.reason, given.confirm)

        return doing.do(asked, Act.OVERRIDE_GATE, f"{vendor} {gate}", work)

    @router.post("/vendors/{vendor}/restore", response_model=RestoredShown)
    def restore(vendor: Vendor, given: Restoring, asked: Asker) -> Any:
        """Let a vendor in whose gates are all open, and give back the grants that are named."""

        def work(on: Rotator) -> Mapping[str, Any]:
            by, resume = asked.caller.by, list(given.resume)
            return vendor_restore.restore(on, by, vendor, given.reason, resume, given.resume_grants, given.yes)

        return doing.do(asked, Act.RESTORE_VENDOR, vendor, work)

    return router


def _known(parts: Rotator, vendor: str) -> dict[str, Any]:
    try:
        return vendor_restore.gates(parts, vendor)
    except BadInput as error:
        what = f"{error.what}: {error.mend}"
        raise Problem(HTTPStatus.NOT_FOUND, "not_found", what, where="path.vendor") from None
