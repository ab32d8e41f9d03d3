"""What the doctor looks at of who may send alarms, and of the connections that look at what alarms point to."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from rotator import secret_reference
from rotator.bootstrap import Rotator
from rotator.errors import RotatorError
from rotator.examining.reaching import Asked
from rotator.families import gitguardian, github_alerts, pagerduty
from rotator.flow.playbook_words import meant
from rotator.ports.connection import Connection
from rotator.triggers import generic
from rotator.triggers.message import Refused


def looked_at(parts: Rotator) -> Iterator[tuple[bool, str, str]]:
    """Yield what `rotator doctor` finds of each sender: whether it is well, what it is, and how to mend it."""
    for entry in parts.settings.triggers:
        name, broken = f"trigger {entry.title}", False
        for reference in entry.references:
            try:
                secret = secret_reference.read(reference, parts.settings.folder)
                if entry.sender == "generic":
                    generic.key_of(secret)
            except (RotatorError, Refused) as error:
                broken = True
                yield False, f"{name}: {error}", "until then every message of it is sent away"
        for kind in entry.kinds.values():
            if kind not in parts.playbooks:
                broken = True
                yield False, f"{name}: no kind is called {kind}", meant(kind, list(parts.playbooks))
        if not broken:
            yield True, f"{name}: is let in", ""


def sources(parts: Rotator) -> Iterator[Asked]:
    """Yield what `rotator doctor` asks of the connections that look at what alarms point to: whether each answers."""
    names = {name: each.sender for each in parts.settings.triggers for name in each.fetch or ()}
    for name, sender in names.items():
        yield Asked(f"alarms through {name}", partial(_reached, parts.settings.connection(name), sender))


def _reached(connection: Connection, sender: str) -> str:
    reach = {"github": github_alerts.reach, "gitguardian": gitguardian.reach, "pagerduty": pagerduty.reach}
    reach[sender](connection)
    return "answers (what it may see shows with the first alarm)"
