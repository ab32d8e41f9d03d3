"""A fake of the services that alarms only point to: GitHub's alerts, GitGuardian's and PagerDuty's incidents.

    GET /repos/OWNER/REPO/secret-scanning/alerts/N             200 {number, secret_type, secret, html_url, ...}, 404
    GET /repos/OWNER/REPO/secret-scanning/alerts/N/locations   200 [{type, details}]
    GET /v1/incidents/secrets/N?with_occurrences=20            200 {id, occurrences: [...]}, no secret; 403, 404
    GET /incidents/ID                                          200 {incident: {id, body, first_trigger_log_entry}}, 404
    GET /incidents/ID/alerts                                   200 {alerts: [{id, body: {details}}]}

From GitHub Docs "REST API endpoints for secret scanning", GitGuardian's API reference "Retrieve a secret incident", and
PagerDuty's API reference "List alerts for an incident" and "Get an incident". What else is asked of `api.github.com` a
`GitHubServer` answers.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.github_server import GitHubServer
from tests.fakes.http_server import Request, listening

OWN = "own-token-of-the-rotator"
_SHOWN = {f"Bearer {OWN}", f"Token {OWN}", f"Token token={OWN}"}


@dataclass
class AlarmSources:
    """What each path answers, as its owner set it; `asked` are the paths, in order."""

    address: str = ""
    github: GitHubServer = field(default_factory=GitHubServer)
    answers: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    status: int = 200

    def alert(self, secret: str | None, repository: str = "octo-org/payments", number: int = 42, **more: Any) -> None:
        """Let GitHub know an alert, found at two places."""
        path = f"/repos/{repository}/secret-scanning/alerts/{number}"
        page = f"https://github.com/{repository}/security/secret-scanning/{number}"
        told = {"number": number, "html_url": page, "secret_type": "github_personal_access_token", "state": "open"}
        self.answers[path] = {**told, "validity": "active", **({} if secret is None else {"secret": secret}), **more}
        commit = {"path": f"deploy/{secret}.env", "start_line": 3, "end_line": 3, "commit_sha": "f" * 40}
        issue = {"issue_body_url": f"{self.address}/repos/{repository}/issues/7"}
        listed = [{"type": "commit", "details": commit}, {"type": "issue_body", "details": issue}]
        self.answers[f"{path}/locations"] = listed


@contextlib.contextmanager
def alarm_sources() -> Iterator[AlarmSources]:
    """Run a fake on a free port."""
    sources = AlarmSources()

    class Asked(Request):
        def answered(self, _sent: bytes) -> None:
            path, shown = self.path.partition("?")[0], self.headers.get("Authorization", "")
            if path in {"/user", "/rate_limit"}:
                bearer = shown.removeprefix("Bearer ") or None
                status, said, headers = sources.github.answer(f"{self.command} {path}", bearer, None)
                self.reply(status, json.dumps(said).encode(), headers)
                return
            sources.asked.append(path)
            error = {
                "message": "Not Found",
                "documentation_url": "/rest",
                "detail": "Not found.",
                "error": {"code": 2100},
            }
            if shown not in _SHOWN:
                self.reply(401, json.dumps({**error, "message": "Bad credentials"}).encode())
            elif sources.status != 200 or path not in sources.answers:
                self.reply(404 if sources.status == 200 else sources.status, json.dumps(error).encode())
            else:
                said = sources.answers[path]
                self.reply(200, said if isinstance(said, bytes) else json.dumps(said).encode())

    with listening(Asked) as sources.address:
        yield sources
