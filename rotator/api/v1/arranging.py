"""What is arranged over HTTP beside incidents' own acts: two made one, the inventory imported, a channel tried."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from starlette.requests import Request

from rotator import importing
from rotator.api.problems import Problem, of_input
from rotator.api.v1.acts import Into
from rotator.api.v1.doing import Asker, Doing
from rotator.api.v1.found import Imported, Merged, Tried
from rotator.api.v1.reading import Incident, known
from rotator.bootstrap import Rotator
from rotator.errors import BadInput, RotatorError
from rotator.examining import channels
from rotator.flow.inventory import Said
from rotator.flow.roles import Act
from rotator.importing import Rows
from rotator.operations import deciding
from rotator.shown.inventory import change

_SHOWN = 100
_ON_MACHINES = frozenset({"command", "ssh_command"})
"""Consumers that are a command line: to name one is to run it, which is for who is on the machine."""
Dry = Annotated[bool, Query(description="Say what would change; change nothing.")]
File = Annotated[
    str,
    Query(min_length=1, max_length=200, pattern=r"^[\w .,:/@()+-]+$", description="What the history calls its source."),
]
Channel = Annotated[str, Path(max_length=64, pattern=r"^[^\x00]+$", description="A channel's name.")]
_BODY = {
    "requestBody": {
        "required": True,
        "description": "YAML, JSON or CSV with the keys of `[[credentials]]`, as `rotator inventory import` reads it.",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


def routes(doing: Doing) -> APIRouter:  # noqa: C901 - a list of short acts
    """Return what may be arranged."""
    router = APIRouter(tags=["acts"])

    @router.post("/incidents/{incident}/merge", response_model=Merged)
    def merge(incident: Incident, given: Into, asked: Asker) -> Any:
        """Make one incident of two: what nobody approved of this one becomes revisions of the other's plan.

        What works already goes on as it is, and is told under both. Nothing takes it back.
        """

        def work(parts: Rotator) -> Mapping[str, Any]:
            return deciding.merge(parts, asked.caller.by, known(parts, incident), known(parts, given.into))

        return doing.do(asked, Act.MERGE, f"{incident} {given.into}", work)

    @router.post("/inventory/import", response_model=Imported, openapi_extra=_BODY)
    def import_file(request: Request, asked: Asker, file: File = "sent over HTTP", dry_run: Dry = False) -> Any:
        """Import what is known of credentials: owner, criticality, what they read, who uses them, from where.

        One entry for each match. A second import of the same changes nothing; with one bad row nothing is imported at
        all. An entry that names a command to be run is imported at the command line alone.
        """

        def look(parts: Rotator) -> Rows:
            return _sound(parts, file, request.state.body)

        def work(parts: Rotator, rows: Rows) -> Mapping[str, Any]:
            found = parts.inventory.plan(rows.said) if dry_run else parts.inventory.take(rows.said, asked.caller.by)
            return {"changes": [change(each) for each in found], "dry_run": dry_run}

        return doing.do_after_long(asked, Act.IMPORT, file, look, work)

    @router.post("/notices/{name}/test", response_model=Tried)
    def try_channel(name: Channel, asked: Asker) -> Any:
        """Send a channel a message that says it is a test, once, and wait for the answer."""
        message = f"test-{secrets.token_hex(4)}"

        def look(parts: Rotator) -> str:
            try:
                return channels.tried(parts, name, message)
            except BadInput as error:
                raise of_input(error, HTTPStatus.NOT_FOUND, "no_such_channel") from None
            except RotatorError as error:
                mend = channels.mend(error)
                raise Problem(HTTPStatus.BAD_GATEWAY, error.reason, "it was not told", mend=mend) from None

        def work(_parts: Rotator, answer: str) -> Mapping[str, Any]:
            return {"message": message, "answer": answer}

        return doing.do_after_long(asked, Act.TRY_CHANNEL, name, look, work)

    return router


def _sound(parts: Rotator, file: str, body: bytes) -> Rows:
    """Return what a file says. Raises Problem where a row is bad, with the first of them, or names a command."""
    try:
        rows = importing.rows(parts, [(file, body)])
    except BadInput as error:
        raise of_input(error, HTTPStatus.UNPROCESSABLE_ENTITY, "bad_report") from None
    bad = [*rows.bad, *(_named_command(each) for each in rows.said if _names_command(each))]
    if not bad:
        return rows
    found = of_input(bad[0], HTTPStatus.UNPROCESSABLE_ENTITY, "bad_report")
    told = [of_input(each, HTTPStatus.UNPROCESSABLE_ENTITY, "bad_report") for each in bad[:_SHOWN]]
    found.more["errors"] = [{"where": each.more.get("where", ""), "what": each.detail} for each in told]
    found.more["bad"] = len(bad)
    raise found


def _names_command(row: Said) -> bool:
    named = (name for each in row.keys.get("consumers") or () for name, value in each.items() if value)
    return not _ON_MACHINES.isdisjoint(named)


def _named_command(row: Said) -> BadInput:
    mend = "import it with `rotator inventory import` where the service runs"
    return BadInput("it names a command, which nobody names over HTTP", row.where, mend)
