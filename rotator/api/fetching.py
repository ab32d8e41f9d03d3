"""Fetch what an alarm only points to, before its plan is made: by the connections that `fetch` of its trigger names.

Each asks its own server, and nothing that a message holds is ever an address. What comes is as little believed as the
message: its forms are looked at, and its material is cleaned out of all that people read. It goes into the incident and
nowhere else: an alarm that must wait fetches it anew. Where nobody may have it, the task for a person stays.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, replace

from rotator.bootstrap import Rotator
from rotator.errors import Rejected, RotatorError, Unavailable
from rotator.families import gitguardian, github_alerts, pagerduty
from rotator.flow.exposure import Exposure
from rotator.intake.fields import mapping
from rotator.ledger.triggers import Taken
from rotator.ports.connection import Connection
from rotator.triggers import gitguardian as gitguardian_messages
from rotator.triggers import github_alert, keeping
from rotator.triggers import pagerduty as pagerduty_messages
from rotator.triggers.message import Missing, Trigger

log = logging.getLogger("rotator")

PATIENCE = 3
"""How often an alarm waits for a service that cannot be reached: some minutes. Then its plan is made without."""


@dataclass(frozen=True, slots=True)
class Found:
    """What was fetched, and the task that is left."""

    exposures: tuple[Exposure, ...] = ()
    missing: tuple[Missing, ...] = ()


def completed(parts: Rotator, taken: Taken) -> Trigger:
    """Return an alarm with what it names, or points to and could be fetched, and what is left to a person.

    Raises Unavailable where a service did not answer and the alarm may wait for it.
    """
    exposures, missing = parts.triggers.contents(taken)
    if taken.sender not in POINTING:
        return Trigger(taken.title, exposures=exposures, missing=missing)
    names = next((each.fetch for each in parts.settings.triggers if each.title == taken.sender), None) or ()
    ways = [parts.settings.connection(each) for each in names]
    known = frozenset(each.id for each in parts.inventory.known()) if ways else frozenset()
    found = [_fetched(taken, ways, each, known) for each in missing]
    whole = Trigger(
        taken.title,
        exposures=(*exposures, *(one for each in found for one in each.exposures)),
        missing=tuple(one for each in found for one in each.missing),
    )
    return keeping.without_secrets(whole)


def _fetched(taken: Taken, ways: list[Connection], missing: Missing, known: Container[str]) -> Found:
    read, needs = _READERS[taken.sender]
    refused, silent = [], None
    for connection in ways:
        try:
            return read(connection, missing, known)
        except Unavailable as error:
            silent = Unavailable(error.reason, f"asking {connection.name}; {error.detail}".removesuffix("; "))
            refused.append(f"{connection.name}: {error}")
        except RotatorError as error:
            refused.append(f"{connection.name}: {error}")
        except Exception as error:  # noqa: BLE001 - what came may be of any form, and its words may hold material
            log.error("fetch_failed: %s: %s", connection.name, type(error).__name__)  # noqa: TRY400 - likewise
            refused.append(f"{connection.name}: an answer that nobody foresaw")
    if silent is not None and taken.attempts < PATIENCE:
        raise silent
    why = "; ".join(refused) or f"Nobody may fetch it: name a connection in `fetch` of the trigger; it needs {needs}"
    return Found(missing=(replace(missing, reason=f"{missing.reason}. {why}"),))


def _github(connection: Connection, missing: Missing, _known: Container[str]) -> Found:
    repository, number = github_alert.named(missing) or ("", "")
    if not repository:
        raise Rejected("unreadable", "the alert's repository has no such name")
    owner = repository.partition("/")[0]
    if connection.account and connection.account.lower() != owner.lower():
        raise Rejected("not_this_account", f"it is for {connection.account}")
    exposures = github_alert.exposures(missing, *github_alerts.alert(connection, repository, number))
    if not exposures:
        raise Rejected("no_secret", "what it answers is another alert, or holds no secret")
    return Found(exposures)


def _gitguardian(connection: Connection, missing: Missing, _known: Container[str]) -> Found:
    if not (missing.key.isascii() and missing.key.isdecimal()):
        raise Rejected("unreadable", "the incident has no such number")
    return Found(missing=(gitguardian_messages.located(missing, gitguardian.incident(connection, missing.key)),))


def _pagerduty(connection: Connection, missing: Missing, known: Container[str]) -> Found:
    number = pagerduty_messages.number_of(missing)
    if number is None:
        raise Rejected("unreadable", "the incident has no such id")
    incident, alerts = pagerduty.incident(connection, number)
    exposures, left = pagerduty_messages.named(missing, incident, alerts, known)
    if mapping(alerts).get("more"):
        most = pagerduty.MOST
        more = f"it has more than {most} alerts: the first {most} were read, the others nobody has looked at"
        left = replace(left, reason=f"{left.reason}; {more}")
    return Found(exposures, (left,))


_READERS: Mapping[str, tuple[Callable[[Connection, Missing, Container[str]], Found], str]] = {
    "github": (_github, github_alerts.NEEDS),
    "gitguardian": (_gitguardian, gitguardian.NEEDS),
    "pagerduty": (_pagerduty, pagerduty.NEEDS),
}
POINTING = frozenset(_READERS)
"""Senders whose alarms only point to what leaked."""
