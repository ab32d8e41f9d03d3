"""What may be read over HTTP: what the command line prints with `-o json`, from the same places."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from starlette.responses import JSONResponse, Response

from rotator.api.problems import of_input
from rotator.api.v1.access import Reader
from rotator.api.v1.pages import USUAL, After, Limit, closed, lost, opened, page
from rotator.api.v1.shapes import (
    CallerShape,
    CredentialShape,
    Entry,
    IncidentRow,
    Kind,
    Page,
    PlanShape,
    Report,
)
from rotator.bootstrap import Rotator
from rotator.errors import BadInput
from rotator.flow.incident import Purpose
from rotator.flow.inventory import named
from rotator.flow.standing import CredentialState
from rotator.ledger.listing import Part
from rotator.report.clocks import moment
from rotator.shown import incident_list, incidents, inventory, kinds
from rotator.shown.credentials import few
from rotator.shown.live import live

Incident = Annotated[str, Path(max_length=40, description="An incident's id.")]
Provider = Annotated[str | None, Query(max_length=64, description="Only of this kind.")]
Text = Annotated[str, Query(max_length=200, description="Only those with this in their id, owner, connection or run.")]
For = Annotated[Purpose | None, Query(description="Only those that are there for this.")]
IsOpen = Annotated[bool | None, Query(alias="open", description="Only those that are open, or only the others.")]
State = Annotated[CredentialState | None, Query(description="Only those that stand so.")]


def routes(parts: Rotator) -> APIRouter:
    """Return what may be read of this ledger."""
    router = APIRouter()

    @router.get("/whoami", response_model=CallerShape, tags=["service"])
    def whoami(caller: Reader) -> Any:
        """Say who calls, and what he may."""
        until = moment(caller.expires_at)
        return JSONResponse({"token": caller.name, "by": caller.by, "role": caller.role.value, "expires_at": until})

    @router.get("/incidents", response_model=Page[IncidentRow], tags=["incidents"])
    def list_incidents(
        _: Reader, purpose: For = None, is_open: IsOpen = None, after: After = None, limit: Limit = USUAL
    ) -> Any:
        """List incidents, the newest first."""
        return _listed(parts, Part(purpose, is_open, after and opened(after)), limit)

    @router.get("/incidents/{incident}", response_model=Report, tags=["incidents"])
    def report(_: Reader, incident: Incident) -> Any:
        """Return the report, as `rotator report -o json` prints it."""
        # Whose yes is wanted is said by the rule as it is now.
        return JSONResponse(incidents.report(parts.on(parts.database), known(parts, incident)))

    @router.get("/incidents/{incident}/credentials", response_model=Page[CredentialShape], tags=["incidents"])
    def credentials(  # noqa: PLR0917 - a query
        _: Reader,
        incident: Incident,
        state: State = None,
        provider: Provider = None,
        q: Text = "",
        after: After = None,
        limit: Limit = USUAL,
    ) -> Any:
        """List the credentials of the report, in its order."""
        name, place = known(parts, incident), None if after is None else opened(after)
        try:
            shown = live(parts).of(name, None).page(state=state, provider=provider, text=q, after=place, limit=limit)
        except BadInput:
            raise lost() from None
        found = few(parts, name, [each.run for each in shown.rows])
        # One may stand otherwise since.
        rows = [each for each in found if state in {None, each["state"]}]
        return JSONResponse({"items": rows, "next": shown.next and closed(shown.next)})

    @router.get("/incidents/{incident}/plan", response_model=PlanShape, tags=["incidents"])
    def plan(_: Reader, incident: Incident) -> Any:
        """Return the newest revision of the plan, and its digest, as `rotator plan -o json` prints it."""
        # What it stands on is read anew: the inventory may have changed since.
        return JSONResponse(incidents.plan(parts.on(parts.database), known(parts, incident)))

    @router.get("/inventory", response_model=Page[Entry], tags=["standing"])
    def entries(_: Reader, after: After = None, limit: Limit = USUAL) -> Any:
        """List what is known of credentials, and who says so."""
        found = inventory.entries(parts)
        return JSONResponse(page(found, lambda row: f"{row['source']} {named(row['match'])}", after, limit))

    @router.get("/providers", response_model=Page[Kind], tags=["standing"])
    def providers(_: Reader, after: After = None, limit: Limit = USUAL) -> Any:
        """List the kinds of credentials, what a machine can do to each, and who serves it here."""
        return JSONResponse(page(kinds.kinds(parts), lambda row: str(row["kind"]), after, limit))

    @router.get("/playbooks", response_model=Page[dict[str, Any]], tags=["standing"])
    def playbooks(_: Reader, after: After = None, limit: Limit = USUAL) -> Any:
        """List the playbooks that apply here; their form is `rotator playbook schema`."""
        found = [each.model_dump(mode="json", by_alias=True) for each in parts.playbooks.values()]
        return JSONResponse(page(found, lambda row: str(row["playbook"]), after, limit))

    return router


def known(parts: Rotator, incident: str) -> str:
    """Return an incident's id. Raises Problem where there is none: `last` is nobody's here, as others declare too."""
    try:
        return parts.reading.named(incident if incident != "last" else "")
    except BadInput as error:
        raise of_input(error, HTTPStatus.NOT_FOUND, "no_such_incident") from None


def _listed(parts: Rotator, part: Part, limit: int) -> Response:
    try:
        rows = incident_list.listed(parts, replace(part, limit=limit + 1))
    except BadInput:
        raise lost() from None
    more = closed(rows[limit - 1]["id"]) if len(rows) > limit else None
    return JSONResponse({"items": rows[:limit], "next": more})
