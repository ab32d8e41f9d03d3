"""Knock on AWS's door with a key that is not ours: one signer, one pool, for any number of keys.

A client made for each key manages 160 calls a second at best; this one several hundred.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Mapping
from http import HTTPStatus

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError
from botocore.httpsession import URLLib3Session
from botocore.utils import get_environ_proxies

from rotator.credential import Secret
from rotator.errors import Unavailable
from rotator.families.aws import POOL_SIZE, Account, home_region, was_cut
from rotator.families.aws_errors import BY_THE_CLOCK, later_or_none, lost
from rotator.families.punctual_answers import let_botocore_end_in_time
from rotator.ports.connection import CONNECT_TIMEOUT_S, READ_TIMEOUT_S
from rotator.ports.provider import Answer, Verdict

WHO_AM_I = "Action=GetCallerIdentity&Version=2011-06-15"
FORM = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
_CODE = re.compile(rb"<Code>([A-Za-z0-9.]{1,80})</Code>")
_REQUEST = re.compile(rb"<RequestId>([A-Za-z0-9-]{1,80})</RequestId>")
_SNAKE = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


class Door:
    """One service, asked with credentials that are not ours."""

    def __init__(self, account: Account, service: str) -> None:
        self._account, self._service = account, service
        self._region = home_region(account.region) if service == "sts" else account.region
        self._lock = threading.Lock()
        self._opened: tuple[str, URLLib3Session] | None = None

    def ask(self, credentials: Credentials, body: str, headers: Mapping[str, str]) -> AWSResponse:
        """Return the answer to one signed POST, whatever it is. Raises Unavailable when there is none."""
        address, pool = self._open()
        request = AWSRequest(method="POST", url=address, data=body, headers={**headers, "User-Agent": "rotator"})
        try:
            SigV4Auth(credentials, self._service, self._region).add_auth(request)
            response = pool.send(request.prepare())
        except BotoCoreError as error:
            raise lost(error, changes=False) from None
        if was_cut(response.headers, response.content):
            raise Unavailable("answer_lost", "it was cut off")
        return response

    def _open(self) -> tuple[str, URLLib3Session]:
        with self._lock:
            if self._opened is None:
                address = self._account.client(self._service).meta.endpoint_url
                pool = URLLib3Session(
                    verify=os.environ.get("AWS_CA_BUNDLE") or os.environ.get("REQUESTS_CA_BUNDLE") or True,
                    proxies=get_environ_proxies(address),
                    timeout=(CONNECT_TIMEOUT_S, READ_TIMEOUT_S),
                    max_pool_connections=POOL_SIZE,
                )
                let_botocore_end_in_time(pool)
                self._opened = address, pool
            return self._opened


class Knocker:
    """Asks STS who a key pair is: a call that needs no permission and that no policy of the account denies."""

    def __init__(self, account: Account) -> None:
        self._sts = Door(account, "sts")

    def knock(self, key_id: str, secret: Secret) -> Verdict:
        """Return what STS answers to the pair.

        Raises Unavailable when it answers nothing, or "later". An inactive, a deleted and an unheard-of key are all
        answered InvalidClientTokenId; the id is looked up before the signature, so that answer does not depend on
        the secret. moto accepts an inactive key, which AWS and ministack do not.
        """
        return _verdict(self._sts.ask(Credentials(key_id, secret.reveal()), WHO_AM_I, FORM))


def _verdict(response: AWSResponse) -> Verdict:
    body: bytes = response.content
    headers = {name.lower(): value for name, value in response.headers.items()}
    found = _REQUEST.search(body)
    request = found[1].decode() if found else headers.get("x-amzn-requestid")
    if response.status_code == HTTPStatus.OK:
        if b"<Arn>" not in body:  # something between us and STS answered
            return Verdict(Answer.INCONCLUSIVE, "not_the_issuer", request_id=request)
        return Verdict(Answer.ACCEPTED, "accepted", request_id=request)
    match = _CODE.search(body)
    code = match[1].decode() if match else ""
    detail = f"GetCallerIdentity: HTTP {response.status_code} {code}, request {request}"
    if later := later_or_none(code, response.status_code, headers, detail):
        raise later
    if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise Unavailable("server_error", detail)
    if code == "InvalidClientTokenId":
        return Verdict(Answer.REJECTED, "invalid_client_token_id", names_id=True, request_id=request)
    if code == "SignatureDoesNotMatch":
        if BY_THE_CLOCK.search(body.decode("utf-8", "replace")):
            return Verdict(Answer.INCONCLUSIVE, "clock_skewed", request_id=request)
        return Verdict(Answer.INCONCLUSIVE, "signature_does_not_match", mismatch=True, request_id=request)
    reason = _SNAKE.sub("_", code).replace(".", "_").lower() or f"http_{response.status_code}"
    return Verdict(Answer.INCONCLUSIVE, reason, request_id=request)
