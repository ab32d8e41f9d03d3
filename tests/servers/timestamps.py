"""Run a time stamping authority: `openssl ts` behind a small HTTP server, with a CA and a certificate of its own."""

from __future__ import annotations

import contextlib
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CONFIGURATION = """
[tsa]
default_tsa = here
[here]
dir = {folder}
serial = $dir/serial
signer_cert = $dir/tsa.pem
signer_key = $dir/tsa.key
certs = $dir/tsa.pem
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
ess_cert_id_alg = sha256
"""


@dataclass
class TimeStamps:
    """A running authority. `answers` may be set to what it answers instead, `status` likewise."""

    url: str
    ca: Path
    folder: Path
    asked: list[bytes]
    answers: bytes | None = None
    status: int = 200

    def stamp(self, question: bytes) -> bytes:
        """Return the answer to a question."""
        (self.folder / "question.tsq").write_bytes(question)
        command = ["openssl", "ts", "-reply", "-config", self.folder / "tsa.cnf", "-queryfile", "question.tsq"]
        subprocess.run([*command, "-out", "answer.tsr"], cwd=self.folder, check=True, capture_output=True)
        return (self.folder / "answer.tsr").read_bytes()


def _certificate(name, key, issuer, issuer_key, *, is_ca: bool):
    now = datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    usage = dict.fromkeys(
        [
            "content_commitment",
            "crl_sign",
            "data_encipherment",
            "decipher_only",
            "digital_signature",
            "encipher_only",
            "key_agreement",
            "key_cert_sign",
            "key_encipherment",
        ],
        False,
    )
    usage |= {"key_cert_sign": True, "crl_sign": True} if is_ca else {"digital_signature": True}
    found = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer or subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(**usage), critical=True)
    )
    if not is_ca:
        found = found.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
    return found.sign(issuer_key, hashes.SHA256())


def _certified(folder: Path) -> None:
    """Make a CA, and a certificate of it, in a folder."""
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), rsa.generate_private_key(65537, 2048)
    ca = _certificate("tsa CA", ca_key, None, ca_key, is_ca=True)
    mine = _certificate("tsa", key, ca.subject, ca_key, is_ca=False)
    plain = serialization.NoEncryption()
    (folder / "ca.pem").write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    (folder / "tsa.pem").write_bytes(mine.public_bytes(serialization.Encoding.PEM))
    (folder / "tsa.key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    )
    (folder / "serial").write_text("01\n")
    (folder / "tsa.cnf").write_text(CONFIGURATION.format(folder=folder))


@contextlib.contextmanager
def time_stamps(folder: Path) -> Iterator[TimeStamps]:
    """Run an authority until the block ends."""
    folder.mkdir(parents=True, exist_ok=True)
    _certified(folder)

    class Answering(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            question = self.rfile.read(int(self.headers["Content-Length"]))
            running.asked.append(question)
            is_one = self.headers["Content-Type"] == "application/timestamp-query"
            status = running.status if is_one else 415
            body = running.answers if running.answers is not None else b""
            if status == 200 and running.answers is None:
                body = running.stamp(question)
            self.send_response(status)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    running = TimeStamps(f"http://127.0.0.1:{server.server_port}/tsa", folder / "ca.pem", folder, [])
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield running
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
