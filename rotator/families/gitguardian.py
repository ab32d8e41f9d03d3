"""GitGuardian's incidents, read with an API key of the rotator's own: where a secret was seen, and never the secret.

    endpoint_url = "https://api.eu1.gitguardian.com"     # absent: api.gitguardian.com

Source: GitGuardian's API reference, "Retrieve a secret incident" (scope `incidents:read`): it has `secret_hash`,
`hmsl_hash`, and of each of its `occurrences` `source`, `filepath`, `sha`, `url`, and the offsets of its `matches`.
"""

from __future__ import annotations

from rotator.families.alarm_source import alarm_source
from rotator.ports.connection import Connection

FAMILY = "gitguardian"
SETTINGS = frozenset({"ca_file"})
"""Keys of `[[connections]]` that this family alone knows."""
API = "https://api.gitguardian.com"
NEEDS = "the scope `incidents:read`"
_MOST = 20


def incident(connection: Connection, number: str) -> object:
    """Return an incident with its first occurrences. Raises Rejected or Unavailable."""
    with alarm_source(connection, API, _headers, NEEDS) as gitguardian:
        return gitguardian.read(f"/v1/incidents/secrets/{number}?with_occurrences={_MOST}")


def reach(connection: Connection) -> None:
    """Ask whether the key is valid ("/v1/health" of the same reference). Raises Rejected or Unavailable."""
    with alarm_source(connection, API, _headers, NEEDS) as gitguardian:
        gitguardian.read("/v1/health")


def _headers(token: str) -> dict[str, str]:
    return {"Accept": "application/json", "User-Agent": "rotator", "Authorization": f"Token {token}"}
