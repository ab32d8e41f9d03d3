"""A time stamping authority, asked over HTTP (RFC 3161, section 3.4). It is sent a hash, and learns nothing else."""

from __future__ import annotations

import base64
import time
from collections.abc import Sequence

import httpx2
from cryptography import x509

from rotator.errors import Rejected, Unavailable
from rotator.evidence.checkpoint import Checkpoint
from rotator.evidence.timestamp import QUERY, Stamp, request_for, verified
from rotator.families.punctual_network import OutOfTime, punctual
from rotator.ports.connection import CALL_DEADLINE_S, CONNECT_TIMEOUT_S, READ_TIMEOUT_S

MOST_BYTES = 1 << 20
"""A stamp with its certificates has some thousand."""


class Authority:
    """One authority. `roots` are the certificates that it is believed by; to reach it, the system's."""

    def __init__(self, address: str, roots: Sequence[x509.Certificate]) -> None:
        self.address, self._roots = address, roots
        transport = httpx2.HTTPTransport(trust_env=False)
        self._network = punctual(transport)
        self._client = httpx2.Client(
            transport=transport,
            timeout=httpx2.Timeout(READ_TIMEOUT_S, connect=CONNECT_TIMEOUT_S, pool=CONNECT_TIMEOUT_S),
            follow_redirects=False,
            trust_env=False,
        )

    def stamp(self, each: Checkpoint) -> Stamp:
        """Have a checkpoint stamped, and check what comes.

        Raises Rejected for a stamp that does not hold, Unavailable where there is none to be had now.
        """
        question = request_for(each.body)
        answer = self._post(question.as_bytes())
        verified(answer, each.hash, self._roots, question.nonce)
        return Stamp(each.told["number"], each.hash, base64.b64encode(answer).decode())

    def _post(self, question: bytes) -> bytes:
        self._network.end_at(time.monotonic() + CALL_DEADLINE_S)
        found = b""
        try:
            headers = {"Content-Type": QUERY}
            with self._client.stream("POST", self.address, content=question, headers=headers) as answer:
                if answer.status_code != httpx2.codes.OK:
                    raise Unavailable("authority_refused", f"http {answer.status_code}")
                for piece in answer.iter_bytes():
                    found += piece
                    if len(found) > MOST_BYTES:
                        raise Rejected("stamp_invalid", "it is larger than any time stamp")
        except (httpx2.TimeoutException, OutOfTime):
            raise Unavailable("authority_timed_out") from None
        except (httpx2.HTTPError, httpx2.StreamError, httpx2.InvalidURL, ValueError) as error:
            raise Unavailable("authority_unreachable", type(error).__name__) from None
        return found
