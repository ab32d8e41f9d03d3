"""A role's trust policy: whom from outside it trusts; without one of them; and with that one again. Pure.

Whom it trusts stands under `Principal` of its statements: an account (its number, or its ARN that ends in `:root`), a
role, user or session of one, a federated provider (OIDC, SAML, a web identity), or `*`, which is everybody. An account
stands for all that is in it. AWS's services and our own account are no grants. A foreign principal that was deleted
stands there by a unique id (AROA…, AIDA…), and nobody can come as that one again.

A statement of ours stays behind for each one that was taken out. It denies nobody anything: nobody comes with that
external id. It tells the suspended from the unknown, and keeps a policy from being empty, which IAM refuses.
Source: IAM user guide, "AWS JSON policy elements: Principal" and "Modify a role trust policy".
not confirmed: in which words IAM refuses a policy without statements; none is ever written here.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from rotator.errors import Rejected

Policy = Mapping[str, Any]
Statement = dict[str, Any]

EVERYBODY = "*"
_MARK = "RotatorSuspended"
_EXTERNAL_ID = "sts:ExternalId"
_KINDS = ("AWS", "Federated")
_NUMBER = re.compile(r"[0-9]{12}")
_ROOT = re.compile(r"arn:[a-z-]+:iam::([0-9]{12}):root")
_OF_ACCOUNT = re.compile(r"arn:[a-z-]+:(?:iam|sts)::([0-9]{12}):(?!(?:oidc|saml)-provider/).+")
"""An identity provider is written down in our own account, and whom it vouches for are others."""
_SESSION = re.compile(r"arn:([a-z-]+):sts::([0-9]{12}):assumed-role/([^/]+)/.+")
_NOT = "NotPrincipal"


def named(principal: str) -> str:
    """Return a principal in one spelling: an account by its number, whichever way a policy wrote it."""
    found = _ROOT.fullmatch(principal)
    return found[1] if found else principal


def account_of(principal: str) -> str | None:
    """Return the account that it belongs to, None of an identity provider, and of everybody."""
    if _NUMBER.fullmatch(principal):
        return principal
    found = _OF_ACCOUNT.fullmatch(principal)
    return found[1] if found else None


def outsiders(policy: Policy, account: str) -> list[str]:
    """Return whom the policy trusts from outside of our account, each once, in its order.

    Whom a statement lets in by naming those alone whom it does not is everybody.
    """
    found: dict[str, None] = {}
    for statement in _allowing(policy):
        for kind, principals in _principals(statement).items():
            found |= dict.fromkeys(each for each in principals if kind == "Federated" or is_foreign(each, account))
        if _NOT in statement:
            found[EVERYBODY] = None
    return list(found)


def is_foreign(principal: str, account: str) -> bool:
    """Tell whether somebody outside of our account can come as it."""
    return principal == EVERYBODY or account_of(principal) not in (None, account)


def suspended(policy: Policy) -> list[str]:
    """Return whom rotator took out."""
    return [name for each in _statements(policy) if (name := _marks(each)) is not None]


def trusting(policy: Policy, principal: str) -> list[Statement]:
    """Return the statements that let it in by its own name."""
    return [each for each in _allowing(policy) if _names(each, principal)]


def wider(policy: Policy, principal: str) -> list[str]:
    """Return under which other names the policy lets it in too: its account's, its role's, or everybody's."""
    others = {EVERYBODY, account_of(principal)} - {principal, None}
    found = {str(each) for each in others if trusting(policy, str(each))}
    for statement in _allowing(policy):
        named_ = [each for listed in _principals(statement).values() for each in listed]
        found |= {each for each in named_ if _is_role_of(each, principal)}
        if _NOT in statement and principal not in _listed(statement[_NOT]):
            found.add(_NOT)
    return sorted(found)


def without(policy: Policy, principal: str) -> Policy:
    """Return the policy in which it is not trusted by its own name; all else stands as it was."""
    kept = unmarked(policy, principal)["Statement"]
    return {**policy, "Statement": [*kept, *([] if principal in suspended(policy) else [_mark(principal)])]}


def unmarked(policy: Policy, principal: str) -> Policy:
    """Return the same without a statement of ours, for a policy that has no room for one. It may be empty."""
    kept = [rest for each in _statements(policy) if (rest := _without(each, principal)) is not None]
    return {**policy, "Statement": kept}


def restored(policy: Policy, kept: Policy, principal: str) -> Policy:
    """Return the policy with what `kept` lets it do. What others changed meanwhile stays as they left it."""
    if any(alike(policy, out(kept, principal)) for out in (without, unmarked)):
        return kept
    statements = [each for each in _statements(policy) if _marks(each) != principal]
    there = trusting(policy, principal)
    for each in trusting(kept, principal):
        if any(alike(each, other) for other in there):
            continue
        rest = _without(each, principal)
        place = next((n for n, other in enumerate(statements) if rest is not None and alike(other, rest)), None)
        if place is None:
            statements.append(_alone(each, principal, {str(other.get("Sid")) for other in statements}))
        else:
            statements[place] = each
    return {**policy, "Statement": statements}


