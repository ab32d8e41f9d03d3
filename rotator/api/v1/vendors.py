"""Vendors, read over HTTP. The registry is imported where the ledger is."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path
from pydantic import BaseModel
from starlette.responses import JSONResponse

from rotator.api.problems import of_input
from rotator.api.v1.access import Reader
from rotator.api.v1.pages import USUAL, After, Limit, page
from rotator.api.v1.shapes import Page
from rotator.bootstrap import Rotator
from rotator.errors import BadInput
from rotator.estate import as_now
from rotator.shown import vendors

Name = Annotated[str, Path(max_length=64, description="A vendor's name.")]
Level = Literal["low", "medium", "high", "critical"]
Described = Literal["", "low", "medium", "high", "critical"]


class AttestationRow(BaseModel):
    """A paper of somebody who looked, and how it stands today; `sha256` is its document's, "" where nobody gave one.

    `age_days` are since its first day, `ends_in_days` until its last: below zero before the one, and after the other.
    """

    kind: str
    issuer: str
    scope: str
    valid_from: str
    valid_to: str
    sha256: str
    standing: Literal["valid", "ended", "to come"]
    age_days: int
    ends_in_days: int


class SoftwareRow(BaseModel):
    """A list of what a vendor runs, its file's SHA-256, and when it was made, or given where it does not tell."""

    source: str
    at: str
    sha256: str
    components: int


class PauseRow(BaseModel):
    """When a vendor was paused, by which incident; "" in what is restored while it is not let in again."""

    number: int
    incident: str
    at: str
    by: str
    reason: str
    restored_at: str
    restored_by: str
    restored_why: str


class VendorRow(BaseModel):
    """A vendor: what it holds by kind, what that reaches, what is attested of it, whether it is paused.

    `registered` is false of one that only the inventory names. `unnamed` counts what it holds of which no id is known,
    `dead` and `stated_dead` what is proven, and what its issuer says to be, dead: the first reaches nothing. `further`
    counts the credentials that what it holds leads to; `worst` is the highest sensitivity of `datasets`, which are the
    worst first, and of those that are `undescribed` nobody has said how sensitive they are.
    """

    name: str
    title: str
    criticality: Level
    owner: str
    registered: bool
    paused: PauseRow | None
    credentials: int
    grants: int
    kinds: dict[str, int]
    unnamed: int
    dead: int
    stated_dead: int
    further: int
    datasets: list[str]
    worst: Described
    undescribed: list[str]
    attestations: list[AttestationRow]
    valid_until: str
    software: list[SoftwareRow]


class DeathRow(BaseModel):
    """Since when a credential is dead, whether that is proven or stated, and which run saw it first."""

    evidence: Literal["proven", "stated"]
    at: str
    run: str


class UncutRow(BaseModel):
    """What a paused vendor was found to hold since, and nobody has cut."""

    provider: str
    connection: str
    owner: str
    id: str


class HeldRow(BaseModel):
    """A credential or grant that a vendor holds, and `how` that is known; "" in what nobody has said of its name."""

    kind: str
    connection: str
    owner: str
    id: str
    grant: bool
    criticality: str
    datasets: list[str]
    how: str
    death: DeathRow | None


class ReachedDatasetRow(BaseModel):
    """A dataset that can be reached, and by which way."""

    name: str
    sensitivity: Described
    manifest: str
    via: list[str]


class FurtherRow(BaseModel):
    """A credential that what a vendor holds leads to, and by which way."""

    kind: str
    connection: str
    owner: str
    id: str
    criticality: str
    via: list[str]


class ReachRow(BaseModel):
    """What can be reached with what a vendor holds; `warnings` say of what nobody knows the reach.

    `credentials` are the nearest 500; the vendor's `further` counts all.
    """

    datasets: list[ReachedDatasetRow]
    credentials: list[FurtherRow]
    warnings: list[str]


class JudgedRow(BaseModel):
    """What a person judged, and why."""

    level: Level
    why: str


class BreachRow(BaseModel):
    """What happened at a vendor before."""

    on: str
    what: str
    source: str


class SubProcessorRow(BaseModel):
    """Who stands behind a vendor, and whether that is one too."""

    name: str
    registered: bool


class OverriddenRow(BaseModel):
    """A gate of a pause that a person opened against what was found: told for good."""

    vendor: str
    pause: int
    incident: str
    gate: str
    at: str
    by: str
    reason: str
    against: list[str]


class SignRow(BaseModel):
    """What was unusual, in a word, and which record of which log says so."""

    sign: Literal["first use", "new network", "new call", "new region", "volume"]
    at: str
    words: str
    log: str


class UseRow(BaseModel):
    """How a credential was used, by logs: `refused` of its calls its issuer did not take it for.

    `after` is after what its issuer took it last, if it was to be dead, and `grave` says that in words.
    """

    kind: str
    connection: str
    owner: str
    id: str
    calls: int
    refused: int
    first_at: str
    last_at: str
    after: Literal["", "dead", "paused"]
    grave: str
    signs: list[SignRow]
    logs: list[str]
    more_logs: int


class UsesShown(BaseModel):
    """What access logs tell of the use of what a vendor holds: so many were read, and `named` so many credentials.

    `grave` tells of what was used that was to be dead, `says` what is not known. `credentials` are the gravest 500.
    """

    logs: int
    begins_at: str
    ends_at: str
    named: int
    unusual: int
    grave: list[str]
    says: list[str]
    credentials: list[UseRow]


class VendorShown(VendorRow):
    """A vendor, each thing that it holds, and each way to what that reaches."""

    contacts: list[str]
    accounts: list[str]
    systems: list[str]
    sub_processors: list[SubProcessorRow]
    user_impact: JudgedRow | None
    cost_of_change: JudgedRow | None
    breaches: list[BreachRow]
    holds: list[HeldRow]
    reaches: ReachRow
    pauses: list[PauseRow]
    uncut: list[UncutRow]
    overridden: list[OverriddenRow]
    uses: UsesShown


def routes(parts: Rotator) -> APIRouter:
    """Return what may be read."""
    router = APIRouter(tags=["standing"])

    @router.get("/vendors", response_model=Page[VendorRow])
    def listed(_: Reader, after: After = None, limit: Limit = USUAL) -> Any:
        """List the vendors, and those that only the inventory names."""
        return JSONResponse(page(vendors.listed(as_now(parts).parts()), lambda row: str(row["name"]), after, limit))

    @router.get("/vendors/{name}", response_model=VendorShown)
    def one(_: Reader, name: Name) -> Any:
        """Return one vendor: what it holds, what that reaches and how, what was attested of it."""
        try:
            return JSONResponse(vendors.one(as_now(parts).parts(), name))
        except BadInput as error:
            raise of_input(error, HTTPStatus.NOT_FOUND, "not_found") from None

    return router
