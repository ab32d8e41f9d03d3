"""What a GitLab tells of what was made since: access tokens, SSH keys and deploy keys, by when, and whose they are.

`created_after` and `created_at`: its pages "Personal access tokens API", "Project access tokens API" and "Group access
tokens API"; keys: "User SSH keys API" and "Deploy keys API". No list names who made an entry; a user's own are the
user's. A project's bot can make no access token ("Project access tokens", "Bot users for projects"), yet deploy keys.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from rotator.errors import Rejected
from rotator.families.gitlab import GitLab
from rotator.ports.listing import Made, MintedSince

MOST = 200
"""How many entries of a list are read: two pages."""
_REST = "what it changed elsewhere: hooks, members, variables (GitLab's audit events tell)"


def of_user(gitlab: GitLab, kind: str, number: str, but: str, since: float) -> MintedSince:
    """Return the user's tokens and SSH keys that were made since."""
    look = _Look(gitlab, since)
    made = [
        Made("an access token", f"{each['id']} of user/{number}", at, kind, f"user/{number}", str(each["id"]))
        for each, at in look.of(f"/personal_access_tokens?user_id={number}&state=active", "its tokens")
        if str(each["id"]) != but
    ]
    made += [
        Made("an SSH key", f"{each.get('title') or each['id']} of user/{number}", at)
        for each, at in look.of(f"/users/{number}/keys", "its SSH keys")
    ]
    return look.told("its user's tokens and SSH keys", made)


def of_place(gitlab: GitLab, kind: str, owner: str, but: str, since: float) -> MintedSince:
    """Return a project's or group's tokens that were made since, and a project's deploy keys: by whom is not told."""
    look, (sort, _, number) = _Look(gitlab, since), owner.partition("/")
    path = f"/{sort}s/{number}"
    made = [
        Made("an access token", f"{each['id']} of {owner}", at, kind, owner, str(each["id"]), sure=False)
        for each, at in look.of(f"{path}/access_tokens?state=active", "its tokens")
        if str(each["id"]) != but
    ]
    if sort == "project":
        made += [
            Made("a deploy key", f"{each.get('title') or each['id']} of {owner}", at, sure=False)
            for each, at in look.of(f"{path}/deploy_keys", "its deploy keys")
        ]
    return look.told(f"the tokens{' and deploy keys' * (sort == 'project')} of its {sort}", made)


class _Look:
    def __init__(self, gitlab: GitLab, since: float) -> None:
        self._gitlab, self._since = gitlab.exchange(), since
        self._ends = [_REST]
        self._heard = False

    def of(self, path: str, called: str) -> Iterator[tuple[Mapping[str, Any], float]]:
        """Yield what a list shows that was made since. Raises what the first list was refused with."""
        if path.startswith("/personal_access_tokens") or "/access_tokens" in path:
            path += f"&created_after={datetime.fromtimestamp(self._since, UTC):%Y-%m-%dT%H:%M:%SZ}"
        try:
            found = list(islice(self._gitlab.listed(path), MOST + 1))
        except Rejected as refusal:
            if not self._heard:
                raise
            self._ends.append(f"{called} ({refusal.reason})")
            return
        self._heard = True
        if len(found) > MOST:
            self._ends.append(f"more than the first {MOST} of {called}")
        for each in found[:MOST]:
            at = _seconds(each.get("created_at"))
            if "id" in each and at is not None and at >= self._since:
                yield each, at

    def told(self, asked: str, made: list[Made]) -> MintedSince:
        return MintedSince(asked, tuple(made), cannot_tell=tuple(self._ends))


def _seconds(text: object) -> float | None:
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
