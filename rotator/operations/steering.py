"""Stop and let go on; gates and hosts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rotator.bootstrap import Rotator
from rotator.flow.scope import host_name
from rotator.ledger import health
from rotator.operations.operation import Answer, at, segment
from rotator.operations.waiting import kept_from

_OF_AN_INCIDENT = "inc-"


def _of_what(verb: str) -> Callable[[Mapping[str, Any]], str]:
    def path(given: Mapping[str, Any]) -> str:
        name = given["name"]
        if name is None:
            return f"/{verb}"
        return f"/{'incidents' if name.startswith(_OF_AN_INCIDENT) else 'connections'}/{segment(name)}/{verb}"

    return path


@at(_of_what("stop"))
def stop(parts: Rotator, by: str, name: str | None, reason: str) -> Answer:
    """Start no more calls: of an incident, of a connection, or, with no name, of anything."""
    stopped, waiting = parts.stops.stop(name, by, reason, connections(parts))
    told = {"what": stopped.what, "waiting": waiting, "lifted_by": stopped.lifted_by}
    return {**told, "apart": parts.stops.apart(stopped.name)}


@at(_of_what("continue"))
def go_on(parts: Rotator, by: str, name: str | None, reason: str) -> Answer:
    """Let what was stopped go on by itself."""
    lifted, left = parts.stops.lift(name, by, reason, connections(parts))
    told = {"what": lifted.what, "still": [str(each) for each in left]}
    return {**told, "sealed_by_another": health.sealed_by_another(parts.database, parts.seal)}


@at("/incidents/{incident}/gates/{gate}/open")
def open_gate(parts: Rotator, by: str, incident: str, gate: str, reason: str) -> Answer:
    """Open a gate: what waits for it goes on."""
    return _set_gate(parts, by, incident, gate, reason, is_open=True)


@at("/incidents/{incident}/gates/{gate}/close")
def close_gate(parts: Rotator, by: str, incident: str, gate: str, reason: str) -> Answer:
    """Shut a gate: steps wait for it from now on."""
    return _set_gate(parts, by, incident, gate, reason, is_open=False)


def _set_gate(parts: Rotator, by: str, incident: str, gate: str, reason: str, *, is_open: bool) -> Answer:
    waited = parts.gates.set(incident, gate, by, reason, is_open=is_open)
    told = {"gate": gate, "is_open": is_open, "waiting": waited, "apart": parts.stops.apart(incident)}
    return {**told, "open_footholds": parts.gates.open_footholds(incident), **kept_from(parts, incident)}


@at("/incidents/{incident}/hosts/{host}/isolate")
def isolate(parts: Rotator, by: str, incident: str, host: str, reason: str) -> Answer:
    """Say that a host is cut off."""
    left = parts.gates.isolate(incident, host_name(host), by, reason)
    return {"open_footholds": left, **kept_from(parts, incident)}


def connections(parts: Rotator) -> list[str]:
    """Return the names of the configured connections."""
    return [each.name for each in parts.settings.connections]
