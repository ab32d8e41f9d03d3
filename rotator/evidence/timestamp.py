"""Time stamps (RFC 3161): an authority's word that a checkpoint existed before a moment, and nothing more than that.

It signs the SHA-256 of a checkpoint's body together with its own clock. So no owner of ledger and signing key can make
a past afterwards; what the checkpoint says may be wrong all the same, and how much older it is nobody says.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rotator.errors import BadInput, Rejected

if TYPE_CHECKING:
    from cryptography import x509
    from rfc3161_client import TimeStampRequest

QUERY, REPLY = "application/timestamp-query", "application/timestamp-reply"


@dataclass(frozen=True, slots=True)
class Stamp:
    """The time stamp of one checkpoint: its number and hash, and the authority's whole answer in base64."""

    number: int
    hash: str
    answer: str

    @property
    def der(self) -> bytes:
        """Return the answer as it came: what `openssl ts -verify` reads. Raises Rejected for what is no base64."""
        try:
            return base64.b64decode(self.answer, validate=True)
        except (binascii.Error, ValueError):
            raise Rejected("stamp_invalid", "it is no base64") from None


def authorities(path: Path) -> list[x509.Certificate]:
    """Return the certificates of a PEM file that authorities are believed by. Raises BadInput for any other file."""
    from cryptography import x509  # noqa: PLC0415 - not free

    try:
        return x509.load_pem_x509_certificates(path.read_bytes())
    except OSError as error:
        raise BadInput(f"cannot be read ({error.strerror})", str(path), "name the authority's CA as PEM") from None
    except ValueError:
        raise BadInput("there is no certificate in it", str(path), "name the authority's CA as PEM") from None


def request_for(body: str) -> TimeStampRequest:
    """Return the question for a checkpoint's body, with a nonce. Raises BadInput without the package for it."""
    _needed()
    from rfc3161_client import HashAlgorithm, TimestampRequestBuilder  # noqa: PLC0415 - an extra

    return (
        TimestampRequestBuilder()
        .data(body.encode())
        .hash_algorithm(HashAlgorithm.SHA256)
        .cert_request(cert_request=True)
        .build()
    )


def verified(der: bytes, digest: str, roots: Sequence[x509.Certificate], nonce: int | None = None) -> float:
    """Return before when a checkpoint of this hash existed, in epoch seconds.

    Raises Rejected for an answer that is not of this hash and nonce, or not signed by a certificate for time stamps
    that was valid then and leads to one of `roots`; BadInput without the package for it.
    """
    _needed()
    from rfc3161_client import VerificationError, VerifierBuilder, decode_timestamp_response  # noqa: PLC0415

    try:
        answer = decode_timestamp_response(der)
        verifier = VerifierBuilder(roots=list(roots), nonce=nonce).build()
        verifier.verify(answer, bytes.fromhex(digest))
        return answer.tst_info.gen_time.timestamp()
    except VerificationError as error:
        raise Rejected("stamp_invalid", str(error)) from None
    except Exception:  # noqa: BLE001 - whoever made it chose its bytes, and a certificate in them has errors of its own
        raise Rejected("stamp_invalid", "it is no time stamp") from None


def _needed() -> None:
    try:
        import rfc3161_client  # noqa: F401, PLC0415
    except ModuleNotFoundError as error:
        raise BadInput(f"time stamps need the package {error.name}", "", "pip install 'rotator[timestamps]'") from None
