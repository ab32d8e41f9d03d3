"""Sign AWS requests by hand, so that the independent check shares no code with the product.

After "Signature Version 4 signing process" in the AWS IAM user guide.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime
from urllib.parse import urlsplit

REGION = "us-east-1"


def signed_headers(url: str, service: str, body: bytes, key: tuple[str, str], extra: dict[str, str]) -> dict[str, str]:
    """Return the headers of a POST of `body` to the root of `url`, signed for `service` with `key` (id, secret)."""
    key_id, secret = key
    now = datetime.now(UTC)
    day, moment = now.strftime("%Y%m%d"), now.strftime("%Y%m%dT%H%M%SZ")
    headers = {
        **{name.lower(): value for name, value in extra.items()},
        "host": urlsplit(url).netloc,
        "x-amz-date": moment,
    }
    names = ";".join(sorted(headers))
    canonical = "\n".join(
        [
            "POST",
            "/",
            "",
            *(f"{name}:{headers[name]}" for name in sorted(headers)),
            "",
            names,
            hashlib.sha256(body).hexdigest(),
        ]
    )
    scope = f"{day}/{REGION}/{service}/aws4_request"
    to_sign = "\n".join(["AWS4-HMAC-SHA256", moment, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    link = f"AWS4{secret}".encode()
    for part in (day, REGION, service, "aws4_request"):
        link = hmac.digest(link, part.encode(), "sha256")
    signature = hmac.digest(link, to_sign.encode(), "sha256").hex()
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={key_id}/{scope}, SignedHeaders={names}, Signature={signature}"
    )
    return headers
