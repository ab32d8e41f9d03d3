"""The shapes of what the API answers, for its description; the answers themselves are made elsewhere, for all readers.

Keys that are not named here may come beside those that are: they are added freely, and changed only with a record.
"""

from __future__ import annotations

from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from rotator.flow.approval import Role
from rotator.flow.incident import Purpose, Severity
from rotator.flow.standing import CredentialState

Row = TypeVar("Row")


class _Open(BaseModel):
    """What may have more keys."""

    model_config = ConfigDict(extra="allow")


class Page(BaseModel, Generic[Row]):
    """Some rows; `next` is the cursor of the next page, null where there is none."""

    items: list[Row]
    next: str | None


class ProblemDetails(_Open):
    """Problem details (RFC 9457). `reason` is stable; `where` and `mend` say where it is wrong, and how to mend it."""

    type: str
    title: str
    status: int
    reason: str
    detail: str = ""
    where: str = ""
    mend: str = ""


class CallerShape(BaseModel):
    """Who calls: in whose name, and what he may now."""

    token: str
    by: str
    role: Role
    expires_at: str


class IncidentRow(_Open):
    """An incident in a list, with how it stands in words."""

    id: str
    title: str
    purpose: Purpose
    severity: Severity
    declared_at: str
    closed_at: str | None
    merged_into: str
    state: str
    credentials: int
    proven_dead: int
    stated_dead: int
    manual: int
    dismissed: int
    reviews: int


class StepShape(BaseModel):
    """One step. Times are ISO 8601 in UTC, or empty for what has not happened."""

    id: str
    target: str | None
    do: str
    state: str
    attempts: int
    intended_at: str
    settled_at: str
    reason: str | None


class CredentialShape(_Open):
    """One credential of an incident: its run, or the task of a person."""

    run: str
    provider: str
    connection: str
    owner: str
    id: str
    strategy: str
    state: CredentialState
    evidence: Literal["proven", "stated", "none"]
    requested_at: str
    acknowledged_at: str
    proven_dead_at: str
    replaced_at: str
    replacement: str
    open: list[str]
    steps: list[StepShape]


class Report(_Open):
    """The report, as `rotator report -o json` prints it. The totals partition the credentials.

    What is open counts in the times as open up to `as_of`; one that is not reached yet is null.
    """

    as_of: str
    incident: dict[str, Any]
    totals: dict[str, int]
    replaced: int
    converged: int
    unidentified: int
    time_to_revoke: dict[str, float | None]
    by_provider: dict[str, dict[str, float | None]]
    credentials: list[CredentialShape]


class PlanShape(Report):
    """The report, with the newest revision of the plan as it was shown, and the earlier ones that one yes covers."""

    planned: dict[str, Any]
    covered: list[dict[str, Any]]


class EvidenceRecord(BaseModel):
    """A record of a chain. `hash` is the SHA-256 of `body`'s UTF-8 bytes; `body` is JSON that names its predecessor.

    Behind its `cursor` stands what was committed later.
    """

    cursor: str
    chain: str
    seq: int
    hash: str
    body: str


class Entry(BaseModel):
    """What somebody said of credentials, or an issuer listed."""

    match: dict[str, str]
    said: dict[str, Any]
    facts: dict[str, Any]
    source: str
    file: str
    by: str
    at: str
    overruled: list[str]


class Kind(_Open):
    """A kind of credential: what a machine can do to it, and which connections serve it."""

    kind: str
    family: str
    machine: str
    verify: str
    tested: str | None
    connections: list[str] = Field(description="Those of this deployment.")
    trouble: str
