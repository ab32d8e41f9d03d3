"""Sign as each sender does: a sample of what it publishes, its headers, and who holds the keys."""

from __future__ import annotations

import base64
import functools
import hashlib
import hmac
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from rotator.credential import Secret
from rotator.triggers.message import Received, Trust

SAMPLES = Path(__file__).with_name("samples")
SHARED = "shared-word-of-both"
WHSEC = "whsec_" + base64.b64encode(b"k" * 32).decode()
TOPIC = "arn:aws:sns:us-east-1:123456789012:health"
KEY_ID = "90a421169f0a406205f1563a953312f0be898d3c7b6c06b681aa86a874555f4a"
CERTIFICATE = "/SimpleNotificationService-f3ecfb7224c7233fe7bb5f59f96de52f.pem"
_SAMPLED = {word for path in SAMPLES.iterdir() for word in re.findall(r"[\w-]*canary\w+", path.read_text())}
CANARIES = (*sorted(_SAMPLED), SHARED)
"""Every secret of the samples, and our own. The bare word `canary` is one of the ledger's too: of its drills."""


@functools.cache
def ec_key():
    return ec.generate_private_key(ec.SECP256R1())


@functools.cache
def rsa_key():
    return rsa.generate_private_key(65537, 2048)


@functools.cache
def certificate() -> bytes:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sns.amazonaws.com")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(rsa_key().public_key())
        .serial_number(7)
        .not_valid_before(datetime(2000, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime.now(UTC) + timedelta(days=3650))
    )
    return made.sign(rsa_key(), SHA256()).public_bytes(Encoding.PEM)


def published() -> bytes:
    key = ec_key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    return json.dumps({"public_keys": [{"key_identifier": KEY_ID, "key": key, "is_current": True}]}).encode()


@dataclass(frozen=True)
class Delivery:
    """One message, as it goes over the wire."""

    sender: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def received(self) -> Received:
        return Received({name.lower(): value for name, value in self.headers.items()}, self.body)

    def with_headers(self, **changed: str) -> Delivery:
        return replace(self, headers={**self.headers, **{k.replace("_", "-"): v for k, v in changed.items()}})


JSON = {"Content-Type": "application/json"}


def sample(name: str) -> bytes:
    return (SAMPLES / f"{name}.json").read_bytes()


def _hex(key: str, body: bytes) -> str:
    return hmac.new(key.encode(), body, hashlib.sha256).hexdigest()


def github(at: float, body: bytes | None = None, name: str = "72d3162e-cc78-11e3-81ab-4c9367dc0958") -> Delivery:  # noqa: ARG001 - all are called alike
    body = sample("github") if body is None else body
    headers = {"X-GitHub-Event": "secret_scanning_alert", "X-GitHub-Delivery": name}
    return Delivery(
        "github", "/hooks/github", {**JSON, **headers, "X-Hub-Signature-256": f"sha256={_hex(SHARED, body)}"}, body
    )


def github_partner(at: float, body: bytes | None = None, name: str = KEY_ID) -> Delivery:  # noqa: ARG001 - all are called alike
    body = sample("github_partner") if body is None else body
    signature = base64.b64encode(ec_key().sign(body, ec.ECDSA(SHA256()))).decode()
    headers = {"GITHUB-PUBLIC-KEY-IDENTIFIER": name, "GITHUB-PUBLIC-KEY-SIGNATURE": signature}
    return Delivery("github-partner", "/hooks/github-partner", {**JSON, **headers}, body)


def gitguardian(at: float, body: bytes | None = None, name: str = "") -> Delivery:  # noqa: ARG001 - all are called alike
    body = sample("gitguardian") if body is None else body
    time = f"{at:.3f}"
    headers = {"Gitguardian-Signature": f"sha256={_hex(time + SHARED, body)}", "Timestamp": time}
    return Delivery("gitguardian", "/hooks/gitguardian", {**JSON, **headers}, body)


