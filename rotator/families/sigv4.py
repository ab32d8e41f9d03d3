"""Sign a request as AWS Signature Version 4 says, for the services beside AWS that take it."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qsl, quote, urlsplit

from rotator.credential import Secret

_ALGORITHM = "AWS4-HMAC-SHA256"


@dataclass(frozen=True, slots=True)
class Signer:
    """Whose signature it is, and for which service."""

    key_id: str
    secret: Secret
    region: str
    service: str
    session_token: Secret | None = None

    def headers(self, method: str, url: str, content: bytes, content_type: str | None, now: datetime) -> dict[str, str]:
        """Return the headers that carry the signature; `now` is the time that it names."""
        moment = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
        parts = urlsplit(url)
        signed = {"host": parts.netloc, "x-amz-date": moment}
        if content_type is not None:
            signed["content-type"] = content_type
        if self.session_token is not None:
            signed["x-amz-security-token"] = self.session_token.reveal()
        names = ";".join(sorted(signed))
        canonical = "\n".join(
            [
                method,
                quote(parts.path or "/", safe="/~"),
                _canonical_query(parts.query),
                *(f"{name}:{signed[name].strip()}" for name in sorted(signed)),
                "",
                names,
                hashlib.sha256(content).hexdigest(),
            ]
        )
        scope = f"{moment[:8]}/{self.region}/{self.service}/aws4_request"
        text = "\n".join([_ALGORITHM, moment, scope, hashlib.sha256(canonical.encode()).hexdigest()])
        signature = hmac.new(self._key(moment[:8]), text.encode(), hashlib.sha256).hexdigest()
        shown = f"{_ALGORITHM} Credential={self.key_id}/{scope}, SignedHeaders={names}, Signature={signature}"
        return {**_sent(signed), "Authorization": shown}

    def _key(self, day: str) -> bytes:
        key = f"AWS4{self.secret.reveal()}".encode()
        for part in (day, self.region, self.service, "aws4_request"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        return key


def _canonical_query(query: str) -> str:
    pairs = parse_qsl(query, keep_blank_values=True)
    return "&".join(sorted(f"{quote(name, safe='~')}={quote(value, safe='~')}" for name, value in pairs))


def _sent(signed: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in signed.items() if name not in {"host", "content-type"}}
