"""Sessions that STS issued: whose they are, what a report holds of one, and what ends them before their time.

A temporary credential holds until it expires and cannot be taken back. What ends it is an inline policy on its
principal that denies whatever was issued before a moment: the console writes it as AWSRevokeOlderSessions. Requests
that are signed with a long-term key carry no issue time and are not touched.
Source: IAM user guide, "Revoke IAM role temporary security credentials" and "Disabling permissions for temporary
security credentials".
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import mktime_tz, parsedate_tz
from typing import Any

from botocore.credentials import Credentials

from rotator.credential import Leaked
from rotator.errors import Rejected
from rotator.families.aws import Account, Exchange, moment

SESSIONS_POLICY = "RotatorRevokeOlderSessions"
"""Our own name, so that a policy which a person wrote with the console stays as it is."""

_PARTS = re.compile(
    r"(access_?key_?id|secret_?access_?key|(?:session|security)_?token|\btoken)[\"']?\s*[:=]\s*[\"']?([A-Za-z0-9/+=_-]{16,4096})",
    re.IGNORECASE,
)
"""STS's own JSON, instance metadata, `.aws/credentials` and exported variables all spell the three parts like that."""
ASSUMED = re.compile(r"arn:[a-z-]+:sts::[0-9]{12}:assumed-role/([^/]+)/.+")
USER = re.compile(r"arn:[a-z-]+:iam::[0-9]{12}:user/(?:.*/)?([^/]+)")
_SESSION_ID = re.compile(r"ASIA[A-Z0-9]{12,124}")


@dataclass(frozen=True, slots=True)
class Principal:
    """A role or a user: `role/NAME` or `user/NAME`."""

    kind: str
    name: str

    @classmethod
    def of(cls, owner: str) -> Principal:
        """Read it from a credential's owner. Raises Rejected("unreadable")."""
        kind, _, name = owner.partition("/")
        if kind not in {"role", "user"} or not re.fullmatch(r"[\w+=,.@-]{1,128}", name, re.ASCII):
            raise Rejected("unreadable", "a session's owner is role/NAME or user/NAME")
        return cls(kind, name)

    @property
    def parameter(self) -> dict[str, str]:
        """Name it as IAM's calls do."""
        return {"RoleName" if self.kind == "role" else "UserName": self.name}


def material(leaked: Leaked) -> Credentials:
    """Return the three parts of a session, however the report wrote them.

    Raises Rejected("unreadable") when one is missing, Rejected("mispaired") when the id is another's.
    """
    text = leaked.secret.reveal() if leaked.secret is not None else ""
    found = {re.sub("[^a-z]", "", name.lower()): value for name, value in _PARTS.findall(text)}
    token = found.get("sessiontoken") or found.get("securitytoken") or found.get("token")
    key_id = found.get("accesskeyid") or leaked.id
    if not key_id or not token or not (secret := found.get("secretaccesskey")):
        raise Rejected("unreadable", "a session is its key id, its secret key and its session token together")
    if not _SESSION_ID.fullmatch(key_id):
        raise Rejected("unreadable", "a session's key id begins with ASIA")
    if leaked.id not in (None, key_id):
        raise Rejected("mispaired", f"the report's material is not that of {leaked.id}")
    return Credentials(key_id, secret, token)


def deny_older(
    account: Account, exchange: Exchange, principal: Principal, policy: str = SESSIONS_POLICY, sid: str = ""
) -> str:
    """Deny whatever was issued to the principal before now; return the moment. Repeating it moves the moment on.

    Raises Rejected("own_principal") when the rotator's own session is one of those that would end.
    """
    refuse_own(account, exchange, principal)
    when = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=1)
    answer = _put(exchange, principal, policy, sid, when)
    # The issue times are by the issuer's clock: when ours is behind, sessions of the last minutes would live on.
    theirs = parsedate_tz(answer["ResponseMetadata"]["HTTPHeaders"].get("date"))
    if theirs and (later := datetime.fromtimestamp(mktime_tz(theirs), UTC)) > when:
        when = later
        _put(exchange, principal, policy, sid, when)
    return moment(when)


def denied(exchange: Exchange, principal: Principal, policy: str) -> dict[str, Any] | None:
    """Return the statement that `deny_older` wrote, or None when there is none."""
    try:
        found = exchange.read("iam", f"get_{principal.kind}_policy", **principal.parameter, PolicyName=policy)
    except Rejected as refusal:
        if refusal.reason != "not_found":
            raise
        return None
    document = found["PolicyDocument"]  # which boto3 has decoded
    statements = document.get("Statement") if isinstance(document, dict) else None
    first = statements[0] if isinstance(statements, list) and statements else None
    return first if isinstance(first, dict) and first.get("Effect") == "Deny" else None


def refuse_own(account: Account, exchange: Exchange, principal: Principal) -> None:
    """Keep the rotator from denying its own session; a long-term key of its own carries no issue time.

    Raises Rejected("own_principal").
    """
    if not (account.own_key_id() or "").startswith("ASIA"):
        return
    arn = account.own_arn(exchange)
    found = ASSUMED.fullmatch(arn) if principal.kind == "role" else USER.fullmatch(arn)
    if found and found[1] == principal.name:
        raise Rejected("own_principal", f"the rotator itself acts in a session of {principal.name}")


def _put(exchange: Exchange, principal: Principal, policy: str, sid: str, when: datetime) -> Any:
    statement: dict[str, Any] = {
        **({"Sid": sid} if sid else {}),
        "Effect": "Deny",
        "Action": "*",
        "Resource": "*",
        "Condition": {"DateLessThan": {"aws:TokenIssueTime": moment(when)}},
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    return exchange.change(
        "iam", f"put_{principal.kind}_policy", **principal.parameter, PolicyName=policy, PolicyDocument=document
    )
