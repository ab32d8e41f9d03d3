"""Google's own client for Secret Manager, over REST, with our connection's credential, deadlines and three errors."""

from __future__ import annotations

import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from google.api_core.exceptions import GoogleAPIError
from google.auth.credentials import Credentials
from google.cloud.secretmanager_v1 import SecretManagerServiceClient
from google.cloud.secretmanager_v1.services.secret_manager_service.transports import SecretManagerServiceRestTransport

from rotator.errors import RotatorError, Unavailable, Uncertain, asking
from rotator.families.gcp import Project, refused
from rotator.families.http_wire import Reply
from rotator.families.punctual_answers import let_end_in_time
from rotator.ports.connection import CALL_DEADLINE_S, Connection

_TIMEOUT_S = 10.0
"""Of connecting, and again of each wait for an answer: the client takes one number for both."""
_NEVER_SENT = ("NewConnectionError", "ConnectTimeoutError", "NameResolutionError")


class SecretManager:
    """One project's secrets, through one client. Safe for many threads at once."""

    def __init__(self, connection: Connection) -> None:
        self.project = Project(connection)
        address = urlsplit(self.project.address("secretmanager"))
        transport = SecretManagerServiceRestTransport(
            host=address.netloc, url_scheme=address.scheme, credentials=_Ours(self.project)
        )
        session: Any = transport._session  # noqa: SLF001 - the client has no other way to say so
        session.trust_env = False  # a proxy of the environment would see the secrets
        if ca_file := connection.settings.get("ca_file"):
            session.verify = str(ca_file)
        for adapter in session.adapters.values():
            let_end_in_time(adapter.poolmanager)
        self.client = SecretManagerServiceClient(transport=transport)

    def exchange(self) -> Exchange:
        """Begin the calls of one method."""
        return Exchange(self.client)


class Exchange:
    """The calls of one method, which share its deadline."""

    def __init__(self, client: SecretManagerServiceClient) -> None:
        self._client = client
        self._last_start = time.monotonic() + CALL_DEADLINE_S - 2 * _TIMEOUT_S

    def read(self, operation: str, **request: Any) -> Any:
        """Make a call that changes nothing: whatever is lost may be asked again."""
        with asking():
            return self.change(operation, **request)

    def change(self, operation: str, **request: Any) -> Any:
        """Make a call that changes something: a lost answer is Uncertain."""
        if time.monotonic() > self._last_start:
            raise Unavailable("out_of_time", f"Google is slow: {operation} was not begun")
        try:
            return getattr(self._client, operation)(request=request, retry=None, timeout=_TIMEOUT_S)
        except GoogleAPIError as error:
            raise _refused(error, operation) from None
        except OSError as error:  # what the client's HTTP library raises
            if _never_sent(error):
                raise Unavailable("unreachable", "Secret Manager") from None
            raise Uncertain("answer_lost", operation) from None


class _Ours(Credentials):
    """The connection's own token, fetched where it is needed."""

    def __init__(self, project: Project) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # the library is untyped in part
        self._project = project

    def before_request(self, request: Any, method: str, url: str, headers: Any) -> None:  # noqa: ARG002 - its signature
        headers["authorization"] = f"Bearer {self._project.token().reveal()}"

    def refresh(self, request: Any) -> None:  # noqa: ARG002 - its signature
        self._project.forget()


def _refused(error: GoogleAPIError, operation: str) -> RotatorError:
    response = getattr(error, "response", None)
    status = int(getattr(error, "code", None) or HTTPStatus.INTERNAL_SERVER_ERROR)
    content: object = None
    headers: Mapping[str, str] = {}
    if response is not None:
        headers = response.headers
        try:
            content = response.json()
        except ValueError:
            content = None
    named = headers.get("Retry-After", "")
    return refused(Reply(status, content, operation, float(named) if named.isdigit() else None))


def _never_sent(error: OSError) -> bool:
    cause = error.args[0] if error.args else None
    reason = getattr(cause, "reason", cause)
    return type(reason).__name__ in _NEVER_SENT
