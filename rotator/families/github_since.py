"""What GitHub tells of what a user added since: deploy keys by name, webhooks by time alone.

A deploy key has `added_by` and `created_at` ("REST API endpoints for deploy keys"), a repository's webhook `created_at`
and nobody's name ("REST API endpoints for repository webhooks"). A user's own keys, tokens and grants are shown to that
user alone. GitHub deletes a deploy key with the personal access token that made it, and not where an app did.

The rotator's own token must see the repositories: administration, and for webhooks `read:repo_hook`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from rotator.errors import Rejected
from rotator.ports.connection import CALL_DEADLINE_S
from rotator.ports.listing import Made, MintedSince

if TYPE_CHECKING:
    # It needs the library for SSH keys, and tokens do not.
    from rotator.families.github_keys import GitHubKeys

REPOSITORIES = 50
"""How many are looked through, those that were pushed to last first."""
_DEPLOY_KEY = "github_deploy_key"
_REST = "the keys, tokens and grants of its user (GitHub's audit log tells: --access)"


def added_since(github: GitHubKeys, login: str, since: float) -> MintedSince:
    """Return what the user added to the repositories that our own token administers, and webhooks that somebody did."""
    until = time.monotonic() + CALL_DEADLINE_S
    ends, made, looked = [_REST], list[Made](), 0
    found = list(islice(_administered(github), REPOSITORIES + 1))
    for name in found[:REPOSITORIES]:
        if time.monotonic() > until:
            break
        looked += 1
        made += _keys(github, name, login, since)
        try:
            made += _hooks(github, name, since)
        except Rejected as refusal:
            ends.append(f"webhooks of what our own token may not see ({refusal.reason})")
    if looked < len(found):
        ends.append(f"more than {looked} repositories")
    asked = f"deploy keys and webhooks of {looked} repositories"
    return MintedSince(asked, tuple(made), cannot_tell=tuple(dict.fromkeys(ends)))


def _administered(github: GitHubKeys) -> Iterator[str]:
    for each in github.listed("/user/repos?sort=pushed"):
        may, name = each.get("permissions"), each.get("full_name")
        if isinstance(may, Mapping) and may.get("admin") and isinstance(name, str):
            yield name


def _keys(github: GitHubKeys, name: str, login: str, since: float) -> Iterator[Made]:
    for fingerprint, each in github.keys(f"/repos/{name}/keys").items():
        at, by = _seconds(each), each.get("added_by")
        if at is not None and at >= since and by in {login, None}:
            yield Made(
                "a deploy key", f"{fingerprint} of {name}", at, _DEPLOY_KEY, name, fingerprint, sure=by is not None
            )


def _hooks(github: GitHubKeys, name: str, since: float) -> Iterator[Made]:
    for each in github.listed(f"/repos/{name}/hooks"):
        at = _seconds(each)
        if at is not None and at >= since:
            yield Made("a webhook", f"{each.get('id')} of {name}", at, sure=False)


def _seconds(shown: Mapping[str, Any]) -> float | None:
    try:
        return datetime.fromisoformat(str(shown.get("created_at"))).timestamp()
    except ValueError:
        return None