def pagerduty(at: float, body: bytes | None = None, name: str = "5ac64822-4adc-4fda-ade0-410becf0de4f") -> Delivery:
    if body is None:
        told = json.loads(sample("pagerduty"))
        told["event"] |= {"occurred_at": datetime.fromtimestamp(at, UTC).isoformat(), "id": name}
        body = json.dumps(told).encode()
    signature = f"v1={'0' * 64},v1={_hex(SHARED, body)}"
    return Delivery("pagerduty", "/hooks/pagerduty", {**JSON, "X-PagerDuty-Signature": signature}, body)


def sns(at: float, told: dict[str, object], address: str = "", version: str = "2") -> Delivery:
    told = {
        "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
        "TopicArn": TOPIC,
        "Timestamp": datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "SignatureVersion": version,
        "SigningCertURL": f"{address or 'https://sns.us-east-1.amazonaws.com'}{CERTIFICATE}",
        **told,
    }
    names = ["Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
    text = "".join(f"{name}\n{told[name]}\n" for name in names if name in told).encode()
    told["Signature"] = base64.b64encode(
        rsa_key().sign(text, padding.PKCS1v15(), SHA256() if version == "2" else SHA1())
    ).decode()
    headers = {"Content-Type": "text/plain; charset=UTF-8", "x-amz-sns-message-type": str(told["Type"])}
    return Delivery("aws-health", "/hooks/aws-health", headers, json.dumps(told).encode())


def aws_health(
    at: float, body: bytes | None = None, name: str = "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324", address: str = ""
) -> Delivery:
    message = (sample("aws_health") if body is None else body).decode()
    return sns(at, {"Type": "Notification", "Message": message, "MessageId": name}, address)


def generic(at: float, body: bytes | None = None, name: str = "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W") -> Delivery:
    body = sample("generic") if body is None else body
    key = base64.b64decode(WHSEC.removeprefix("whsec_"))
    signed = hmac.digest(key, f"{name}.{int(at)}.".encode() + body, hashlib.sha256)
    headers = {
        "webhook-id": name,
        "webhook-timestamp": str(int(at)),
        "webhook-signature": f"v1,{base64.b64encode(b'0' * 32).decode()} v1,{base64.b64encode(signed).decode()}",
    }
    return Delivery("generic", "/hooks/generic/siem", {**JSON, **headers}, body)


def gitlab(at: float, body: bytes | None = None, name: str = "") -> Delivery:  # noqa: ARG001 - all are called alike
    body = sample("gitlab") if body is None else body
    return Delivery("gitlab", "/v1/revoke_tokens", {**JSON, "Authorization": SHARED}, body)


DELIVERIES: dict[str, Callable[..., Delivery]] = {
    "github": github,
    "github-partner": github_partner,
    "gitguardian": gitguardian,
    "pagerduty": pagerduty,
    "aws-health": aws_health,
    "generic": generic,
    "gitlab": gitlab,
}
TIMED = {"gitguardian": 301, "pagerduty": 4 * 86400, "aws-health": 3901, "generic": 301}
"""Those that sign a time, and when a message is stale."""


def trust_of(sender: str, *shared: str) -> Trust:
    """Return what a message of the sender is held against."""
    words = shared or ((WHSEC,) if sender == "generic" else (SHARED,))
    url = f"https://sns.us-east-1.amazonaws.com{CERTIFICATE}"
    key = ec_key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    public = {"github-partner": {KEY_ID: key}, "aws-health": {url: certificate()}}.get(sender, {})
    return Trust(tuple(map(Secret, words)), public, topic=TOPIC)


class Places(ThreadingHTTPServer):
    """Where keys, certificates and confirmations are: each request is kept in `asked`."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.asked: list[str] = []
        self.address = f"http://127.0.0.1:{self.server_port}"


class _Answer(BaseHTTPRequestHandler):
    server: Places

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        found = {
            "/keys": published,
            CERTIFICATE: certificate,
            "/confirm": lambda: b"<Confirmed/>",
            "/long": lambda: b" " * 300_000,
        }.get(self.path)
        body = b"" if found is None else found()
        self.send_response(200 if found else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_words: object) -> None: ...


@contextmanager
def places() -> Iterator[Places]:
    server = Places()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
