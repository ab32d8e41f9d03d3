"""A fake of the incoming webhooks of Slack and Discord, of what is published of their answers. Ours, never theirs.

    POST   /services/T…/B…/TOKEN         400 no_text for {"text": ""}, 404 no_service, 403 invalid_token: plain text
    GET    /api/webhooks/ID/TOKEN        200 {id, guild_id}, 404 {code: 10015}, 401 {code: 50027}
    DELETE /api/webhooks/ID/TOKEN        204, and the same refusals

Not documented, and chosen here: that Slack says invalid_token where only the last part of an address is wrong. Whatever
is posted stands in `posted`.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import string
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

from rotator.credential import Secret
from tests.fakes.http_server import Request, listening

_LETTERS = string.ascii_letters + string.digits


def _drawn(letters: str, count: int) -> str:
    return "".join(secrets.choice(letters) for _ in range(count))


@dataclass
class FakeWebhooks:
    """Webhooks by what stands before the token in their path."""

    address: str = ""
    held: dict[str, str] = field(default_factory=dict)
    posted: list[str] = field(default_factory=list)
    said: tuple[int, str] | None = None
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def slack(self, workspace: str) -> tuple[str, Secret]:
        """Make one of Slack; return its id and its address."""
        named = f"{workspace}/B{_drawn(string.ascii_uppercase, 10)}"
        return named, self._made("hooks.slack.com", f"/services/{named}", 24)

    def discord(self) -> tuple[str, Secret]:
        """Make one of Discord; return its id and its address."""
        named = f"1{_drawn(string.digits, 18)}"
        return named, self._made("discord.com", f"/api/webhooks/{named}", 68)

    def remove(self, named: str) -> None:
        """Take one away, as a person does on the service's page."""
        with self._lock:
            self.held = {path: token for path, token in self.held.items() if not path.endswith(f"/{named}")}

    def answer(self, method: str, path: str, body: str) -> tuple[int, str]:
        with self._lock:
            before, _, token = path.rpartition("/")
            known, slack = self.held.get(before), before.startswith("/services/")
            if self.said is not None:
                return self.said
            if known is None:
                return 404, "no_service" if slack else json.dumps({"message": "Unknown Webhook", "code": 10015})
            if known != token:
                words = json.dumps({"message": "Invalid Webhook Token", "code": 50027})
                return (403, "invalid_token") if slack else (401, words)
            if slack:
                return self._post(body)
            if method == "DELETE":
                del self.held[before]
                return 204, ""
            return 200, json.dumps({"id": before.rpartition("/")[2], "type": 1, "guild_id": "199737254929760256"})

    def _post(self, body: str) -> tuple[int, str]:
        if not json.loads(body).get("text"):
            return 400, "no_text"
        self.posted.append(body)
        return 200, "ok"

    def _made(self, host: str, path: str, letters: int) -> Secret:
        with self._lock:
            self.held[path] = _drawn(_LETTERS, letters)
            return Secret(f"https://{host}{path}/{self.held[path]}")


@contextlib.contextmanager
def fake_webhooks() -> Iterator[FakeWebhooks]:
    """Serve until the block ends."""
    hooks = FakeWebhooks()

    class Asked(Request):
        def answered(self, sent: bytes) -> None:
            status, words = hooks.answer(self.command, self.path, sent.decode())
            self.reply(status, words.encode())

    with listening(Asked) as hooks.address:
        yield hooks
