"""A grant of AWS: a role that somebody outside of our account may assume, since its trust policy says so.

It has no secret, so there is nothing to knock with: IAM's word settles it, and a session that was opened through it
(`aws_sts_session`) proves its own end. The owner is role/NAME, the id NAME/PRINCIPAL, as in
`vendor-access/arn:aws:iam::999988887777:role/sync` or `vendor-access/999988887777`.

IAM's UpdateAssumeRolePolicy takes no condition: what another hand writes between our look and our write is lost, so
the policy is looked at directly before, and again after; one that then differs is changed anew.
A session lives on when trust is gone, so all older ones of the role are denied, whoever opened them.
The rotator's own credential needs on its roles: iam:GetRole, UpdateAssumeRolePolicy, Get- and PutRolePolicy;
iam:ListRoles to discover; sts:GetCallerIdentity; to be asked what it may do, iam:SimulatePrincipalPolicy on itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.errors import MayBeAbsent, Rejected, Unavailable
from rotator.families.aws import Account, Exchange, moment
from rotator.families.aws_permissions import Simulation, needs
from rotator.families.aws_sessions import SESSIONS_POLICY, Principal, deny_older, refuse_own
from rotator.families.aws_trust import (
    Policy,
    account_of,
    alike,
    is_foreign,
    named,
    outsiders,
    read,
    restored,
    suspended,
    trusting,
    unmarked,
    wider,
    without,
)
from rotator.kind import Kind
from rotator.permissions import LOOK, Permission
from rotator.ports.connection import Connection
from rotator.ports.listing import Discovered
from rotator.ports.provider import Capability, State, Status, Verdict
from rotator.rest_kind import RestKind

FAMILY = "aws"
SETTLE_S = 10.0
"""IAM spreads a policy within seconds as a rule; its user guide allows itself minutes."""
POLICY = "trust_policy"
"""Under which name `preserve` keeps the whole trust policy."""

_AWS_OWN = ("/aws-service-role/", "/aws-reserved/")
"""Paths of roles that AWS's services and IAM Identity Center keep: nobody else may change them."""
_ID = re.compile(r"([\w+=,.@-]{1,64})/(\S{1,600})", re.ASCII)


def connect(connection: Connection, name: str, rest: RestKind | None = None) -> AwsRoleTrust:
    """Return the provider for one account."""
    return AwsRoleTrust(connection, name)


