"""The web on 127.0.0.1, as it serves, with every sender let in."""

from __future__ import annotations

import contextlib
import http.client
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn

from rotator.api import app
from rotator.api.bodies import WITHIN_S
from rotator.api.heads import PromptLine
from rotator.bootstrap import Rotator
from rotator.settings.file import load
from tests.triggers.signing import SHARED, TOPIC, WHSEC, Delivery

EVERYONE = """
data_dir = "data"
[[triggers]]
sender = "github"
secret = "file:shared"
[[triggers]]
sender = "github-partner"
endpoint_url = "{address}/keys"
kinds = {{acme_access = "acme_api_token"}}
[[triggers]]
sender = "gitguardian"
secret = "file:shared"
[[triggers]]
sender = "pagerduty"
secret = "file:shared"
[[triggers]]
sender = "aws-health"
topic = "{topic}"
endpoint_url = "{address}"
[[triggers]]
sender = "generic"
name = "siem"
secret = "file:whsec"
[[triggers]]
sender = "gitlab"
secret = "file:shared"
kinds = {{gitleaks_rule_id_acme = "acme_api_token"}}
"""


@dataclass
class Web:
    """A server of this process, and how it is spoken to."""

    parts: Rotator
    port: int

    def sends(self, delivery: Delivery, method: str = "POST") -> tuple[int, Any, http.client.HTTPMessage]:
        """Send a message; return the status, what the answer says, and its headers."""
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        with contextlib.closing(line):
            line.request(method, delivery.path, delivery.body if method == "POST" else None, delivery.headers)
            answer = line.getresponse()
            said = answer.read()
            return answer.status, json.loads(said) if said else None, answer.headers

    @property
    def metrics(self) -> str:
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        with contextlib.closing(line):
            line.request("GET", "/metrics")
            return line.getresponse().read().decode()

    def counted(self, sender: str, outcome: str) -> int:
        line = f'rotator_triggers_total{{sender="{sender}",outcome="{outcome}"}} '
        found = [each.removeprefix(line) for each in self.metrics.splitlines() if each.startswith(line)]
        return int(found[0]) if found else 0


def configured(folder: Path, address: str, text: str = EVERYONE) -> Path:
    """Write the configuration and the secrets that it refers to."""
    for name, secret in {"shared": SHARED, "whsec": WHSEC}.items():
        (folder / name).write_text(secret)
        (folder / name).chmod(0o600)
    path = folder / "rotator.toml"
    path.write_text(text.format(address=address, topic=TOPIC))
    return path


@contextlib.contextmanager
def web(config: Path, body_within_s: float = WITHIN_S) -> Iterator[Web]:
    parts = Rotator(load(config))
    parts.database  # noqa: B018 - made here, before threads could make it twice
    door = app.listen("127.0.0.1", 0)
    made = app.make(parts, body_within_s)
    server = uvicorn.Server(uvicorn.Config(made, http=PromptLine, log_level="warning", access_log=False))
    thread = threading.Thread(target=server.run, args=([door],), daemon=True)
    thread.start()
    try:
        yield Web(parts, door.getsockname()[1])
    finally:
        server.should_exit = True
        thread.join(30)
        parts.database.close()
