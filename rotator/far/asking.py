"""One question to a service, and its answer: deadlines, certificates, one line for every error, nothing done twice.

An act carries an `Idempotency-Key`. Where its answer is lost, and only then, it is asked again under the same key, a
few times: the service does it once, and answers as it did.
"""

from __future__ import annotations

import json
import logging
import ssl
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import httpx2

from rotator.credential import Secret
from rotator.errors import BadInput, NotAllowed, Rejected, RotatorError, Unavailable, Uncertain
from rotator.families.punctual_network import OutOfTime, punctual
from rotator.operations.operation import AsksFirst
from rotator.ports.connection import CONNECT_TIMEOUT_S

logging.getLogger("httpx2").setLevel(logging.WARNING)

V1 = "/api/v1"
USUAL_S, ISSUERS_S = 120.0, 900.0
"""Seconds in which an answer must be whole: usually, and where issuers are asked first."""
SILENCE_S = 40.0
"""Seconds without a word after which a stream is lost: it says each 15 that it lives."""
AGAIN_AFTER_S = (0.5, 2.0, 5.0)
"""How long is waited before a lost answer is asked for once more."""
_PROBLEM = "application/problem+json"
_ASK_FIRST = frozenset({"not_confirmed", "still_open"})
_BY_A_PROXY = frozenset({HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT})


@dataclass(frozen=True, slots=True)
class Reply:
    """What was answered: `content` is its JSON."""

    content: Any
    headers: Mapping[str, str]


class Asking:
    """The line to one service. `token` is None for what asks for none."""

    def __init__(self, url: str, token: Secret | None) -> None:
        self.url, self._token = url, token
        transport = httpx2.HTTPTransport(verify=ssl.create_default_context(), trust_env=False)
        self._network = punctual(transport)
        # A redirect, or a proxy that the environment names, would carry the token elsewhere.
        self._client = httpx2.Client(transport=transport, follow_redirects=False, trust_env=False)

    def get(self, path: str, query: Mapping[str, Any] | None = None) -> Reply:
        """Read. Raises BadInput, NotAllowed, or RotatorError where nobody answers sense."""
        return self._until_answered("GET", path, {"params": query}, USUAL_S)

    def file(self, path: str, query: Mapping[str, str], media_type: str) -> bytes:
        """Read a file, as its bytes are. Raises as `get` does, also for what is of another type."""
        kind = media_type.partition(";")[0]
        timeout = httpx2.Timeout(ISSUERS_S, connect=CONNECT_TIMEOUT_S, pool=CONNECT_TIMEOUT_S)
        self._network.end_at(time.monotonic() + ISSUERS_S)
        with self._in_our_words():
            headers = {**self._headers(), "Accept": f"{kind}, {_PROBLEM}"}
            answer = self._client.get(f"{self.url}{path}", params=query, headers=headers, timeout=timeout)
            if answer.status_code != HTTPStatus.OK or not answer.headers.get("Content-Type", "").startswith(kind):
                self._understood(answer.status_code, answer.headers, answer.content)
                raise Rejected("no_rotator", f"{self.url} answers no {kind}: compare the versions")
            return answer.content

    def act(self, path: str, body: Mapping[str, Any]) -> Any:
        """Act, once. Raises as `get` does, and AsksFirst."""
        return self._until_answered("POST", path, {"json": body}, USUAL_S).content

    def send(self, path: str, report: bytes, query: Mapping[str, Any]) -> Any:
        """Act with a report; issuers are asked meanwhile. Raises as `act` does."""
        return self._until_answered("POST", path, {"content": report, "params": query}, ISSUERS_S).content

    @contextmanager
    def lines(self, path: str) -> Iterator[Iterator[str]]:
        """Open a stream; give its lines as they come. Raises as `get` does, Uncertain where it is lost."""
        headers = {**self._headers(), "Accept": "text/event-stream"}
        timeout = httpx2.Timeout(SILENCE_S, connect=CONNECT_TIMEOUT_S)
        self._network.end_at(float("inf"))
        with (
            self._in_our_words(),
            self._client.stream("GET", f"{self.url}{path}", headers=headers, timeout=timeout) as told,
        ):
            if not told.headers.get("Content-Type", "").startswith("text/event-stream"):
                self._network.end_at(time.monotonic() + USUAL_S)
                self._understood(told.status_code, told.headers, told.read())
                raise Rejected("no_stream", f"{self.url} answers no stream")
            yield told.iter_lines()

    def _until_answered(self, method: str, path: str, given: Mapping[str, Any], within_s: float) -> Reply:
        """Ask; ask again where the answer was lost. What has been done once is not done again: that is the key's."""
        key = {"Idempotency-Key": str(uuid.uuid4())} if method != "GET" else {}
        lost: Uncertain | None = None
        for wait_s in (*AGAIN_AFTER_S, None):
            try:
                return self._once(method, path, {**self._headers(), **key}, given, within_s)
            except Uncertain as error:
                lost = error
            except Unavailable:
                # One that was killed, and is not up again, says nothing of what became of the act it was asked for.
                if lost is None or not key:
                    raise
            if wait_s is None:
                unknown = "; whether it was done is not known: look before you do it again" if key else ""
                raise Uncertain(lost.reason, f"{lost.detail}{unknown}")
            time.sleep(wait_s)
        raise AssertionError("the last attempt returns or raises")

    def _once(
        self, method: str, path: str, headers: Mapping[str, str], given: Mapping[str, Any], within_s: float
    ) -> Reply:
        timeout = httpx2.Timeout(within_s, connect=CONNECT_TIMEOUT_S, pool=CONNECT_TIMEOUT_S)
        self._network.end_at(time.monotonic() + within_s)
        with self._in_our_words():
            answer = self._client.request(method, f"{self.url}{path}", headers=headers, timeout=timeout, **given)
            return Reply(self._understood(answer.status_code, answer.headers, answer.content), answer.headers)

    def _headers(self) -> dict[str, str]:
        shown = {} if self._token is None else {"Authorization": f"Bearer {self._token.reveal()}"}
        return {"Accept": "application/json", "User-Agent": "rotator", **shown}

    @contextmanager
    def _in_our_words(self) -> Iterator[None]:
        """Say in our words what the line has against it. The library's own errors hold the request, and its token."""
        try:
            yield
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout) as error:
            if why := _of_the_certificate(error):
                raise Unavailable("certificate_not_trusted", f"{self.url}: {why}") from None
            raise Unavailable("service_unreachable", f"{self.url}: does it run, and is its address right?") from None
        except (httpx2.TimeoutException, OutOfTime):
            raise Uncertain("answer_lost", f"{self.url} did not answer in time") from None
        except (httpx2.HTTPError, httpx2.StreamError):
            raise Uncertain("answer_lost", f"{self.url} broke off") from None

    def _understood(self, status: int, headers: Mapping[str, str], body: bytes) -> Any:
        """Return the answer's JSON. Raises what a problem means; one line for what no rotator answers."""
        kind = headers.get("Content-Type", "").partition(";")[0].strip().lower()
        try:
            content = json.loads(body, object_hook=_Answered) if kind in {_PROBLEM, "application/json"} else None
        except (ValueError, RecursionError):
            content = None
        if not isinstance(content, dict):  # all that a rotator answers is an object
            content = None
        if kind == _PROBLEM and isinstance(content, dict):
            raise _meant(status, content, headers.get("Retry-After", ""))
        if content is None and status in _BY_A_PROXY:
            raise Uncertain("answer_lost", f"what stands before {self.url} answered HTTP {status}")
        if content is None or not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            what = f"{self.url} answers HTTP {status} with {kind or 'nothing'}, not as a rotator does"
            raise Rejected("no_rotator", f"{what}: is that its address, and does a proxy stand before it?")
        return content


