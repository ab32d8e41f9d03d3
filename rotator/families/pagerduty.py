"""PagerDuty's incidents, read with an API key of the rotator's own: what the monitoring wrote into its alerts.

    endpoint_url = "https://api.eu.pagerduty.com"     # absent: api.pagerduty.com

Source: PagerDuty's API reference, "Get an incident" and "List alerts for an incident" (scope `incidents.read`), and
"Authentication": `Authorization: Token token=KEY`, version 2 in `Accept`.
"""

from __future__ import annotations

from rotator.families.alarm_source import alarm_source
from rotator.ports.connection import Connection

FAMILY = "pagerduty"
SETTINGS = frozenset({"ca_file"})
"""Keys of `[[connections]]` that this family alone knows."""
API = "https://api.pagerduty.com"
NEEDS = "the right to read incidents (`incidents.read`)"
MOST = 100
"""Alerts that are asked for: one page."""


def incident(connection: Connection, number: str) -> tuple[object, object]:
    """Return an incident, and its first alerts. Raises Rejected or Unavailable."""
    with alarm_source(connection, API, _headers, NEEDS) as pagerduty:
        found = pagerduty.read(f"/incidents/{number}?include[]=first_trigger_log_entries")
        return found, pagerduty.read(f"/incidents/{number}/alerts?limit={MOST}")


def reach(connection: Connection) -> None:
    """Ask for one incident, whichever. Raises Rejected or Unavailable."""
    with alarm_source(connection, API, _headers, NEEDS) as pagerduty:
        pagerduty.read("/incidents?limit=1")


def _headers(token: str) -> dict[str, str]:
    version = {"Accept": "application/vnd.pagerduty+json;version=2", "User-Agent": "rotator"}
    return {**version, "Authorization": f"Token token={token}"}
