"""What stands beside the incidents' reports, read over HTTP: exposures, gates, alarms, channels, settings."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from starlette.responses import JSONResponse

from rotator.api.problems import Problem
from rotator.api.v1.access import Auditor, Reader
from rotator.api.v1.found import AlarmRow, Channel, Exposed, Gate, Setting, Told
from rotator.api.v1.pages import USUAL, After, Limit, page
from rotator.api.v1.reading import Incident, known
from rotator.api.v1.shapes import Page
from rotator.bootstrap import Rotator
from rotator.flow.playbook import json_schema
from rotator.flow.playbook_words import meant
from rotator.shown import alarms, configuration, incidents, inventory

Match = Annotated[
    str,
    Query(
        min_length=1,
        max_length=1000,
        pattern=r"^[^\x00]+$",
        description="provider=KIND,owner=NAME as `/inventory` has it; or one owner or id alone.",
    ),
]
Playbook = Annotated[str, Path(max_length=64, description="A playbook, called as its kind.")]


def routes(parts: Rotator) -> APIRouter:
    """Return what may be read."""
    router = APIRouter(tags=["standing"])

    @router.get("/incidents/{incident}/exposures", response_model=Page[Exposed])
    def exposures(_: Reader, incident: Incident, after: After = None, limit: Limit = USUAL) -> Any:
        """List what is exposed: how sure each is, where it was seen, as what it was dismissed."""
        found = incidents.exposures(parts, known(parts, incident))
        return JSONResponse(page(found, lambda row: str(row["run"]), after, limit))

    @router.get("/incidents/{incident}/gates", response_model=Page[Gate])
    def gates(_: Reader, incident: Incident, after: After = None, limit: Limit = USUAL) -> Any:
        """List an incident's gates: how each stands, who said so, and how many steps wait for it."""
        found = incidents.gates(parts, known(parts, incident))
        return JSONResponse(page(found, lambda row: str(row["name"]), after, limit))

    @router.get("/inventory/history", response_model=Page[Told])
    def history(_: Reader, match: Match, after: After = None, limit: Limit = USUAL) -> Any:
        """List how an imported entry came to say what it says: who changed what, when, and from which file.

        It is empty where nothing was ever imported of it.
        """
        return JSONResponse(
            page(inventory.history(parts, match), lambda row: f"{row['at']} {row['match']}", after, limit)
        )

    @router.get("/triggers", response_model=Page[AlarmRow])
    def triggers(_: Reader, after: After = None, limit: Limit = USUAL) -> Any:
        """List alarms that came over HTTP, the newest first, with the incident of each or why it has none."""
        return JSONResponse(page(alarms.alarms(parts), lambda row: str(row["id"]), after, limit))

    @router.get("/notices", response_model=Page[Channel])
    def notices(_: Reader, after: After = None, limit: Limit = USUAL) -> Any:
        """List the channels by which people are told: what each hears of, was sent, and would not take."""
        return JSONResponse(page(alarms.channels(parts), lambda row: str(row["name"]), after, limit))

    @router.get("/playbooks/schema", response_model=dict[str, Any])
    def schema(_: Reader) -> Any:
        """Return the JSON Schema of playbooks, for editors."""
        return JSONResponse(json_schema())

    @router.get("/playbooks/{name}", response_model=dict[str, Any])
    def playbook(_: Reader, name: Playbook) -> Any:
        """Return one playbook."""
        if name not in parts.playbooks:
            mend = meant(name, parts.playbooks)
            raise Problem(HTTPStatus.NOT_FOUND, "not_found", "no playbook is called so", where="path.name", mend=mend)
        return JSONResponse(parts.playbooks[name].model_dump(mode="json", by_alias=True))

    @router.get("/config", response_model=Page[Setting])
    def settings(_: Auditor, after: After = None, limit: Limit = USUAL) -> Any:
        """List every setting that this service began with, and where each comes from; no secret, nor what it refers to.

        The rule of approval is read anew for each request, whatever is listed here.
        """
        found = [configuration.data(each) for each in configuration.settings(parts, parts.settings.file)]
        return JSONResponse(page(found, lambda row: str(row["name"]), after, limit))

    return router
