"""What keeps the evidence of an incident from being deleted, however old it is: the first reason of several."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, select

from rotator.flow.playbook_words import Until
from rotator.flow.run import BranchState
from rotator.ledger import tables
from rotator.ledger.feed import Feed
from rotator.ledger.told import WAITING

_branch, _checkpoint, _gate, _message = tables.branch, tables.checkpoint, tables.gate, tables.message
_run, _siem, _watched, _witness = tables.run, tables.siem, tables.watched, tables.witness


@dataclass(frozen=True, slots=True)
class Outside:
    """Who else must have what is deleted: the addresses of keepers, and the names of channels to SIEMs."""

    keepers: Sequence[str] = ()
    channels: Sequence[str] = ()


def why(
    connection: Connection, grown: Iterable[str], feed: Feed, outside: Outside, origins: Mapping[str, str]
) -> dict[str, str]:
    """Return why what is kept is kept, by the incident into which others were merged, as `origins` says.

    `grown` are the chains of which something is not signed yet.
    """
    found: dict[str, str] = {}

    def keep(incidents: set[str], reason: str) -> None:
        for each in incidents & origins.keys():
            found.setdefault(origins[each], reason)

    held = select(_gate.c.incident).where(_gate.c.name == Until.NO_LEGAL_HOLD.value, _gate.c.open == 0)
    keep(_names(connection, held), "it is under legal hold")
    looked_at = (
        select(_run.c.incident).join(_watched, _watched.c.run == _run.c.id).where(_watched.c.due_at.is_not(None))
    )
    keep(_names(connection, looked_at), "what is dead of it is still looked at again")
    keep(undone(connection), "something of it is not done: a step, or a destruction, is still to come")
    waiting = select(_message.c.incident).where(_message.c.state == WAITING)
    keep(_names(connection, waiting), "a message of it is not sent yet")
    keep({_origin(each) for each in grown}, "a record of it is not signed yet")
    for name in outside.keepers:
        keep(_unkept(connection, name), f"the keeper {name} does not have it yet")
    for name in outside.channels:
        keep(_unsent(connection, feed, name), f"the SIEM channel {name} does not have it yet")
    return found


def undone(connection: Connection) -> set[str]:
    """Return the incidents of which a branch is not done; what was dismissed is never done, and that is right."""
    open_ = select(_branch.c.incident).join(_run, _run.c.id == _branch.c.run)
    return _names(connection, open_.where(_branch.c.state != BranchState.DONE.value, _run.c.dismissed.is_(None)))


def tasks(connection: Connection) -> set[str]:
    """Return the incidents in which a person still has something to do."""
    manual = tables.manual
    return _names(connection, select(manual.c.incident).where(manual.c.dismissed.is_(None)))


def _names(connection: Connection, query: Select[Any]) -> set[str]:
    return set(connection.execute(query.distinct()).scalars())


def _unkept(connection: Connection, keeper: str) -> set[str]:
    """Return the incidents of which a keeper lacks what was signed last."""
    until = connection.execute(select(_witness.c.number).where(_witness.c.name == keeper)).scalar() or 0
    bodies = connection.execute(select(_checkpoint.c.body).where(_checkpoint.c.number > until)).scalars()
    return {_origin(name) for body in bodies for name, _, _ in json.loads(body)["chains"]}


def _unsent(connection: Connection, feed: Feed, channel: str) -> set[str]:
    """Return the incidents of which a record stands behind a channel's place; one that has not begun wants none."""
    cursor = connection.execute(select(_siem.c.cursor).where(_siem.c.name == channel)).scalar()
    return set() if cursor is None else {_origin(each) for each in feed.chains_behind(connection, cursor)}


def _origin(chain: str) -> str:
    return chain.partition(".")[0]
