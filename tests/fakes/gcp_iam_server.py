"""A fake of Google's IAM v1 and token service, of the behaviour that their REST references publish: no emulator has it.

Ours, so it proves only that we keep to what is published: ten keys for an account and how a full one is refused, the
private key told at creation alone, tokens that outlive their key for an hour and are refused while their account is
disabled, one wording for a deleted, a disabled and a wrong key, and permissions (`gcp_grants.py`). What it lacks:
propagation.
"""

from __future__ import annotations

import base64
import contextlib
import json
import re
import secrets
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote, urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.fakes.gcp_grants import Grants, Refused
from tests.fakes.http_server import Request, listening

PROJECT = "acme-prod"
QUOTA = 10
PAGE = 3
_NAME = re.compile(r"/v1/projects/([^/]+)/serviceAccounts(?:/([^/:]+))?(/keys)?(?:/([^/:]+))?(?::(\w+))?")


@dataclass
class FakeGcp:
    """Its state. `full` is how a full account is refused: Google has done it in two ways."""

    endpoint_url: str = ""
    project: str = PROJECT
    full: tuple[int, str, str] = (400, "FAILED_PRECONDITION", "Precondition check failed.")
    accounts: dict[str, dict] = field(default_factory=dict)
    keys: dict[tuple[str, str], dict] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    grants: Grants = field(default_factory=lambda: Grants(PROJECT))
    lock: threading.RLock = field(default_factory=threading.RLock)

    def account(self, name: str) -> str:
        """Make a service account, or find it; return its address."""
        email = name if "@" in name else f"{name}@{self.project}.iam.gserviceaccount.com"
        with self.lock:
            self.accounts.setdefault(email, {"email": email, "displayName": f"the {name}", "disabled": False})
        return email

    def create_key(self, email: str) -> dict:
        """Mint a key; return its file's fields."""
        private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        with self.lock:
            held = [each for each in self.keys if each[0] == email]
            if len(held) >= QUOTA:
                raise Refused(*self.full)
            key_id = secrets.token_hex(20)
            self.keys[email, key_id] = {"public": private.public_key(), "disabled": False, "made": _now()}
        pem = private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return {
            "type": "service_account",
            "project_id": self.project,
            "private_key_id": key_id,
            "private_key": pem.decode(),
            "client_email": email,
            "token_uri": "https://oauth2.googleapis.com/token",
        }

    def listed(self, email: str, key_id: str) -> dict:
        """Return a key as IAM shows it."""
        if email not in self.accounts:
            raise Refused(404, "NOT_FOUND", f"Unknown service account {email}")
        if (found := self.keys.get((email, key_id))) is None:
            raise Refused(404, "NOT_FOUND", f"Service account key {key_id} does not exist.")
        name = f"projects/{self.project}/serviceAccounts/{email}/keys/{key_id}"
        disabled = {"disabled": True, "disableReason": "USER_INITIATED"} if found["disabled"] else {}
        return {
            "name": name,
            "validAfterTime": found["made"],
            "keyType": "USER_MANAGED",
            "keyOrigin": "GOOGLE_PROVIDED",
            **disabled,
        }

    def exchange(self, signed: str) -> tuple[int, dict]:
        """Answer a JWT."""
        header, claims, signature = signed.split(".")
        told = json.loads(_bytes(claims))
        email, key_id = told["iss"], json.loads(_bytes(header)).get("kid")
        with self.lock:
            account = self.accounts.get(email)
            if account is None or account["disabled"]:
                return 400, {"error": "invalid_grant", "error_description": "Invalid grant: account not found"}
            if not (time.time() - 600 < told["iat"] < time.time() + 600):
                what = "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe."
                return 400, {"error": "invalid_grant", "error_description": what}
            held = self.keys.get((email, key_id))
            if held is None or held["disabled"] or not _fits(held["public"], f"{header}.{claims}", signature):
                return 400, {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}
            token = f"ya29.{secrets.token_urlsafe(24)}"
            self.tokens[token] = email
        return 200, {"access_token": token, "expires_in": 3599, "token_type": "Bearer"}

    def let_in(self, token: str) -> None:
        """Refuse a token that is unknown, or whose account is disabled: whatever became of its key."""
        email = self.tokens.get(token)
        if email is None or self.accounts[email]["disabled"]:
            raise Refused(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.")

    def answer(self, method: str, target: str, token: str, sent: bytes = b"") -> dict:
        """Answer a call of whoever got the token."""
        with self.lock:
            self.let_in(token)
            who, parts = self.tokens[token], urlsplit(target)
            if (told := self.grants.of_project(who, method, unquote(parts.path), sent)) is not None:
                return told
            found = _NAME.fullmatch(unquote(parts.path))
            if found is None:
                raise Refused(404, "NOT_FOUND", "Method not found.")
            project, email, keys, key_id, verb = found.groups()
            if project != self.project:
                raise Refused(404, "NOT_FOUND", f"Unknown project {project}")
            on = f"projects/{project}" if email is None else f"projects/{project}/serviceAccounts/{email}"
            if verb == "testIamPermissions" and email in self.accounts:
                return self.grants.tested(who, on, json.loads(sent)["permissions"])
            self.grants.need(who, _needed(method, email, keys, key_id, verb), on)
            if email is None:
                start = int(parse_qs(parts.query).get("pageToken", ["0"])[0])
                names = sorted(self.accounts)
                more = {"nextPageToken": str(start + PAGE)} if start + PAGE < len(names) else {}
                return {"accounts": [self.accounts[each] for each in names[start : start + PAGE]], **more}
            if email not in self.accounts:
                raise Refused(404, "NOT_FOUND", f"Unknown service account {email}")
            return self._done(method, email, keys, key_id, verb)

    def _done(self, method: str, email: str, keys: str | None, key_id: str | None, verb: str | None) -> dict:
        match method, keys, key_id, verb:
            case "GET", None, None, None:
                return self.accounts[email]
            case "POST", None, None, "enable" | "disable":
                self.accounts[email]["disabled"] = verb == "disable"
                return {}
            case "GET", "/keys", None, None:
                return {"keys": [self.listed(*each) for each in self.keys if each[0] == email]}
            case "POST", "/keys", None, None:
                made = self.create_key(email)
                data = base64.b64encode(json.dumps(made).encode()).decode()
                return {**self.listed(email, made["private_key_id"]), "privateKeyData": data}
            case "GET", "/keys", _, None:
                return self.listed(email, key_id)
            case "POST", "/keys", _, "enable" | "disable":
                self.listed(email, key_id)
                self.keys[email, key_id]["disabled"] = verb == "disable"
                return {}
            case "DELETE", "/keys", _, None:
                self.listed(email, key_id)
                del self.keys[email, key_id]
                return {}
        raise Refused(404, "NOT_FOUND", "Method not found.")


def _needed(method: str, email: str | None, keys: str | None, key_id: str | None, verb: str | None) -> str:
    """Return the permission that IAM's access control names for a call."""
    plain = {"GET": "get" if (key_id or (email and not keys)) else "list", "POST": "create", "DELETE": "delete"}
    return f"iam.{'serviceAccountKeys' if keys else 'serviceAccounts'}.{verb or plain[method]}"


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def _bytes(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _fits(public: rsa.RSAPublicKey, signed: str, signature: str) -> bool:
    try:
        public.verify(_bytes(signature), signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False
    return True


@contextlib.contextmanager
def fake_gcp() -> Iterator[FakeGcp]:
    """Serve until the block ends."""
    state = FakeGcp()

    class Asked(Request):
        def answered(self, sent):
            state.asked.append(f"{self.command} {self.path}")
            try:
                if self.path == "/token":
                    status, told = state.exchange(parse_qs(sent.decode())["assertion"][0])
                else:
                    token = self.headers.get("Authorization", "").removeprefix("Bearer ")
                    status, told = 200, state.answer(self.command, self.path, token, sent)
            except Refused as refusal:
                status, told = refusal.code, refusal.body
            self.reply(status, json.dumps(told).encode(), {"Content-Type": "application/json"})

    with listening(Asked) as state.endpoint_url:
        yield state
