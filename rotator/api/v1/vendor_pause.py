"""Pause a vendor over HTTP: what it holds is planned and declared, as any incident is; nothing begins by it."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import AwareDatetime
from starlette.requests import Request

from rotator import pausing, planned_pause
from rotator.api.problems import of_input
from rotator.api.v1.alarm import BODY, Bad, brought
from rotator.api.v1.declaring import past
from rotator.api.v1.doing import Asker, Doing
from rotator.api.v1.outcomes import Declared
from rotator.api.v1.vendors import Name
from rotator.bootstrap import Rotator
from rotator.errors import BadInput
from rotator.flow.roles import Act
from rotator.operations.waiting import begins, facing
from rotator.planned_pause import Pausing, Wanted

Reason = Annotated[str, Query(min_length=1, max_length=2000, pattern=r"\S", description="Why; it becomes evidence.")]
Notices = Annotated[
    list[Annotated[str, Query(min_length=1, max_length=128)]],
    Query(max_length=20, description="An advisory or a notice for which it is paused."),
]
Reads = Annotated[bool, Query(description="Read secrets from where they are delivered, to knock with them.")]
Since = Annotated[AwareDatetime | None, Query(description="When its credentials came within reach, ISO 8601.")]
_OPTIONAL = {"requestBody": {**BODY["requestBody"], "required": False}}


class Paused(Declared):
    """What was declared, or added where the vendor was paused already: then the digest is that of the new revision.

    It is "" where nothing is new. `notes` say what was left of a report, and of how many the secret is known.
    """

    paused_before: bool
    notes: list[str]


def routes(doing: Doing) -> APIRouter:
    """Return how a vendor is paused."""
    router = APIRouter(tags=["vendors"])

    @router.post(
        "/vendors/{name}/pause", response_model=Paused, status_code=HTTPStatus.CREATED, openapi_extra=_OPTIONAL
    )
    def pause(  # noqa: PLR0917 - parameters of a request
        request: Request,
        asked: Asker,
        name: Name,
        reason: Reason,
        notice: Notices = [],  # noqa: B006 - FastAPI copies it
        read: Reads = True,
        exposed_at: Since = None,
    ) -> Any:
        """Pause a vendor: plan the end of all that it holds, and make nothing new for it from now on.

        Nothing starts before the digest is approved. Paused again, what it holds by now is added. The body, if there is
        one, is a report with the secrets of what it holds. Issuers are asked first, which may take minutes.
        """
        by = asked.caller.by

        def look(parts: Rotator) -> Pausing:
            try:
                with brought(parts, request.state.body, Bad([], []), may_be_empty=True) as given:
                    told = [one for each in given.alarm.suspects for one in each.exposures]
            except BadInput as error:
                raise of_input(error, HTTPStatus.UNPROCESSABLE_ENTITY, "bad_report") from None
            _known(parts, name)
            wanted = Wanted(name, reason, told, tuple(notice), read, past(exposed_at))
            return pausing.prepare(parts, wanted, by)

        def work(parts: Rotator, found: Pausing) -> Mapping[str, Any]:
            return _done(parts, found, by)

        return doing.do_after_long(asked, Act.PAUSE_VENDOR, name, look, work, HTTPStatus.CREATED)

    return router


def _known(parts: Rotator, name: str) -> None:
    try:
        parts.vendors.one(name)
    except BadInput as error:
        raise of_input(error, HTTPStatus.NOT_FOUND, "no_such_vendor") from None


def _done(parts: Rotator, found: Pausing, by: str) -> Mapping[str, Any]:
    plan = found.prepared.plan
    incident, digest = found.incident, ""
    if found.there is None:
        incident, digest = pausing.declare(parts, found, by).incident.id, plan.digest
    else:
        added = pausing.add(parts, found, by)
        digest = added.revision.digest if added.revision is not None else ""
    counts = {"runs": len(plan.runs), "manual": len(plan.manual), "excluded": len(plan.excluded)}
    elsewhere = parts.reading.standing([each.ref for each in found.prepared.scoped])
    told = {
        "warnings": list(plan.warnings),
        "elsewhere": [
            {"incident": each, "is": how, "credentials": count} for each, how, count in elsewhere if each != incident
        ],
        "begins": begins(parts, incident, digest) if digest else "",
        "paused_before": found.there is not None,
        "notes": planned_pause.told(found),
    }
    return {"incident": incident, "digest": digest, **counts, **told, **facing(parts, by, plan)}
