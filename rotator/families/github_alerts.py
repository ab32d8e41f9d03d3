"""GitHub's alerts, read with a token of the rotator's own.

Source: GitHub Docs, "REST API endpoints for secret scanning", "Get a secret scanning alert" and "List locations for a
secret scanning alert". What a token may not see is a 404, as is what is not there.
"""

from __future__ import annotations

from rotator.families.alarm_source import alarm_source
from rotator.families.github import API, HEADERS, later_of
from rotator.ports.connection import Connection

NEEDS = '"Secret scanning alerts" (read) on the repository, or `repo` or `security_events` of a classic token'
_MOST = 100
"""Places that are asked for: one page."""


def alert(connection: Connection, repository: str, number: str) -> tuple[object, list[object]]:
    """Return an alert, with its secret, and its places. Raises Rejected or Unavailable."""
    with alarm_source(connection, API, _headers, NEEDS, later_of) as github:
        path = f"/repos/{repository}/secret-scanning/alerts/{number}"
        found, places = github.read(path), github.read(f"{path}/locations?per_page={_MOST}")
    return found, places[:_MOST] if isinstance(places, list) else []


def reach(connection: Connection) -> None:
    """Ask by a call that counts against no limit, and tells of no repository. Raises Rejected or Unavailable."""
    with alarm_source(connection, API, _headers, NEEDS, later_of) as github:
        github.read("/rate_limit")


def _headers(token: str) -> dict[str, str]:
    return {**HEADERS, "Authorization": f"Bearer {token}"}
