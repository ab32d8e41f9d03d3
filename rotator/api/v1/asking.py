"""What the service is asked to find out, over HTTP: what a report names, what issuers list and permit, how it stands.

Others are asked, and may take minutes, so few of these run at once (see `long_work`); each is a POST, since to ask
leaves traces in their logs. Nothing is changed there, and here nothing kept but what is to be.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from starlette.requests import Request

from rotator import discovery, playbook_file
from rotator.api.problems import of_input
from rotator.api.v1.access import Reader
from rotator.api.v1.alarm import BODY, BadPackages, brought
from rotator.api.v1.doing import Asker, Doing
from rotator.api.v1.found import Checked, Coverage, Discovered, Examined, Intake, Linted
from rotator.api.v1.long_work import LongWork
from rotator.bootstrap import Rotator
from rotator.discovery import Lists
from rotator.errors import BadInput
from rotator.examining import doctor
from rotator.examining.checking import checked
from rotator.flow.roles import Act
from rotator.report.leaked import leaked_rows
from rotator.report.packages import evidence_rows

LINTED_AT_ONCE = 2
"""A long playbook takes seconds, in which this process has less time for everything else; and a viewer may send it."""
_A_WORD = r"^[^\x00]*$"
Connection = Annotated[str, Path(max_length=255, pattern=_A_WORD, description="A connection of the configuration.")]
Through = Annotated[str | None, Query(max_length=255, pattern=_A_WORD, description="A connection; all without it.")]
Kind = Annotated[str | None, Query(max_length=64, pattern=_A_WORD, description="Only this kind.")]
Owner = Annotated[
    str | None, Query(max_length=255, pattern=_A_WORD, description="What may be done to this owner's; needs `kind`.")
]
Save = Annotated[bool, Query(description="Keep them in the inventory, as known to exist. What people said stays.")]
_PLAYBOOK = {
    "requestBody": {
        "required": True,
        "description": "One playbook.",
        "content": {"application/yaml": {"schema": {"type": "string", "format": "binary"}}},
    }
}


def routes(doing: Doing) -> APIRouter:  # noqa: C901 - a list of short questions
    """Return what may be asked."""
    router, linting = APIRouter(tags=["asking"]), LongWork(LINTED_AT_ONCE)

    @router.post("/intake", response_model=Intake, openapi_extra=BODY)
    def intake(request: Request, asked: Asker, bad: BadPackages) -> Any:
        """Say which credentials a report names, never the secrets; of bad packages also what is within their reach.

        Nothing of it is kept.
        """

        def look(parts: Rotator) -> Mapping[str, Any]:
            try:
                with brought(parts, request.state.body, bad) as given:
                    found = given.alarm.evidence
                    evidence = None if found is None else evidence_rows(found)
                    return {"credentials": leaked_rows(given.alarm.suspects), "evidence": evidence}
            except BadInput as error:
                raise of_input(error, HTTPStatus.UNPROCESSABLE_ENTITY, "bad_report") from None

        return doing.look(asked, Act.INTAKE, "a report", look)

    @router.post("/connections/{connection}/discover", response_model=Discovered)
    def discover(asked: Asker, connection: Connection, kind: Kind = None, save: Save = False) -> Any:
        """List the credentials that a connection's issuer knows, with owner, age and last use.

        Kinds that cannot be listed are named, since what nobody lists may exist all the same.
        """

        def look(parts: Rotator) -> Lists:
            try:
                return discovery.discovered(parts, connection, kind)
            except BadInput as error:
                raise of_input(error, HTTPStatus.NOT_FOUND, "no_such_connection") from None

        def work(parts: Rotator, lists: Lists) -> Mapping[str, Any]:
            kept = discovery.kept(parts, lists) if save else []
            return {"credentials": lists.data, "not_listable": lists.not_listable, "kept": kept}

        return doing.do_after_long(asked, Act.DISCOVER, connection, look, work)

    @router.post("/inventory/coverage", response_model=Coverage)
    def coverage(asked: Asker, connection: Through = None) -> Any:
        """Compare what issuers list with what people said: what nobody has said anything of, and what is gone."""

        def look(parts: Rotator) -> Mapping[str, Any]:
            try:
                return discovery.data(*discovery.coverage(parts, connection))
            except BadInput as error:
                raise of_input(error, HTTPStatus.NOT_FOUND, "no_such_connection") from None

        return doing.look(asked, Act.ASK, connection or "every connection", look)

    @router.post("/providers/check", response_model=Checked)
    def check(asked: Asker, connection: Through = None, kind: Kind = None, owner: Owner = None) -> Any:
        """Ask connections what the rotator may do, each about a credential that is not there.

        It tells whether each answers, whether it knows the rotator, and what of the playbook it permits. It leaves
        traces in their logs, and of a Vault token whose uses are counted spends one or two for each kind.
        """

        def look(parts: Rotator) -> Mapping[str, Any]:
            try:
                found = checked(parts, connection, kind, owner)
            except BadInput as error:
                raise of_input(error, HTTPStatus.NOT_FOUND, "nothing_to_ask") from None
            return {"well": all(each.well for each in found), "checks": [each.data for each in found]}

        return doing.look(asked, Act.ASK, connection or "every connection", look)

    @router.post("/doctor", response_model=Examined)
    def examine(asked: Asker) -> Any:
        """Look for the usual mistakes, as `rotator doctor` does where this service runs, and say how to mend each.

        It asks connections, places, consumers and channels whether they answer, and tells nobody anything.
        """

        def look(parts: Rotator) -> Mapping[str, Any]:
            found = list(doctor.examine(parts))
            return {"well": all(each.well for each in found), "findings": [each.data for each in found]}

        return doing.look(asked, Act.READ_SERVICE, "the service", look)

    @router.post("/playbooks/lint", response_model=Linted, openapi_extra=_PLAYBOOK)
    def lint(request: Request, _: Reader) -> Any:
        """Say every mistake of a playbook, with its line. It is not kept, nor used."""
        with linting.place():
            return {"mistakes": [asdict(each) for each in playbook_file.mistakes(request.state.body)]}

    return router
