"""What every kind of AWS credential shares: clients made once, calls under one deadline, errors made ours."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
)
from botocore.exceptions import ConnectionError as NeverConnected

from rotator.credential import Secret
from rotator.errors import Rejected, RotatorError, Unavailable, Uncertain
from rotator.ports import CALL_DEADLINE_S, CONNECT_TIMEOUT_S, READ_TIMEOUT_S, Connection

POOL_SIZE = 64
"""More than the threads of one worker, so that none waits for a connection."""

_LATER = {
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottled",
    "RequestThrottledException",
    "RequestLimitExceeded",
    "TooManyRequestsException",
    "SlowDown",
}
_BUSY = {"EntityTemporarilyUnmodifiable", "ConcurrentModification", "ServiceUnavailable", "PriorRequestNotComplete"}
_OURS_REFUSED = {
    "InvalidClientTokenId",
    "UnrecognizedClientException",
    "SignatureDoesNotMatch",
    "ExpiredToken",
    "ExpiredTokenException",
    "AuthFailure",
}
_REASONS = {
    "AccessDenied": "access_denied",
    "AccessDeniedException": "access_denied",
    "LimitExceeded": "quota",
    "LimitExceededException": "quota",
    "NoSuchEntity": "not_found",
    "ResourceNotFoundException": "not_found",
    "InvalidParameterException": "invalid_parameter",
    "ResourceExistsException": "already_exists",
}


@dataclass
class _Clients:
    """The clients made with one state of the rotator's own credential."""

    session: Any
    made: dict[str, Any] = field(default_factory=dict)
    account: str | None = None


class Account:
    """One AWS account, as its connection reaches it. Used by many threads, kept for the process's life."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.region = str(connection.settings.get("region") or "us-east-1")
        self._lock = threading.Lock()
        self._credential: Secret | None = None
        self._clients: _Clients | None = None

    def client(self, service: str) -> Any:
        """Return the one client of a service; a rotated credential of our own brings new ones."""
        clients = self._current()
        if (made := clients.made.get(service)) is not None:
            return made
        with self._lock:
            if service not in clients.made:
                clients.made[service] = clients.session.client(
                    service,
                    region_name=home_region(self.region) if service == "sts" else self.region,
                    endpoint_url=self.connection.endpoint_url,
                    config=Config(
                        connect_timeout=CONNECT_TIMEOUT_S,
                        read_timeout=READ_TIMEOUT_S,
                        # The flow decides when to ask again: the library would repeat CreateAccessKey on a 500.
                        retries={"total_max_attempts": 1, "mode": "standard"},
                        max_pool_connections=POOL_SIZE,
                        user_agent_extra="rotator",
                    ),
                )
            return clients.made[service]

    def own_id(self, exchange: Exchange) -> str:
        """Return the account that our own credential belongs to; asked once for each credential."""
        clients = self._current()
        if clients.account is None:
            clients.account = str(exchange.read("sts", "get_caller_identity")["Account"])
        return clients.account

    def exchange(self) -> Exchange:
        """Begin the calls of one method."""
        return Exchange(self)

    def _current(self) -> _Clients:
        credential = self.connection.credential()
        with self._lock:
            if self._clients is None or credential != self._credential:
                self._clients, self._credential = _Clients(_session(credential)), credential
            return self._clients


class Exchange:
    """The calls of one provider or store method, which share its deadline."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._last_start = time.monotonic() + CALL_DEADLINE_S - CONNECT_TIMEOUT_S - READ_TIMEOUT_S

    def read(self, service: str, operation: str, **parameters: Any) -> Any:
        """Make a call that changes nothing: whatever is lost may be asked again."""
        return self._call(service, operation, parameters, changes=False)

    def change(self, service: str, operation: str, **parameters: Any) -> Any:
        """Make a call that changes something: a lost answer is Uncertain."""
        return self._call(service, operation, parameters, changes=True)

    def _call(self, service: str, operation: str, parameters: dict[str, Any], *, changes: bool) -> Any:
        if time.monotonic() > self._last_start:
            raise Unavailable("out_of_time", f"AWS is slow: {operation} was not begun")
        try:
            return getattr(self._account.client(service), operation)(**parameters)
        except ClientError as error:
            raise refused(error, changes=changes) from None
        except BotoCoreError as error:
            raise lost(error, changes=changes) from None


def refused(error: ClientError, *, changes: bool) -> RotatorError:
    """Return our error for an answer that was an error."""
    said = error.response.get("Error", {})
    code, message = str(said.get("Code", "unknown")), str(said.get("Message", ""))
    about = error.response.get("ResponseMetadata", {})
    status = int(about.get("HTTPStatusCode", 0))
    detail = f"{error.operation_name}: {code}, request {request_id(about)}"
    if later := later_or_none(code, status, dict(about.get("HTTPHeaders", {})), detail):
        return later
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        kind = Uncertain if changes else Unavailable
        return kind("server_error", detail)
    if code in _OURS_REFUSED:
        return Rejected("own_credential_refused", detail)
    reason = _REASONS.get(code, "refused")
    # Only these messages are known to name nothing but principals, actions and users; others may quote a parameter.
    return Rejected(reason, f"{detail}: {message}" if reason in {"access_denied", "quota", "not_found"} else detail)


def later_or_none(code: str, status: int, headers: dict[str, str], detail: str) -> Unavailable | None:
    """Return the error of an issuer that said "later" before it acted, or None when it said something else."""
    if code not in _LATER | _BUSY and status != HTTPStatus.TOO_MANY_REQUESTS:
        return None
    named = headers.get("retry-after", "")
    return Unavailable("busy" if code in _BUSY else "throttled", detail, float(named) if named.isdigit() else None)


def lost(error: BotoCoreError, *, changes: bool) -> RotatorError:
    """Return our error for an exchange that brought no answer."""
    kind = type(error).__name__
    if isinstance(error, NeverConnected):
        return Unavailable("unreachable", kind)
    if isinstance(error, NoCredentialsError | PartialCredentialsError | CredentialRetrievalError):
        return Unavailable("no_own_credential", f"{kind}: name a credential in this connection, or mend the chain")
    if kind.endswith("ValidationError") or kind.startswith(("Invalid", "Unknown")):
        return Rejected("invalid_parameter", kind)
    return Uncertain("answer_lost", kind) if changes else Unavailable("answer_lost", kind)


def request_id(metadata: dict[str, Any]) -> str | None:
    """Return the issuer's own id of a request, which its audit log knows too."""
    found = metadata.get("RequestId") or metadata.get("HTTPHeaders", {}).get("x-amzn-requestid")
    return None if found is None else str(found)


def home_region(region: str) -> str:
    """Return the region in which STS is asked.

    A region that the account has not opted into answers InvalidClientTokenId to every key, living ones too. The
    partitions' first regions cannot be switched off, and hold IAM's own records.
    """
    return region if region.startswith(("cn-", "us-gov-", "us-iso")) else "us-east-1"


def _session(credential: Secret | None) -> Any:
    if credential is None:
        return boto3.Session()
    try:
        fields = json.loads(credential.reveal())
        return boto3.Session(
            aws_access_key_id=fields["aws_access_key_id"],
            aws_secret_access_key=fields["aws_secret_access_key"],
            aws_session_token=fields.get("aws_session_token"),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Rejected(
            "own_credential_unreadable",
            "this connection's credential is a JSON object with aws_access_key_id and aws_secret_access_key",
        ) from None