class _Answered(dict[str, Any]):
    """An object of an answer: what it does not have is the service's fault, and no mistake of who reads it."""

    def __missing__(self, key: str) -> Any:
        what = f"the service's answer has no `{key}`, as that of a rotator of this version has"
        raise Rejected("no_rotator", f"{what}: compare the versions, and is that its address?")


def _of_the_certificate(error: BaseException) -> str:
    """Return why a certificate is not believed; "" where that is not it."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is not trusted ({cause.verify_message})"
        cause = cause.__cause__ or cause.__context__
    return ""


def _meant(status: int, problem: Mapping[str, Any], later: str) -> RotatorError:
    """Return what a problem says, as the command line says it of a ledger here."""
    reason, mend = str(problem.get("reason", "")), str(problem.get("mend", ""))
    what = _of_fields(problem) or str(problem.get("detail") or problem.get("title") or f"HTTP {status}")
    where = _option(str(problem.get("where", "")))
    if reason in _ASK_FIRST:
        return AsksFirst(reason, what, where, mend, problem)
    if status == HTTPStatus.UNAUTHORIZED:
        return NotAllowed(what, "ROTATOR_TOKEN", "`rotator token create`, where the ledger is, makes one")
    if status == HTTPStatus.FORBIDDEN:
        each = problem.get("each")
        return NotAllowed(what, where, mend, [str(one) for one in each] if isinstance(each, list) else ())
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return Unavailable(reason, f"{what}{f': {later} s' if later else ''}")
    if status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return BadInput(what, where, mend)
    return Unavailable(reason, what)


def _of_fields(problem: Mapping[str, Any]) -> str:
    """Say which options are wrong, where the service says which fields are; "" where it is something else."""
    found = problem.get("errors") if problem.get("reason") == "bad_input" else None
    wrong = [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
    return "; ".join(f"{_option(str(each.get('where', '')))}: {each.get('what', '')}" for each in wrong)


def _option(where: str) -> str:
    """Name the option that a field of a request came from: `body.reason` is `--reason`."""
    of, _, name = where.partition(".")
    return f"--{name.replace('_', '-')}" if of in {"body", "query"} and name else where
