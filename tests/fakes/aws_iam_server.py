"""A fake of what no emulator has of IAM: service-specific credentials, as the API reference of 2010-05-08 says.

Ours, so it proves only that we keep to what is published: two for a user and service, the limit and "no such" as IAM
words them, the secret told at creation alone. It looks at the key id of a request and not at its signature. Two keys
are let in: one of a user who may do everything, and one who may look; SimulatePrincipalPolicy says so of both.
"""

from __future__ import annotations

import contextlib
import itertools
import re
import secrets
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from tests.fakes.http_server import Request, listening

ACCOUNT = "111122223333"
LIMIT = 2
PAGE = 3
LOOKING = {"GetCallerIdentity", "ListServiceSpecificCredentials", "GetUser", "SimulatePrincipalPolicy"}
SERVICES = {"codecommit.amazonaws.com", "cassandra.amazonaws.com", "bedrock.amazonaws.com"}


class Refused(Exception):  # noqa: N818 - an answer, not a defect
    """An error as IAM answers it."""

    def __init__(self, code: str, message: str, status: int) -> None:
        super().__init__(code)
        self.code, self.message, self.status = code, message, status


@dataclass
class FakeIam:
    """Its state; `key_id` and `secret` are those that it lets in; with the key `looks_alone`, to look."""

    endpoint_url: str = ""
    account: str = ACCOUNT
    key_id: str = "AKIAFAKEFAKEFAKEFAKE"
    looks_alone: str = "AKIALOOKLOOKLOOKLOOK"
    secret: str = field(default_factory=lambda: secrets.token_hex(20))
    users: set[str] = field(default_factory=set)
    held: dict[str, dict[str, str]] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def let_in(self, key_id: str, action: str) -> str:
        """Return the ARN of who asks; refuse whoever it does not know, and what he may not do."""
        user = {self.key_id: "rotator", self.looks_alone: "looker"}.get(key_id)
        if user is None:
            raise Refused("InvalidClientTokenId", "The security token included in the request is invalid", 403)
        arn = f"arn:aws:iam::{ACCOUNT}:user/{user}"
        if not _may(arn, action):
            raise Refused("AccessDenied", f"User: {arn} is not authorized to perform: iam:{action}", 403)
        return arn

    def create(self, user: str, service: str) -> dict[str, str]:
        """Make a credential; the only time that its secret is told."""
        with self.lock:
            self._user(user)
            if service not in SERVICES:
                raise Refused("NotSupportedService", f"{service} is not supported", 404)
            same = [each for each in self.held.values() if (each["UserName"], each["ServiceName"]) == (user, service)]
            if len(same) >= LIMIT:
                raise Refused(
                    "LimitExceeded", f"Cannot exceed quota for ServiceSpecificCredentialsPerUser: {LIMIT}", 409
                )
            made = {
                "CreateDate": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
                "ServiceName": service,
                "ServiceSpecificCredentialId": f"ACCA{secrets.token_hex(8).upper()}",
                "UserName": user,
                "Status": "Active",
            }
            if service == "bedrock.amazonaws.com":
                made["ServiceCredentialAlias"] = f"BedrockAPIKey-{secrets.token_hex(2)}-at-{ACCOUNT}"
                told = {"ServiceCredentialSecret": secrets.token_hex(32)}
            else:
                made["ServiceUserName"] = f"{user}{f'+{len(same)}' if same else ''}-at-{ACCOUNT}"
                told = {"ServicePassword": secrets.token_urlsafe(32)}
            self.held[made["ServiceSpecificCredentialId"]] = made
            return {**made, **told}

    def _user(self, user: str) -> None:
        if user not in self.users:
            raise Refused("NoSuchEntity", f"The user with name {user} cannot be found.", 404)

    def _of(self, asked: dict[str, str]) -> dict[str, str]:
        self._user(asked["UserName"])
        found = self.held.get(asked["ServiceSpecificCredentialId"])
        if found is None or found["UserName"] != asked["UserName"]:
            raise Refused("NoSuchEntity", "The service specific credential cannot be found.", 404)
        return found

    def answer(self, asked: dict[str, str], arn: str) -> str:
        """Return the result's XML for whoever asks."""
        with self.lock:
            match asked["Action"]:
                case "GetCallerIdentity":
                    return f"<Arn>{arn}</Arn><UserId>AIDAROTATOR</UserId><Account>{ACCOUNT}</Account>"
                case "GetUser":
                    self._user(name := asked["UserName"])
                    return f"<User><UserName>{name}</UserName><Arn>arn:aws:iam::{ACCOUNT}:user/{name}</Arn></User>"
                case "SimulatePrincipalPolicy":
                    return _simulated(asked)
                case "ListServiceSpecificCredentials":
                    return self._listed(asked)
                case "UpdateServiceSpecificCredential":
                    self._of(asked)["Status"] = asked["Status"]
                case "DeleteServiceSpecificCredential":
                    del self.held[self._of(asked)["ServiceSpecificCredentialId"]]
                case action:
                    raise Refused("InvalidAction", f"Could not find operation {action}", 400)
            return ""

    def _listed(self, asked: dict[str, str]) -> str:
        everybody = asked.get("AllUsers") == "true"
        if not everybody:
            self._user(asked["UserName"])
        found = [each for each in self.held.values() if everybody or each["UserName"] == asked["UserName"]]
        start = int(asked.get("Marker", "0"))
        members = "".join(f"<member>{_xml(each)}</member>" for each in found[start : start + PAGE])
        more = start + PAGE < len(found)
        rest = f"<IsTruncated>{str(more).lower()}</IsTruncated>" + (f"<Marker>{start + PAGE}</Marker>" if more else "")
        return f"<ServiceSpecificCredentials>{members}</ServiceSpecificCredentials>{rest}"


def _may(arn: str, action: str) -> bool:
    return action in LOOKING or not arn.endswith("/looker")


def _simulated(asked: dict[str, str]) -> str:
    actions = [value for name, value in asked.items() if name.startswith("ActionNames.member.")]
    decided = {each: _may(asked["PolicySourceArn"], each.removeprefix("iam:")) for each in actions}
    told = [
        {"EvalActionName": action, "EvalResourceName": "*", "EvalDecision": "allowed" if may else "implicitDeny"}
        for action, may in decided.items()
    ]
    members = "".join(f"<member>{_xml(each)}</member>" for each in told)
    return f"<EvaluationResults>{members}</EvaluationResults><IsTruncated>false</IsTruncated>"


def _xml(fields: dict[str, str]) -> str:
    return "".join(f"<{name}>{escape(value)}</{name}>" for name, value in fields.items())


@contextlib.contextmanager
def fake_iam() -> Iterator[FakeIam]:
    """Serve until the block ends."""
    state = FakeIam()

    class Asked(Request):
        def answered(self, sent):
            asked = {name: values[0] for name, values in parse_qs(sent.decode()).items()}
            action = asked["Action"]
            try:
                signer = re.search(r"Credential=([A-Z0-9]+)/", self.headers.get("Authorization", ""))
                said = state.answer(asked, state.let_in(signer[1] if signer else "", action))
                body = f"<{action}Response><{action}Result>{said}</{action}Result></{action}Response>"
                status = 200
            except Refused as refusal:
                told = f"<Code>{refusal.code}</Code><Message>{escape(refusal.message)}</Message>"
                body, status = f"<ErrorResponse><Error>{told}</Error></ErrorResponse>", refusal.status
            self.reply(status, body.encode(), {"Content-Type": "text/xml", "x-amzn-RequestId": "r-1"})

    with listening(Asked) as state.endpoint_url:
        yield state