def read(text: str) -> Policy | None:
    """Read a policy that was kept as JSON; None for what is none."""
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def alike(one: Any, other: Any) -> bool:
    """Tell whether two parts of policies mean the same: IAM does not keep the order of a list, nor a list of one."""
    return bool(_plain(one) == _plain(other))


def _plain(part: Any) -> Any:
    if isinstance(part, Mapping):
        return {
            name: [_plain(each) for each in value] if name == "Statement" and isinstance(value, list) else _plain(value)
            for name, value in part.items()
        }
    if isinstance(part, list):
        plain = sorted((named(each) if isinstance(each, str) else each for each in part), key=json.dumps)
        return plain[0] if len(plain) == 1 else plain
    return named(part) if isinstance(part, str) else part


def _statements(policy: Policy) -> list[Statement]:
    """Return the statements. Raises Rejected("policy_unreadable") for what is none of IAM's policies."""
    found = policy.get("Statement") if isinstance(policy, Mapping) else None
    listed = [found] if isinstance(found, Mapping) else found
    if not isinstance(listed, list) or not all(isinstance(each, Mapping) for each in listed):
        raise Rejected("policy_unreadable", "the role's trust policy has no statements")
    return [dict(each) for each in listed]


def _allowing(policy: Policy) -> list[Statement]:
    return [each for each in _statements(policy) if each.get("Effect") == "Allow"]


def _principals(statement: Statement) -> dict[str, list[str]]:
    """Return whom a statement names of those who may come from outside."""
    told = statement.get("Principal")
    if told == EVERYBODY:
        return {"AWS": [EVERYBODY]}
    told = told if isinstance(told, Mapping) else {}
    lists = {kind: [told[kind]] if isinstance(told[kind], str) else list(told[kind]) for kind in _KINDS if kind in told}
    return {kind: [named(str(each)) for each in listed] for kind, listed in lists.items()}


def _listed(told: Any) -> list[str]:
    """Return whom an element names, of whichever sort."""
    lists = told.values() if isinstance(told, Mapping) else [told]
    return [named(str(each)) for listed in lists for each in ([listed] if isinstance(listed, str) else listed)]


def _is_role_of(name: str, session: str) -> bool:
    """Tell whether it is the role in which a session acts; a session's name leaves out the role's path."""
    found = _SESSION.fullmatch(session)
    if found is None:
        return False
    return re.fullmatch(rf"arn:{found[1]}:iam::{found[2]}:role/(?:.*/)?{re.escape(found[3])}", name) is not None


def _names(statement: Statement, principal: str) -> bool:
    return any(principal in listed for listed in _principals(statement).values())


def _without(statement: Statement, principal: str) -> Statement | None:
    """Return the statement for all others, None where there are none."""
    if statement.get("Effect") != "Allow" or not _names(statement, principal):
        return statement
    told = statement["Principal"] if isinstance(statement["Principal"], Mapping) else {}
    left = {kind: value for kind, value in told.items() if kind not in _KINDS}
    for kind in _KINDS:
        listed = [told[kind]] if isinstance(told.get(kind), str) else list(told.get(kind, []))
        if others := [each for each in listed if named(str(each)) != principal]:
            left[kind] = others
    return {**statement, "Principal": left} if left else None


def _alone(statement: Statement, principal: str, taken: set[str]) -> Statement:
    """Return the statement for it alone, under no name that another one has by now."""
    kind = next(kind for kind, listed in _principals(statement).items() if principal in listed)
    found = {**statement, "Principal": {kind: principal}}
    if str(found.get("Sid")) in taken:
        found.pop("Sid", None)
    return found


def _mark(principal: str) -> Statement:
    sid = _MARK + hashlib.sha256(principal.encode()).hexdigest()[:16]
    action = "sts:AssumeRole"
    condition = {"StringEquals": {_EXTERNAL_ID: f"{_MARK} {principal}"}}
    return {"Sid": sid, "Effect": "Deny", "Principal": {"AWS": EVERYBODY}, "Action": action, "Condition": condition}


def _marks(statement: Statement) -> str | None:
    """Return whom a statement of ours stands for."""
    if statement.get("Effect") != "Deny" or not str(statement.get("Sid", "")).startswith(_MARK):
        return None
    condition = statement.get("Condition")
    told = condition.get("StringEquals", {}) if isinstance(condition, Mapping) else {}
    value = told.get(_EXTERNAL_ID) if isinstance(told, Mapping) else None
    value = value[0] if isinstance(value, list) and len(value) == 1 else value
    return value.removeprefix(f"{_MARK} ") if isinstance(value, str) and value.startswith(f"{_MARK} ") else None
