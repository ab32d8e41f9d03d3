"""One credential: how it stands, what can be done now, each step, and its evidence."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from rotator.api.board.pages.incident import known
from rotator.api.board.rendering import html
from rotator.api.problems import Problem
from rotator.bootstrap import Rotator
from rotator.errors import BadInput
from rotator.ledger.looking import BEGINNING, Looking
from rotator.report.revisions import each_run
from rotator.shown import buttons
from rotator.shown.credential import credential
from rotator.shown.plans import BeingRead, Plans, plans


def routes(parts: Rotator) -> APIRouter:
    """Return the page."""
    router, kept = APIRouter(), plans(parts)

    @router.get("/incidents/{incident}/credentials/{run}")
    def shown(request: Request, incident: str, run: str, after: Annotated[str, Query(max_length=200)] = "") -> Response:
        """Show it."""
        name = known(parts, incident)
        try:
            found = credential(parts, name, run, _place(after))
        except BadInput:
            raise Problem(404, "no_such_run", "The incident has no such credential.") from None
        row, role = found["row"], request.state.caller.role
        of, _ = Looking(parts.database).of(name)
        return html(
            request,
            "credential.html",
            incident=of,
            planned=_planned(kept, row),
            ways=buttons.buttons(row, role),
            trying=[
                (each, buttons.button(each["then"], each["means"], role))
                for one in each_run([row])
                for each in one["trying"]
            ],
            later=[
                (each, [buttons.button(way["command"], way["means"], role) for way in each["ways"]])
                for one in each_run([row])
                for each in one["next"]
                if each["due_at"]
            ],
            dismiss=buttons.dismissal(name, row, role),
            reopening=buttons.reopening(name, row["run"], role) if row["dismissed"] else None,
            undos=_undos(parts, row, role),
            is_first=not after,
            **found,
        )

    def _planned(kept: Plans, row: dict[str, Any]) -> list[dict[str, Any]] | None:
        """Return what the plan says of it: why it is included. Nothing where none was kept, None while it is read."""
        of = row["run"].rpartition(".")[0]
        _, revisions = Looking(parts.database).of(of)
        digest = next((each.digest for each in revisions if each.number == row["revision"]), "")
        try:
            shown = kept.of(parts, of, row["revision"], digest) if digest else None
        except BeingRead:
            return None
        every = shown.found(row["id"]) if shown else []
        return [each for each in every if (each["provider"], each["owner"]) == (row["provider"], row["owner"])]

    return router


def _undos(parts: Rotator, row: dict[str, Any], role: Any) -> list[buttons.Button]:
    """Return how what is done can be taken back, from the last step that can be on; the service is asked what would be.

    Of steps from which on the same is taken back the last is offered; of those on offer already none.
    """
    offered = {way["command"] for one in row["next"] for way in one["ways"]}
    names = dict.fromkeys(each["id"] for each in row["steps"] if each["state"] == "done")
    found: dict[tuple[str, ...], buttons.Button] = {}
    for name in reversed(names):
        try:
            undo = parts.hands.undoing(row["run"], name)
        except BadInput:
            continue
        command = f"rotator run undo {row['run']} {name} --reason …"
        if command not in offered:
            means = f"would do, one after the other: {', '.join(undo.in_words)}"
            found.setdefault(tuple(each.id for each in undo.takes_back), buttons.button(command, means, role))
    return list(found.values())


def _place(after: str) -> tuple[str, int]:
    chain, _, number = after.rpartition(" ")
    return (chain, int(number)) if chain and number.isdecimal() and len(number) <= 9 else BEGINNING  # noqa: PLR2004