class AwsRoleTrust(Kind):
    """Whom the roles of one account trust from outside; `owner` is role/NAME."""

    family: ClassVar[str] = FAMILY
    capability: ClassVar[Capability] = Capability.DISABLE_ONLY
    is_grant: ClassVar[bool] = True
    no_knock: ClassVar[str] = "trust has no secret: whoever is trusted comes with his own"
    no_canary: ClassVar[str] = "a role that trusts somebody else would be made for it"
    sends_secret: ClassVar[bool] = False
    nobody: ClassVar[tuple[str, str]] = ("role/rotator-provider-check", "rotator-provider-check/999999999999")
    calls: ClassVar[Mapping[str, int]] = {"preserve": 2, "suspend": 3, "resume": 3}
    also_ends: ClassVar[str] = "every older session of its role, whoever opened it"
    settle_s = SETTLE_S
    secret_field = "external_id"  # noqa: S105 - the name of a field; nothing is ever delivered

    def __init__(self, connection: Connection, name: str) -> None:
        super().__init__(connection, name)
        self._account = Account(connection)

    def identify(self, leaked: Leaked) -> CredentialRef:
        """Name it by its role and its principal, which the role must trust, or have trusted until rotator stopped it.

        Raises Rejected("unreadable") for another form, Rejected("not_a_grant") for a principal of our own account.
        """
        self._must_belong(leaked)
        found = _ID.fullmatch(leaked.id or "")
        if found is None:
            raise Rejected("unreadable", "such a grant is ROLE/PRINCIPAL, its principal as the trust policy has it")
        ref = self._ref(found[1], named(found[2]))
        exchange = self._account.exchange()
        policy = self._policy(exchange, ref)
        if policy is None or _principal(ref) not in {*self._outside(exchange, policy), *suspended(policy)}:
            raise Rejected("unknown_credential", f"{ref.owner} does not trust {_principal(ref)}")
        return ref

    def inspect(self, ref: CredentialRef) -> Status:
        """Return ACTIVE while the role trusts it, by its own name or a wider one, SUSPENDED while our mark stands."""
        policy = self._policy(self._account.exchange(), ref)
        return Status(State.ABSENT) if policy is None else Status(_state(policy, ref), _facts(policy, ref))

    def siblings(self, ref: CredentialRef) -> frozenset[CredentialRef]:
        """Return all whom the role trusts from outside, and whom rotator took out of that."""
        exchange = self._account.exchange()
        policy = self._policy(exchange, ref)
        listed = [] if policy is None else [*self._outside(exchange, policy), *suspended(policy)]
        return frozenset(self._ref(_role(ref), each) for each in listed)

    def discover(self) -> Iterator[Discovered]:
        """Yield whom each role trusts from outside. When one last assumed it, IAM tells of the role as a whole."""
        account = self._account.own_id(self._account.exchange())
        for role in self._account.listing("iam", "list_roles", "Roles"):
            policy = role.get("AssumeRolePolicyDocument")
            if str(role.get("Path", "/")).startswith(_AWS_OWN) or not isinstance(policy, dict):
                continue
            for principal in dict.fromkeys([*outsiders(policy, account), *suspended(policy)]):
                ref = self._ref(str(role["RoleName"]), principal)
                facts = {"created_at": moment(role["CreateDate"]), "state": _state(policy, ref).value}
                yield Discovered(ref, {**_facts(policy, ref), **facts})

    def preserve(self, ref: CredentialRef) -> Mapping[str, str]:
        """Return the whole trust policy, from which `restore` puts back what was taken out; nothing in it is secret."""
        policy = self._policy(self._account.exchange(), ref)
        if policy is None:
            return {"state": State.ABSENT.value}
        return {**_facts(policy, ref), POLICY: json.dumps(policy, sort_keys=True)}

    def suspend(self, ref: CredentialRef) -> None:
        """Take it out of every statement that names it; those of others stand.

        Raises Rejected("own_principal") for a role in which the rotator itself acts: it may have come by this trust.
        """
        exchange = self._account.exchange()
        policy = self._standing(exchange, ref)
        refuse_own(self._account, exchange, Principal.of(ref.owner))
        if not trusting(policy, _principal(ref)):
            return
        try:
            self._replace(exchange, ref, without(policy, _principal(ref)))
        except Rejected as refusal:
            short = unmarked(policy, _principal(ref))
            if refusal.reason != "quota" or not short["Statement"]:
                raise
            self._replace(exchange, ref, short)  # our mark made it too long, and must not keep the trust alive

    def restore(self, ref: CredentialRef, preserved: Mapping[str, str]) -> None:
        """Put back the statements that named it. Raises Rejected("nothing_preserved") where none is known."""
        exchange = self._account.exchange()
        policy = self._standing(exchange, ref)
        principal = _principal(ref)
        if trusting(policy, principal) and principal not in suspended(policy):
            return
        kept = read(preserved.get(POLICY, ""))
        if kept is None or not trusting(kept, principal):
            raise Rejected("nothing_preserved", f"how {ref.owner} trusted {principal} is not known: a person writes it")
        self._replace(exchange, ref, restored(policy, kept, principal))

    def end_sessions(self, ref: CredentialRef) -> Mapping[str, str]:
        """Deny every session of the role that was issued before now; repeating it moves the moment on.

        Raises Rejected("own_principal") when the rotator's own session is one of them.
        """
        exchange = self._account.exchange()
        self._account.refuse_wrong(exchange)
        before = deny_older(self._account, exchange, Principal.of(ref.owner))
        return {"policy": SESSIONS_POLICY, "on": ref.owner, "denies_sessions_issued_before": before}

    def verify(self, ref: CredentialRef, secret: Secret) -> Verdict:  # noqa: ARG002 - nobody is shown it
        """Raise Rejected("no_knock")."""
        raise Rejected("no_knock", self.no_knock)

    def revoke(self, ref: CredentialRef) -> None:
        """Raise Rejected("unsupported"): what is taken out is kept, so that it can be put back."""
        raise Rejected("unsupported", f"{ref.id} is taken out by suspend: nothing is left to destroy")

    def permissions(self, whose: str | None) -> Sequence[Permission]:
        """Return what is needed of a role, or of all."""
        simulation = Simulation(self._account)
        on = simulation.entity("role", Principal.of(whose).name if whose else None)
        return simulation.told(
            [
                *needs(on, (LOOK, "preserve", "suspend", "resume"), "iam:GetRole"),
                *needs(on, ("suspend", "resume"), "iam:UpdateAssumeRolePolicy"),
                *needs(on, ("end_sessions",), "iam:GetRolePolicy", "iam:PutRolePolicy"),
            ]
        )

    def _ref(self, role: str, principal: str) -> CredentialRef:
        return self._ref_of(f"role/{role}", f"{role}/{principal}")

    def _outside(self, exchange: Exchange, policy: Policy) -> list[str]:
        return outsiders(policy, self._account.own_id(exchange))

    def _policy(self, exchange: Exchange, ref: CredentialRef) -> Policy | None:
        """Return the role's trust policy, None where there is no such role."""
        with MayBeAbsent():
            found = exchange.read("iam", "get_role", RoleName=_role(ref))["Role"]["AssumeRolePolicyDocument"]
            if not isinstance(found, dict):
                raise Unavailable("answer_unreadable", "the trust policy is no JSON object")
            return found
        self._account.refuse_wrong(exchange)
        return None

    def _standing(self, exchange: Exchange, ref: CredentialRef) -> Policy:
        """Return the policy that is to be changed. Raises Rejected for what is ours, or not there."""
        if account_of(_principal(ref)) is not None and not is_foreign(_principal(ref), self._account.own_id(exchange)):
            raise Rejected("not_a_grant", f"{_principal(ref)} is of our own account")
        policy = self._policy(exchange, ref)
        if policy is None:
            raise Rejected("not_found", f"there is no {ref.owner}")
        return policy

    def _replace(self, exchange: Exchange, ref: CredentialRef, policy: Policy) -> None:
        document = json.dumps(policy, separators=(",", ":"))
        exchange.change("iam", "update_assume_role_policy", RoleName=_role(ref), PolicyDocument=document)
        standing = self._policy(exchange, ref)
        if standing is None or not alike(standing, policy):
            raise Unavailable("being_edited", f"the trust policy of {ref.owner} changed meanwhile", retry_after=1.0)


