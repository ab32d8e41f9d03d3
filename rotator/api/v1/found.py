"""The shapes of what is found when the service asks others, or looks at itself, for whoever asked it over HTTP."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict


class _Open(BaseModel):
    """What may have more keys."""

    model_config = ConfigDict(extra="allow")


class Named(_Open):
    """A credential that a report names, never its secret: `key` is its id, or a fingerprint."""

    kind: str | None
    key: str
    recognised: bool
    has_material: bool
    exposures: list[dict[str, Any]]


class Intake(BaseModel):
    """What a report names; and, of bad packages, what the evidence says of where they were."""

    credentials: list[Named]
    evidence: dict[str, Any] | None


class Exposed(_Open):
    """What is exposed: how sure that is, as what it was dismissed, where it was seen."""

    run: str
    provider: str
    owner: str
    id: str
    certainty: str
    disposition: str
    dismissed: dict[str, Any] | None
    seen: list[dict[str, Any]]


class Gate(_Open):
    """A gate: how it stands, who said so, and how many steps wait for it."""

    name: str
    is_open: bool
    waiting: int
    at: str
    by: str | None
    reason: str | None


class Merged(BaseModel):
    """What became of two incidents: how many credentials both had; the revision to approve and by whom, or 0 and ""."""

    incident: str
    into: str
    same: int
    revision: int
    digest: str
    begins: str


class Changed(BaseModel):
    """What an import does to one entry. `before` is null where there was none."""

    act: Literal["added", "changed", "same"]
    match: dict[str, str]
    before: dict[str, Any] | None
    after: dict[str, Any]
    where: str


class Imported(BaseModel):
    """What an import does to each entry; with `dry_run`, what it would do."""

    changes: list[Changed]
    dry_run: bool


class Told(BaseModel):
    """One change of an imported entry."""

    match: dict[str, str]
    at: str
    by: str
    file: str
    before: dict[str, Any] | None
    after: dict[str, Any]


class NotListable(BaseModel):
    """A kind that could not be listed: `failed`, or its issuer lists nothing."""

    provider: str
    connection: str
    why: str
    failed: bool


class Kept(BaseModel):
    """What was kept of a kind in the inventory: new, known before, and not listed any more."""

    kind: str
    new: int
    known: int
    gone: int


class Listed(_Open):
    """A credential that an issuer lists, with what it tells of it."""

    kind: str
    owner: str
    id: str


class Discovered(BaseModel):
    """What an issuer lists; `kept` is empty where nothing was to be kept."""

    credentials: list[Listed]
    not_listable: list[NotListable]
    kept: list[Kept]


class Coverage(BaseModel):
    """How much of what issuers list somebody has said anything of."""

    listed: int
    covered: int
    covered_broadly: int
    uncovered: list[dict[str, Any]]
    gone: list[dict[str, Any]]
    not_listable: list[NotListable]


class Check(_Open):
    """One kind on one connection: whether it answers, and what it permits; null where that cannot be asked."""

    kind: str
    connection: str
    well: bool
    answer: str
    trouble: str | None
    may: dict[str, str] | None
    permissions: list[dict[str, Any]] | None
    limit: str | None


class Checked(BaseModel):
    """What was asked, and whether all of it is well."""

    well: bool
    checks: list[Check]


class Finding(BaseModel):
    """One thing that the doctor looked at."""

    state: Literal["ok", "warn", "aside", "bad"]
    what: str
    mend: str


class Examined(BaseModel):
    """What the doctor of this service found, and whether all of it is well."""

    well: bool
    findings: list[Finding]


class Setting(BaseModel):
    """One setting in force, and where it comes from. A secret is the reference that it is."""

    path: list[str | int]
    name: str
    value: Any
    origin: str


class Mistake(BaseModel):
    """One mistake of a playbook."""

    line: int
    column: int
    what: str
    mend: str


class Linted(BaseModel):
    """Every mistake of a playbook, in the order of its lines."""

    mistakes: list[Mistake]


class AlarmRow(_Open):
    """An alarm that came over HTTP: its incident, or why it waits that has none."""

    id: str
    sender: str
    title: str
    received_at: str
    state: str
    same_as: str | None
    incident: str | None
    reason: str | None
    due_at: str | None


class Channel(_Open):
    """A channel by which people are told."""

    name: str
    kind: str
    events: str | list[str]
    severity: str
    sent: int
    last_sent_at: str | None
    waiting: int
    given_up: int
    trouble: str | None


class Tried(BaseModel):
    """What a channel answered to the message of this name, which says that it is a test."""

    message: str
    answer: str
