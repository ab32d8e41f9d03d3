"""Post lines to an HTTP endpoint, many in one request: Splunk's HTTP Event Collector (raw), or whatever takes lines.

Splunk's collector wants `Authorization: Splunk TOKEN` (help.splunk.com, "Format events for HTTP Event Collector").
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus

import httpx2

from rotator.credential import Secret
from rotator.errors import Rejected, Unavailable, Uncertain
from rotator.families.punctual_network import OutOfTime, punctual
from rotator.ports.connection import CALL_DEADLINE_S, CONNECT_TIMEOUT_S, READ_TIMEOUT_S
from rotator.siem import knocking
from rotator.siem.channel import Line

_REFUSED = {HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNPROCESSABLE_ENTITY}
"""What is said of the lines themselves."""
_UNTRUSTED = "CERTIFICATE_VERIFY_FAILED"
"""What OpenSSL says of a certificate that nobody whom we trust has signed."""
_PIECE = 1 << 16
"""Bytes of a body that are handed over at once."""
_LONGEST_ANSWER = 1 << 16
"""Bytes of an answer that are read: nobody looks at them, and one may be endless."""
_LATER = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where lines are posted, as which media type; `token` is read at each use and stands behind `scheme`."""

    url: str
    media_type: str
    token: Callable[[], Secret] | None = None
    scheme: str = "Bearer"
    ca_file: str | None = None


class _Body:
    """What is posted, in pieces: the library goes on to the answer where a server takes no more of them."""

    def __init__(self, content: bytes) -> None:
        self.content, self.is_sent = content, False

    def __iter__(self) -> Iterator[bytes]:
        for at in range(0, len(self.content), _PIECE):
            yield self.content[at : at + _PIECE]
        self.is_sent = True


class ToHttp:
    """One endpoint."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    def send(self, lines: Sequence[Line]) -> str:
        """Post the lines; they are taken with a 2xx. Raises Rejected where it is their fault, else that it was lost."""
        body = _Body("".join(f"{each.text}\n" for each in lines).encode())
        headers = {**self._headers(), "Content-Length": str(len(body.content))}
        try:
            with (
                self._client() as client,
                client.stream("POST", self._endpoint.url, content=body, headers=headers) as answer,
            ):
                status, later = answer.status_code, answer.headers.get("Retry-After", "")
                _read_out(answer)
        except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
            raise Unavailable("siem_not_trusted" if _UNTRUSTED in str(error) else "siem_unreachable") from None
        except (httpx2.TimeoutException, OutOfTime):
            raise Uncertain("siem_timed_out") from None
        except (httpx2.HTTPError, httpx2.StreamError, httpx2.InvalidURL, ValueError):
            # Their words may quote the token.
            raise Uncertain("siem_connection_lost") from None
        except OSError as error:
            raise Unavailable("siem_not_trusted", error.strerror or type(error).__name__) from None
        if status in _LATER:
            raise Unavailable("siem_says_later", f"http {status}", float(later) if later.isdecimal() else None)
        if status in _REFUSED:
            raise Rejected("siem_refused_events", f"http {status}")
        if not httpx2.codes.is_success(status):
            raise Unavailable("siem_refused", f"http {status}")
        if not body.is_sent:
            raise Uncertain("siem_took_half", f"it said http {status} and closed before all of it was sent")
        return f"http {status}"

    def reach(self) -> str:
        """Look whether somebody listens, and post nothing. Raises Unavailable."""
        found = httpx2.URL(self._endpoint.url)
        knocking.connect(found.host, found.port or {"http": 80, "https": 443}[found.scheme]).close()
        return "somebody listens; nothing was sent"

    def _client(self) -> httpx2.Client:
        """Return a connection whose waits all end with the call."""
        verify = True if self._endpoint.ca_file is None else ssl.create_default_context(cafile=self._endpoint.ca_file)
        transport = httpx2.HTTPTransport(trust_env=False, verify=verify)
        punctual(transport).end_at(time.monotonic() + CALL_DEADLINE_S)
        return httpx2.Client(
            transport=transport,
            timeout=httpx2.Timeout(READ_TIMEOUT_S, connect=CONNECT_TIMEOUT_S),
            follow_redirects=False,  # the token goes where it was meant to
            trust_env=False,
        )

    def _headers(self) -> Mapping[str, str]:
        headers = {"Content-Type": self._endpoint.media_type}
        if self._endpoint.token is not None:
            headers["Authorization"] = f"{self._endpoint.scheme} {self._endpoint.token().reveal()}"
        return headers


def _read_out(answer: httpx2.Response) -> None:
    """Read an answer to its end, or for a while: a server that may not say all of it may think that it failed."""
    found = 0
    for each in answer.iter_raw():
        found += len(each)
        if found > _LONGEST_ANSWER:
            return
