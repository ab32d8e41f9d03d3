"""Make AWS's answers and botocore's exceptions into our three errors; what may hold material stays behind."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
)
from botocore.exceptions import ConnectionError as NeverConnected

from rotator.errors import Rejected, RotatorError, Unavailable, Uncertain

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
_BUSY = {
    "ConcurrentModification",
    "ConditionalRequestConflict",
    "EntityTemporarilyUnmodifiable",
    "PriorRequestNotComplete",
    "ServiceUnavailable",
}
_OURS_REFUSED = {
    "InvalidClientTokenId",
    "UnrecognizedClientException",
    "SignatureDoesNotMatch",
    "InvalidSignatureException",
    "ExpiredToken",
    "ExpiredTokenException",
    "AuthFailure",
}
_SKEWED = {"RequestExpired", "RequestTimeTooSkewed"}
BY_THE_CLOCK = re.compile("Signature (expired|not yet current)")
"""What AWS says of a signature that is right, at a wrong time."""
_REASONS = {
    "AccessDenied": "access_denied",
    "AccessDeniedException": "access_denied",
    "LimitExceeded": "quota",
    "LimitExceededException": "quota",
    "NoSuchEntity": "not_found",
    "ResourceNotFoundException": "not_found",
    "ParameterNotFound": "not_found",
    "ParameterVersionNotFound": "not_found",
    "InvalidParameterException": "invalid_parameter",
    "ResourceExistsException": "already_exists",
    "ParameterAlreadyExists": "already_exists",
    "PreconditionFailed": "already_exists",
    "NoSuchBucket": "not_found",
    "NoSuchKey": "not_found",
    "NoSuchVersion": "not_found",
}


def unreadable(what: str, *, changes: bool) -> RotatorError:
    """Return our error for an answer that cannot be read; what was asked may have been done."""
    return Uncertain("answer_unreadable", what) if changes else Unavailable("answer_unreadable", what)


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
    if code in _SKEWED or (code in _OURS_REFUSED and BY_THE_CLOCK.search(message)):
        return Unavailable("clock_skewed", f"{detail}: is this machine's clock right?")
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
