"""Ask AWS as a stolen session: whose it is, and whether its principal's policies still let it do anything."""

from __future__ import annotations

import json
import re
from http import HTTPStatus

from botocore.awsrequest import AWSResponse
from botocore.credentials import Credentials

from rotator.errors import Rejected, Unavailable
from rotator.families.aws import Account
from rotator.families.aws_errors import BY_THE_CLOCK, later_or_none
from rotator.families.aws_knock import FORM, WHO_AM_I, Door
from rotator.ports.provider import Answer, Verdict

_CODE = re.compile(rb"<Code>([A-Za-z0-9.]{1,80})</Code>")
_ACCOUNT = re.compile(rb"<Account>([0-9]{12})</Account>")
_ARN = re.compile(rb"<Arn>([^<]{1,2048})</Arn>")

_EXPLICIT = re.compile("with an explicit deny in an? ([a-z -]+) policy")
_IMPLICIT = re.compile("because no [a-z -]+ policy allows")
"""How AWS words its two denials: IAM user guide, "Troubleshoot access denied error messages"."""

_PROBE = {"X-Amz-Target": "DynamoDB_20120810.DescribeLimits", "Content-Type": "application/x-amz-json-1.0"}
"""Tells the account's own quotas and nothing else. Not of IAM or STS: a session of a user may call neither."""


class Identity:
    """Whose a session is."""

    def __init__(self, account: Account) -> None:
        self._sts = Door(account, "sts")

    def of(self, session: Credentials) -> tuple[str, str]:
        """Return its account and ARN.

        Raises Rejected("expired") or Rejected("unknown_credential").
        """
        response = self._sts.ask(session, WHO_AM_I, FORM)
        account, arn = _ACCOUNT.search(response.content), _ARN.search(response.content)
        if response.status_code == HTTPStatus.OK and account and arn:
            return account[1].decode(), arn[1].decode()
        found = _CODE.search(response.content)
        code = found[1].decode() if found else f"HTTP {response.status_code}"
        _raise_later(response, code)
        if code.startswith("ExpiredToken"):
            raise Rejected("expired", f"{session.access_key} is over by itself")
        if code in {"InvalidClientTokenId", "SignatureDoesNotMatch"}:
            raise Rejected("unknown_credential", f"STS does not know {session.access_key} with these parts: {code}")
        raise Unavailable("answer_unreadable", f"GetCallerIdentity: {code}")


class Governed:
    """A harmless call that a deny of everything denies too."""

    def __init__(self, account: Account) -> None:
        self._dynamodb = Door(account, "dynamodb")

    def knock(self, session: Credentials) -> Verdict:
        """Return what the call was answered; `names_id` marks a denial by a policy of the principal itself.

        A call that nothing allows, and nothing denies, was let in as who it is: the session lives.
        """
        response = self._dynamodb.ask(session, "{}", _PROBE)
        request = response.headers.get("x-amzn-RequestId")
        if response.status_code == HTTPStatus.OK:
            if b"AccountMaxReadCapacityUnits" not in response.content:
                return Verdict(Answer.INCONCLUSIVE, "not_the_issuer", request_id=request)
            return Verdict(Answer.ACCEPTED, "accepted", request_id=request)
        code, message = _error(response)
        _raise_later(response, code)
        if code.startswith("AccessDenied"):
            explicit = _EXPLICIT.search(message)
            if explicit and explicit[1] == "identity-based":
                return Verdict(Answer.REJECTED, "explicit_deny", names_id=True, request_id=request)
            if explicit:
                return Verdict(Answer.INCONCLUSIVE, "denied_elsewhere", request_id=request)
            if _IMPLICIT.search(message):
                return Verdict(Answer.ACCEPTED, "let_in_without_rights", request_id=request)
        if code.startswith("ExpiredToken"):
            return Verdict(Answer.REJECTED, "expired_token", request_id=request)
        if code in {"UnrecognizedClientException", "InvalidClientTokenId"}:
            return Verdict(Answer.REJECTED, "unknown_token", request_id=request)
        if code in {"InvalidSignatureException", "SignatureDoesNotMatch"}:
            by_clock = BY_THE_CLOCK.search(message) is not None
            reason = "clock_skewed" if by_clock else "signature_does_not_match"
            return Verdict(Answer.INCONCLUSIVE, reason, mismatch=not by_clock, request_id=request)
        return Verdict(Answer.INCONCLUSIVE, f"http_{response.status_code}", request_id=request)


def _error(response: AWSResponse) -> tuple[str, str]:
    try:
        told = json.loads(response.content)
        code = str(told.get("__type", "")).rpartition("#")[2]
        return code, str(told.get("message") or told.get("Message") or "")
    except (ValueError, AttributeError):
        return "", ""


def _raise_later(response: AWSResponse, code: str) -> None:
    headers = {name.lower(): value for name, value in response.headers.items()}
    detail = f"HTTP {response.status_code} {code}"
    if later := later_or_none(code, response.status_code, headers, detail):
        raise later
    if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise Unavailable("server_error", detail)
