"""What may be done to an incident over HTTP: each calls what the command line calls, in the caller's name."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Path

from rotator.api.problems import Problem
from rotator.api.v1.acts import Dismissal, Looked, Why, Yes
from rotator.api.v1.doing import Asked, Asker, Doing
from rotator.api.v1.outcomes import Approved, Continued, Dismissed, GateSet, Isolated, Reopened, Reviewed, Stopped
from rotator.api.v1.reading import Incident, known
from rotator.bootstrap import Rotator
from rotator.flow.roles import Act
from rotator.ledger.dismissing import Named
from rotator.operations import deciding, steering

Name = Annotated[str, Path(max_length=255)]


def routes(doing: Doing) -> APIRouter:  # noqa: C901 - a list of short acts
    """Return what may be done."""
    router = APIRouter(tags=["acts"])

    @router.post("/incidents/{incident}/approve", response_model=Approved)
    def approve(incident: Incident, given: Yes, asked: Asker) -> Any:
        """Say yes to a plan by its digest; the work begins once enough people have said so."""
        act = Act.BREAK_GLASS if given.break_glass else Act.APPROVE
        return doing.do(asked, act, incident, lambda parts: _approve(parts, incident, given, asked.caller.by))

    @router.post("/incidents/{incident}/review", response_model=Reviewed)
    def review(incident: Incident, given: Looked, asked: Asker) -> Any:
        """Say that you looked at what broken glass or a standing order let through, and what you found."""

        def work(parts: Rotator) -> Any:
            return deciding.review(parts, asked.caller.by, known(parts, incident), given.note)

        return doing.do(asked, Act.REVIEW, incident, work)

    @router.post("/stop", response_model=Stopped)
    def stop_everything(given: Why, asked: Asker) -> Any:
        """Start no more calls of anything."""
        return doing.do(asked, Act.STOP, "everything", lambda parts: _stop(parts, None, given, asked))

    @router.post("/incidents/{incident}/stop", response_model=Stopped)
    def stop_incident(incident: Incident, given: Why, asked: Asker) -> Any:
        """Start no more calls of one incident."""
        return doing.do(
            asked,
            Act.STOP,
            incident,
            lambda parts: _stop(parts, known(parts, incident), given, asked),
        )

    @router.post("/connections/{connection}/stop", response_model=Stopped)
    def stop_connection(connection: Name, given: Why, asked: Asker) -> Any:
        """Start no more calls of one connection."""
        return doing.do(
            asked,
            Act.STOP,
            connection,
            lambda parts: _stop(parts, _connection(parts, connection), given, asked),
        )

    @router.post("/continue", response_model=Continued)
    def continue_everything(given: Why, asked: Asker) -> Any:
        """Let everything go on by itself, where it was stopped as a whole."""
        return doing.do(asked, Act.CONTINUE, "everything", lambda parts: _go_on(parts, None, given, asked))

    @router.post("/incidents/{incident}/continue", response_model=Continued)
    def continue_incident(incident: Incident, given: Why, asked: Asker) -> Any:
        """Let one incident go on by itself, where it was."""
        return doing.do(
            asked,
            Act.CONTINUE,
            incident,
            lambda parts: _go_on(parts, known(parts, incident), given, asked),
        )

    @router.post("/connections/{connection}/continue", response_model=Continued)
    def continue_connection(connection: Name, given: Why, asked: Asker) -> Any:
        """Let one connection go on by itself, where it was."""
        return doing.do(
            asked,
            Act.CONTINUE,
            connection,
            lambda parts: _go_on(parts, _connection(parts, connection), given, asked),
        )

    @router.post("/incidents/{incident}/gates/{gate}/open", response_model=GateSet)
    def open_gate(incident: Incident, gate: Name, given: Why, asked: Asker) -> Any:
        """Open a gate: what waits for it goes on. Opening `no_legal_hold` lifts a legal hold."""

        def work(parts: Rotator) -> Any:
            return steering.open_gate(parts, asked.caller.by, known(parts, incident), gate, given.reason)

        return doing.do(asked, Act.OPEN_GATE, f"{incident} {gate}", work)

    @router.post("/incidents/{incident}/gates/{gate}/close", response_model=GateSet)
    def close_gate(incident: Incident, gate: Name, given: Why, asked: Asker) -> Any:
        """Shut a gate: steps wait for it from now on. Shutting `no_legal_hold` places a legal hold."""

        def work(parts: Rotator) -> Any:
            return steering.close_gate(parts, asked.caller.by, known(parts, incident), gate, given.reason)

        return doing.do(asked, Act.CLOSE_GATE, f"{incident} {gate}", work)

    @router.post("/incidents/{incident}/hosts/{host}/isolate", response_model=Isolated)
    def isolate(incident: Incident, host: Name, given: Why, asked: Asker) -> Any:
        """Say that a host is cut off. With the last known foothold, the gate `host_isolated` opens by itself."""

        def work(parts: Rotator) -> Any:
            return steering.isolate(parts, asked.caller.by, known(parts, incident), host, given.reason)

        return doing.do(asked, Act.ISOLATE, f"{incident} {host}", work)

    @router.post("/incidents/{incident}/exposures/{name:path}/dismiss", response_model=Dismissed)
    def dismiss(incident: Incident, name: Name, given: Dismissal, asked: Asker) -> Any:
        """Leave a credential alone; its issuer is asked where its word counts."""

        def look(parts: Rotator) -> tuple[str, Named, str]:
            return deciding.about(parts, known(parts, incident), name, given.as_)

        def work(parts: Rotator, seen: tuple[str, Named, str]) -> Any:
            return deciding.dismissed(parts, asked.caller.by, given.as_, given.reason, *seen)

        return doing.do_after(asked, Act.DISMISS, f"{incident} {name}", look, work)

    @router.post("/incidents/{incident}/exposures/{name:path}/reopen", response_model=Reopened)
    def reopen(incident: Incident, name: Name, given: Why, asked: Asker) -> Any:
        """Take a dismissal back: its run goes on where it was; what nobody approved yet waits for an approval."""

        def work(parts: Rotator) -> Any:
            return deciding.take_back(parts, asked.caller.by, known(parts, incident), name, given.reason)

        return doing.do(asked, Act.REOPEN, f"{incident} {name}", work)

    return router


def _approve(parts: Rotator, incident: str, given: Yes, by: str) -> Any:
    why = given.reason.strip()
    if given.break_glass != bool(why):
        what = "broken glass needs a reason, and nothing else takes one"
        raise Problem(422, "bad_input", what, where="body.reason")
    name = known(parts, incident)
    return deciding.approve(parts, by, name, given.digest, given.scope, given.break_glass, why, given.confirm)


def _stop(parts: Rotator, name: str | None, given: Why, asked: Asked) -> Any:
    return steering.stop(parts, asked.caller.by, name, given.reason)


def _go_on(parts: Rotator, name: str | None, given: Why, asked: Asked) -> Any:
    return steering.go_on(parts, asked.caller.by, name, given.reason)


def _connection(parts: Rotator, name: str) -> str:
    """Return the name of a connection that is configured. Raises Problem for any other, an incident's above all."""
    if name not in steering.connections(parts):
        raise Problem(HTTPStatus.NOT_FOUND, "no_such_connection", "no connection is called so", where=name)
    return name
