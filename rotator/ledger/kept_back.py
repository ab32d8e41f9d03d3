"""What keeps a whole incident back, by a person's word, and must not be left behind where its runs go elsewhere."""

from __future__ import annotations

from sqlalchemy import Connection

from rotator.errors import BadInput
from rotator.flow.playbook_words import Until
from rotator.ledger import destruction, revisions, stops


def refuse_leaving(connection: Connection, incident: str, others: list[str]) -> None:
    """Raise BadInput where what nobody approved of it may go on elsewhere without its legal hold or its stop.

    By a merge its runs move there, or are taken back for one that is there already.
    """
    if not revisions.unapproved(connection, incident):
        return
    for what, command in _of(connection, incident).items():
        other = next((each for each in others if what not in _of(connection, each)), None)
        if other is not None:
            mend = f"{command.format(other)} says it there; or lift it"
            raise BadInput(f"{incident} is under {what}, {other} is not", incident, mend)


def _of(connection: Connection, incident: str) -> dict[str, str]:
    """Return what keeps it back, each with the command that says the same of another."""
    found = {}
    if destruction.is_shut(connection, incident, Until.NO_LEGAL_HOLD):
        found["a legal hold"] = "rotator gate close {} no_legal_hold --reason …"
    if any((each.scope, each.name) == (stops.INCIDENT, incident) for each in stops.find(connection)):
        found["a stop"] = "rotator stop {} --reason …"
    return found
