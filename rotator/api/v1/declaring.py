"""Declare an incident over HTTP, or let one grow: a report's own bytes, read and planned as at the command line.

Nothing begins by it: what standing orders cover is what their senders signed, or what was declared where people are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime, Field
from starlette.requests import Request

from rotator import clock, footholds, growth, response
from rotator.api.problems import Problem, of_input
from rotator.api.v1.alarm import BODY, Bad, BadPackages, Brought, brought
from rotator.api.v1.doing import Asker, Doing
from rotator.api.v1.outcomes import Declared, Grown
from rotator.api.v1.reading import Incident, known
from rotator.bootstrap import Rotator
from rotator.errors import BadInput
from rotator.flow.exclusion import exclusions
from rotator.flow.incident import Severity
from rotator.flow.revision import Present
from rotator.flow.roles import Act
from rotator.flow.wish import wishes
from rotator.operations import grown
from rotator.operations.waiting import begins, facing
from rotator.response import Prepared

Title = Annotated[str, Query(min_length=1, max_length=200, pattern=r"\S", description="What people will call it.")]
Strategies = Annotated[list[str], Query(description="`[SELECTOR=]STRATEGY`, as `rotator respond --strategy` takes it.")]
Exclusions = Annotated[list[str], Query(description="Leave these alive: a selector, as `rotator respond --exclude`.")]
Reasons = Annotated[list[str], Query(description="Why each is left alive: one for all, or one for each in order.")]
Worse = Annotated[Severity | None, Query(description="That it is worse than was thought; never that it is less.")]
Hosts = Annotated[
    list[Annotated[str, Field(pattern=r"^[^\x00]+$")]], Query(description="A host on which the attacker ran.")
]
Since = Annotated[AwareDatetime | None, Query(description="When the secrets came within reach, ISO 8601.")]


@dataclass(frozen=True, slots=True)
class _Planned:
    """What is to be written."""

    prepared: Prepared
    hosts: tuple[str, ...]
    shown: Mapping[str, Any]
    elsewhere: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class _Said:
    """What may be said beside any report."""

    strategy: list[str]
    exclude: list[str]
    reason: list[str]
    hosts: list[str]
    exposed_at: float | None
    bad: Bad


def _beside(  # noqa: PLR0917 - parameters of a request
    bad: BadPackages,
    exposed_at: Since = None,
    strategy: Strategies = [],  # noqa: B006 - FastAPI copies it
    exclude: Exclusions = [],  # noqa: B006
    reason: Reasons = [],  # noqa: B006
    foothold: Hosts = [],  # noqa: B006
) -> _Said:
    return _Said(strategy, exclude, reason, foothold, past(exposed_at), bad)


Beside = Annotated[_Said, Depends(_beside)]


def routes(doing: Doing) -> APIRouter:
    """Return how an incident is declared."""
    router = APIRouter(tags=["acts"])

    @router.post("/incidents", response_model=Declared, status_code=HTTPStatus.CREATED, openapi_extra=BODY)
    def declare(
        request: Request, asked: Asker, beside: Beside, title: Title, severity: Severity = Severity.HIGH
    ) -> Any:
        """Declare an incident from a report and plan it; nothing starts before its digest is approved.

        The issuers are asked first, which may take minutes: ask with an `Idempotency-Key`, and again if you hang up.
        """
        began, by = clock.now(), asked.caller.by

        def look(parts: Rotator) -> _Planned:
            return _readable(parts, request.state.body, beside, severity, by)

        def work(parts: Rotator, planned: _Planned) -> Mapping[str, Any]:
            made = response.declare(
                parts,
                planned.prepared,
                title=title,
                severity=severity,
                detected_at=began,
                exposed_at=beside.exposed_at,
                footholds=planned.hosts,
                by=by,
                shown=planned.shown,
            )
            plan = planned.prepared.plan
            counts = {"runs": len(plan.runs), "manual": len(plan.manual), "excluded": len(plan.excluded)}
            told = {**counts, "warnings": list(plan.warnings), "elsewhere": planned.elsewhere}
            waits = {**facing(parts, by, plan), "begins": begins(parts, made.id, plan.digest)}
            return {"incident": made.id, "digest": plan.digest, **told, **waits}

        return doing.do_after_long(asked, Act.DECLARE, "a new incident", look, work, HTTPStatus.CREATED)

    @router.post("/incidents/{incident}/reports", response_model=Grown, openapi_extra=BODY)
    def add(request: Request, asked: Asker, beside: Beside, incident: Incident, severity: Worse = None) -> Any:
        """Let an incident grow by what another report names: what it does not have yet is one more revision.

        A `foothold` or a worse `severity` alone needs no report: then the body is empty.
        Where somebody else has added to it meanwhile, it is refused as `not_so_now`: ask again.
        """
        began, by = clock.now(), asked.caller.by

        def look(parts: Rotator) -> tuple[Present, _Planned]:
            present = parts.enrolment.present(known(parts, incident))
            worse = severity or present.severity
            may_be_empty = bool(beside.hosts or severity)
            return present, _readable(parts, request.state.body, beside, worse, by, present, may_be_empty=may_be_empty)

        def work(parts: Rotator, seen: tuple[Present, _Planned]) -> Mapping[str, Any]:
            present, planned = seen
            added = growth.add(
                parts,
                present,
                planned.prepared,
                detected_at=began,
                footholds=planned.hosts,
                by=by,
                shown=planned.shown,
                severity=severity,
            )
            revision = {"revision": added.revision.number, "digest": added.revision.digest} if added.revision else {}
            told = {"revision": 0, "digest": "", **revision, "covers": list(added.covers)}
            seen_again = {"seen_again": added.seen, "places": added.places, "footholds": list(added.footholds)}
            freed = None if added.freed is None else len(added.freed)
            warned = {"warnings": list(planned.prepared.plan.warnings), "elsewhere": planned.elsewhere}
            return {**told, **seen_again, "freed": freed, **warned, "told": grown.told(parts, present.incident, added)}

        return doing.do_after_long(asked, Act.ADD, incident, look, work)

    return router


def _readable(  # noqa: PLR0917 - a report, and what was said beside it
    parts: Rotator,
    body: bytes,
    beside: _Said,
    severity: Severity,
    by: str,
    present: Present | None = None,
    *,
    may_be_empty: bool = False,
) -> _Planned:
    """Return what is planned of a report. Raises Problem for one that cannot be read, or followed."""
    try:
        with brought(parts, body, beside.bad, may_be_empty=may_be_empty) as given:
            given.must_name_something(may_be_empty=may_be_empty)
            return _planned(parts, given, beside, severity, by, present)
    except BadInput as error:
        raise of_input(error, 422, "bad_report") from None


def _planned(  # noqa: PLR0917 - the same
    parts: Rotator, given: Brought, beside: _Said, severity: Severity, by: str, present: Present | None
) -> _Planned:
    prepared = growth.prepare(
        parts,
        given.alarm.suspects,
        wishes(beside.strategy),
        exclusions=exclusions(beside.exclude, beside.reason, by),
        present=present,
        reach=given.alarm.reach,
        access=given.access(beside.exposed_at),
        exposed_at=given.alarm.not_before if beside.exposed_at is None else beside.exposed_at,
        severity=severity,
    )
    hosts = footholds.named(parts, prepared.plan, beside.hosts)
    standing = parts.reading.standing([each.ref for each in prepared.scoped])
    elsewhere = [{"incident": each, "is": how, "credentials": count} for each, how, count in standing]
    return _Planned(prepared, tuple(hosts), growth.shown(parts, present, prepared, hosts), elsewhere)


def past(moment: datetime | None, where: str = "query.exposed_at") -> float | None:
    """Return a moment in epoch seconds. Raises Problem for one that is to come."""
    if moment is None:
        return None
    seconds = moment.timestamp()
    if not 0 <= seconds <= clock.now():
        raise Problem(422, "bad_input", "it is in the future, or before 1970", where=where)
    return seconds
