"""The other side of notices: a webhook as Slack has them, and a mail server with STARTTLS and a login."""

from __future__ import annotations

import contextlib
import email
import json
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import Message
from email.policy import default
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from tests.fakes.http_server import Request, listening
from tests.fakes.kubernetes_authority import Authority

PATH = "/services/T0CANARY00/B0CANARY00/canarycanarycanarycanary"
USER, PASSWORD = "rotator", "canary-mail-password-9"


@dataclass
class FakeSlack:
    """What it was posted, and what it answers: the first of `answers`, else 200; nothing before `goes_on` is set."""

    url: str = ""
    posted: list[dict[str, Any]] = field(default_factory=list)
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    goes_on: threading.Event = field(default_factory=threading.Event)
    came: threading.Event = field(default_factory=threading.Event)
    took: threading.Event = field(default_factory=threading.Event)

    @property
    def texts(self) -> list[str]:
        return [each["text"] for each in self.posted]


@contextlib.contextmanager
def slack() -> Iterator[FakeSlack]:
    """Run a webhook; it goes on at once unless `goes_on` is cleared."""
    fake = FakeSlack()
    fake.goes_on.set()

    class Hook(Request):
        def answered(self, sent: bytes) -> None:
            fake.came.set()
            fake.goes_on.wait(30)
            body = json.loads(sent)
            if self.path != PATH:
                self.reply(404, b"no_service")
            elif fake.answers:
                status, headers = fake.answers.pop(0)
                self.reply(status, b"said", headers)
            elif not body.get("text"):
                self.reply(400, b"no_text")
            else:
                fake.posted.append(body)
                self.reply(200, b"ok")
                fake.took.set()

    with listening(Hook) as address:
        fake.url = f"{address}{PATH}"
        yield fake
        fake.goes_on.set()


@dataclass
class FakeMail:
    """Who listens where, and what it was handed: (recipients, message). `refuses` is said once to a mail's content.

    `full` are recipients that it takes nothing for now, `gone` those it never will; `leave` is its answer to a QUIT.
    """

    port: int = 0
    ca_file: Path = field(default_factory=Path)
    taken: list[tuple[list[str], Message]] = field(default_factory=list)
    refuses: list[str] = field(default_factory=list)
    logins: list[bool] = field(default_factory=list)
    full: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    leave: str = "221 bye"


@contextlib.contextmanager
def mail_server(folder: Path) -> Iterator[FakeMail]:
    """Run a mail server that lets in only who came by STARTTLS and knows the password."""
    fake, authority = FakeMail(ca_file=folder / "ca.pem"), Authority()
    fake.ca_file.write_bytes(authority.pem)
    (folder / "server.pem").write_bytes(authority.server("127.0.0.1"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")

    class Taker:
        async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, to: str, _options: Any) -> str:  # noqa: N802
            if to in fake.full:
                return "450 later"
            if to in fake.gone:
                return "550 nobody"
            envelope.rcpt_tos.append(to)
            return "250 well"

        async def handle_QUIT(self, _server: Any, _session: Any, _envelope: Any) -> str:  # noqa: N802
            return fake.leave

        async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's words
            if fake.refuses:
                return fake.refuses.pop(0)
            fake.taken.append((envelope.rcpt_tos, email.message_from_bytes(envelope.content, policy=default)))
            return "250 taken"

    def known(_server: Any, _session: Any, _envelope: Any, _mechanism: str, given: Any) -> AuthResult:
        is_he = (given.login, given.password) == (USER.encode(), PASSWORD.encode())
        fake.logins.append(is_he)
        return AuthResult(success=is_he, handled=False)

    how = {"tls_context": context, "require_starttls": True, "authenticator": known, "auth_required": True}
    controller = _OnAFreePort(Taker(), hostname="127.0.0.1", port=0, **how)
    controller.start()
    fake.port = controller.port
    try:
        yield fake
    finally:
        controller.stop()


class _OnAFreePort(Controller):
    """A server that knows its port once it has one."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()