def _role(ref: CredentialRef) -> str:
    return Principal.of(ref.owner).name


def _principal(ref: CredentialRef) -> str:
    """Return whom the role trusts. Raises Rejected("unreadable")."""
    role, slash, principal = ref.id.partition("/")
    if not slash or not principal or ref.owner != f"role/{role}":
        raise Rejected("unreadable", "such a grant is ROLE/PRINCIPAL, and its owner role/ROLE")
    return principal


def _state(policy: Policy, ref: CredentialRef) -> State:
    """Return SUSPENDED only where no other name lets it in: whom a whole account covers is trusted all the same."""
    principal = _principal(ref)
    if trusting(policy, principal) or wider(policy, principal):
        return State.ACTIVE
    return State.SUSPENDED if principal in suspended(policy) else State.ABSENT


def _facts(policy: Policy, ref: CredentialRef) -> dict[str, str]:
    principal = _principal(ref)
    conditions = [each["Condition"] for each in trusting(policy, principal) if each.get("Condition")]
    also = wider(policy, principal)
    return {
        "trusts": principal,
        **({"of_account": account} if (account := account_of(principal)) else {}),
        **({"only_if": json.dumps(conditions, sort_keys=True)} if conditions else {}),
        **({"trusted_also_as": ", ".join(also)} if also else {}),
    }
