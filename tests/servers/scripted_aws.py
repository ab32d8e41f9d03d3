"""An AWS endpoint that answers as told: for what the emulators never say (throttling, lost answers, wrong clocks)."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import parse_qs

from tests.fakes.http_server import Request, listening


@dataclass
class Answer:
    """One answer; a status of 0 closes the connection without a word."""

    status: int
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class ScriptedAws:
    """Where it listens, what it will answer to each action, and which actions it was asked for."""

    endpoint_url: str
    script: dict[str, Answer] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)


def error(code: str, message: str = "said so") -> str:
    """Return the body of a query service's error."""
    return f"<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"


@contextlib.contextmanager
def scripted_aws() -> Iterator[ScriptedAws]:
    """Serve until the block ends."""

    class Asked(Request):
        def answered(self, sent):
            asked = {name: values[0] for name, values in parse_qs(sent.decode()).items()}
            asked.setdefault("Action", self.headers.get("X-Amz-Target", "").rpartition(".")[2])
            state.asked.append(asked)
            answer = state.script[asked["Action"]]
            if answer.status:
                number = {} if answer.body.startswith("<html") else {"x-amzn-RequestId": "r-1"}
                self.reply(
                    answer.status,
                    answer.body.encode(),
                    {"Content-Type": "text/xml", "Connection": "close", **number, **answer.headers},
                )
            self.close_connection = True

    with listening(Asked) as address:
        state = ScriptedAws(address)
        yield state
