"""What may be done to an incident over HTTP: each calls what the command line calls, in the caller's name."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Path

from rotator import confirmation, issuers_word
from rotator.api.problems import Problem
from rotator.api.v1.acts import (
    Approved,
    Continued,
    Dismissal,
    Dismissed,
    GateSet,
    Isolated,
    Looked,
    Reopened,
    Reviewed,
    Stopped,
    Why,
    Yes,
)
from rotator.api.v1.doing import Asked, Asker, Doing, kept_from
from rotator.api.v1.reading import Incident, known
from rotator.bootstrap import Rotator
from rotator.flow.approval import Scope, scopes_of
from rotator.flow.exposure import Disposition
from rotator.flow.roles import Act
from rotator.flow.scope import host_name
from rotator.ledger.dismissing import Named

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
            found = parts.approvals.review(known(parts, incident), asked.caller.by, given.note)
            return {"reviewed": [f"{each.said.scope} by {each.said.by}" for each in found]}

        return doing.do(asked, Act.REVIEW, incident, work)

    @router.post("/stop", response_model=Stopped)
    def stop_everything(given: Why, asked: Asker) -> Any:
        """Start no more calls of anything."""
        return doing.do(asked, Act.STOP, "everything", lambda parts: _stop(parts, None, given, asked))

    @router.post("/incidents/{incident}/stop", response_model=Stopped)
    def stop_incident(incident: Incident, given: Why, asked: Asker) -> Any:
        """Start no more calls of one incident."""
        return doing.do(asked, Act.STOP, incident, lambda parts: _stop(parts, known(parts, incident), given, asked))

    @router.post("/connections/{connection}/stop", response_model=Stopped)
    def stop_connection(connection: Name, given: Why, asked: Asker) -> Any:
        """Start no more calls of one connection."""
        return doing.do(
            asked, Act.STOP, connection, lambda parts: _stop(parts, _connection(parts, connection), given, asked)
        )

    @router.post("/continue", response_model=Continued)
    def continue_everything(given: Why, asked: Asker) -> Any:
        """Let everything go on by itself, where it was stopped as a whole."""
        return doing.do(asked, Act.CONTINUE, "everything", lambda parts: _go_on(parts, None, given, asked))

    @router.post("/incidents/{incident}/continue", response_model=Continued)
    def continue_incident(incident: Incident, given: Why, asked: Asker) -> Any:
        """Let one incident go on by itself, where it was."""
        return doing.do(
            asked, Act.CONTINUE, incident, lambda parts: _go_on(parts, known(parts, incident), given, asked)
        )

    @router.post("/connections/{connection}/continue", response_model=Continued)
    def continue_connection(connection: Name, given: Why, asked: Asker) -> Any:
        """Let one connection go on by itself, where it was."""
        return doing.do(
            asked, Act.CONTINUE, connection, lambda parts: _go_on(parts, _connection(parts, connection), given, asked)
        )

    @router.post("/incidents/{incident}/gates/{gate}/open", response_model=GateSet)
    def open_gate(incident: Incident, gate: Name, given: Why, asked: Asker) -> Any:
        """Open a gate: what waits for it goes on. Opening `no_legal_hold` lifts a legal hold."""

        def work(parts: Rotator) -> Any:
            return _set_gate(parts, known(parts, incident), gate, given, asked, is_open=True)

        return doing.do(asked, Act.OPEN_GATE, f"{incident} {gate}", work)

    @router.post("/incidents/{incident}/gates/{gate}/close", response_model=GateSet)
    def close_gate(incident: Incident, gate: Name, given: Why, asked: Asker) -> Any:
        """Shut a gate: steps wait for it from now on. Shutting `no_legal_hold` places a legal hold."""

        def work(parts: Rotator) -> Any:
            return _set_gate(parts, known(parts, incident), gate, given, asked, is_open=False)

        return doing.do(asked, Act.CLOSE_GATE, f"{incident} {gate}", work)

    @router.post("/incidents/{incident}/hosts/{host}/isolate", response_model=Isolated)
    def isolate(incident: Incident, host: Name, given: Why, asked: Asker) -> Any:
        """Say that a host is cut off. With the last known foothold, the gate `host_isolated` opens by itself."""

        def work(parts: Rotator) -> Any:
            name = known(parts, incident)
            left = parts.gates.isolate(name, host_name(host), asked.caller.by, given.reason)
            return {"open_footholds": left, **kept_from(parts, name)}

        return doing.do(asked, Act.ISOLATE, f"{incident} {host}", work)

    @router.post("/incidents/{incident}/exposures/{name}/dismiss", response_model=Dismissed)
    def dismiss(incident: Incident, name: Name, given: Dismissal, asked: Asker) -> Any:
        """Leave a credential alone; its issuer is asked where its word counts."""

        def look(parts: Rotator) -> tuple[str, Named, str]:
            of = parts.reading.holding(known(parts, incident), name)
            named = parts.dismissing.named(of, name)
            return of, named, issuers_word.asked(parts, Disposition(given.as_), named)

        def work(parts: Rotator, seen: tuple[str, Named, str]) -> Any:
            of, named, said = seen
            told = parts.dismissing.dismiss(of, named.id, Disposition(given.as_), asked.caller.by, given.reason, said)
            return {"of": named.id, "issuer_says": said, "at_work": told.at_work, "did": list(told.did)}

        return doing.do_after(asked, Act.DISMISS, f"{incident} {name}", look, work)

    @router.post("/incidents/{incident}/exposures/{name}/reopen", response_model=Reopened)
    def reopen(incident: Incident, name: Name, given: Why, asked: Asker) -> Any:
        """Take a dismissal back: its run goes on where it was; what nobody approved yet waits for an approval."""

        def work(parts: Rotator) -> Any:
            of = parts.reading.holding(known(parts, incident), name)
            named = parts.dismissing.named(of, name)
            told = parts.dismissing.reopen(of, named.id, asked.caller.by, given.reason)
            return {"of": named.id, "digest": told.digest, **kept_from(parts, of)}

        return doing.do(asked, Act.REOPEN, f"{incident} {name}", work)

    return router


def _approve(parts: Rotator, incident: str, given: Yes, by: str) -> Any:
    name, why = known(parts, incident), given.reason.strip()
    if given.break_glass != bool(why):
        what = "broken glass needs a reason, and nothing else takes one"
        raise Problem(422, "bad_input", what, where="body.reason")
    scopes = scopes_of(given.scope, parts.settings.policy, glass=given.break_glass)
    parts.approvals.check(name, given.digest, by, scopes, why)
    verb = "destroy" if scopes == {Scope.DESTRUCTION} else "revoke"
    words = confirmation.words_for(parts, parts.approvals.credentials(name, given.digest), verb)
    if words and given.confirm.strip() != words:
        what = "it touches what is to be confirmed word by word"
        raise Problem(HTTPStatus.CONFLICT, "not_confirmed", what, where="body.confirm", mend=words)
    found = parts.approvals.approve(name, given.digest, by, scopes, why)
    told = {"is_new": found.is_new, "begins": found.begins, "destroys": found.destroys}
    return {**told, "wanted": [str(each) for each in found.wanted], **kept_from(parts, name)}


def _stop(parts: Rotator, name: str | None, given: Why, asked: Asked) -> Any:
    stopped, waiting = parts.stops.stop(name, asked.caller.by, given.reason, _connections(parts))
    return {"what": stopped.what, "waiting": waiting, "apart": parts.stops.apart(stopped.name)}


def _go_on(parts: Rotator, name: str | None, given: Why, asked: Asked) -> Any:
    lifted, left = parts.stops.lift(name, asked.caller.by, given.reason, _connections(parts))
    return {"what": lifted.what, "still": [str(each) for each in left]}


def _set_gate(parts: Rotator, incident: str, gate: str, given: Why, asked: Asked, *, is_open: bool) -> Any:
    waited = parts.gates.set(incident, gate, asked.caller.by, given.reason, is_open=is_open)
    told = {"gate": gate, "is_open": is_open, "waiting": waited}
    return {**told, "open_footholds": parts.gates.open_footholds(incident), **kept_from(parts, incident)}


def _connections(parts: Rotator) -> list[str]:
    return [each.name for each in parts.settings.connections]


def _connection(parts: Rotator, name: str) -> str:
    """Return the name of a connection that is configured. Raises Problem for any other, an incident's above all."""
    if name not in _connections(parts):
        raise Problem(HTTPStatus.NOT_FOUND, "no_such_connection", "no connection is called so", where=name)
    return name
