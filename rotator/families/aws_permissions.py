"""What the rotator's own credential may do in an AWS account, by IAM's simulation of the policies that govern it.

iam:SimulatePrincipalPolicy calls nothing and changes nothing. It weighs what is attached to the user or role that signs
our calls, a user's groups, the permissions boundary and the organization's service control policies. It does not see
- the context of a real call (source address, second factor): what depends on a context key is None. Only the region is
  told. Of a service control policy IAM does not even name the key: one that refuses is None too, and one that depends
  on a key may still refuse what is said to be granted;
- a session policy, which may take from a role's session what its role may do: said with each grant of a session;
- a policy on the resource itself: what one may decide is None, unless our own policies deny it;
- resource control policies, and what the root user or a federated session may do.
Of all users at once, `user/*` is asked: what a policy singles out is seen only when that one is named, so that of all
of them nothing is ever said to be granted.
The rotator's own credential needs iam:SimulatePrincipalPolicy on itself; iam:GetRole on itself, where it is a role with
a path; iam:GetUser or GetRole on whom is asked about: an owner's name does not tell his path.

Confirmed: IAM's API reference (SimulatePrincipalPolicy, EvaluationResult), IAM user guide ("How the IAM policy
simulator works"; `aws:RequestedRegion`: IAM is called in us-east-1). Not confirmed: that a star is taken in an ARN;
an ARN that IAM refuses is None.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rotator.errors import Rejected
from rotator.families.aws import Account
from rotator.families.aws_sessions import ASSUMED, USER, Principal
from rotator.permissions import Permission

_ORGANIZATION = (
    "a service control policy refuses it in the simulation, which may know too little of a real call to be right"
)
_KEY_POLICY = "a key's own policy decides too, and IAM does not simulate it"


@dataclass(frozen=True, slots=True)
class Thing:
    """What an action is asked about.

    `several` says what to do where it stands for several, or its ARN is not known in full: what is not granted for all
    of them may be granted for one, and what is granted be denied for one; but of what is `unmade` there is none yet
    that a policy could single out. `also` says what decides besides our own policies.
    """

    arn: str
    several: str = ""
    also: str = ""
    unmade: bool = False


@dataclass(frozen=True, slots=True)
class Need:
    """An action on a thing that some verbs need."""

    verbs: tuple[str, ...]
    action: str
    on: Thing

    def judged(self, granted: bool | None, why: str) -> Permission:
        return Permission(self.verbs, f"{self.action} on {self.on.arn.split(':', 5)[-1]}", granted, why)


def needs(on: Thing, verbs: tuple[str, ...], *actions: str) -> list[Need]:
    """Return what these verbs need on a thing."""
    return [Need(verbs, action, on) for action in actions]


class Simulation:
    """The questions of one `permissions`, under one deadline.

    Raises Rejected("not_this_account") where our own credential is another account's.
    """

    def __init__(self, account: Account) -> None:
        self.exchange = account.exchange()
        account.refuse_wrong(self.exchange)
        self._own = account.own_arn(self.exchange)
        self._account, self._region = account.own_id(self.exchange), account.region
        self._partition = self._own.split(":")[1]

    def arn(self, service: str, name: str) -> str:
        """Return the ARN of what stands in our account and region."""
        region = "" if service == "iam" else self._region
        return f"arn:{self._partition}:{service}:{region}:{self._account}:{name}"

    def entity(self, kind: str, name: str | None) -> Thing:
        """Return a user or a role, or all of them. Raises Rejected("not_found") where there is none of that name."""
        every = self.arn("iam", f"{kind}/*")
        if name is None:
            return Thing(every, "name an owner")
        try:
            found = self.exchange.read("iam", f"get_{kind}", **Principal(kind, name).parameter)
        except Rejected as refusal:
            if refusal.reason != "access_denied":
                raise
            return Thing(every, f"iam:Get{kind.title()} would tell which path {name} has")
        return Thing(str(found[kind.title()]["Arn"]))

    def key(self, key: str) -> Thing:
        """Return a key of KMS by its ARN, its id or its alias."""
        name = key if key.startswith("alias/") else f"key/{key}"
        return Thing(key if key.startswith("arn:") else self.arn("kms", name), also=_KEY_POLICY)

    def any_key(self) -> Thing:
        """Return the key under which something stands that is not known, or has AWS's own key."""
        return Thing(self.arn("kms", "key/*"), also=f"needed where the value is under a key of its own; {_KEY_POLICY}")

    def told(self, asked: Sequence[Need]) -> list[Permission]:
        """Return what IAM says of each: one call for all actions on one thing."""
        principal = self._principal()
        if principal is None:
            why = f"IAM simulates users and roles alone, and the rotator acts as {self._own.split(':', 5)[-1]}"
            return [need.judged(None, why) for need in asked]
        said = {
            arn: self._simulated(principal, arn, [need.action for need in asked if need.on.arn == arn])
            for arn in dict.fromkeys(need.on.arn for need in asked)
        }
        return [need.judged(*self._decided(need, said[need.on.arn])) for need in asked]

    def _principal(self) -> str | None:
        """Return the ARN of the user or role whose policies govern our calls."""
        if USER.fullmatch(self._own):
            return self._own
        if (role := ASSUMED.fullmatch(self._own)) is None:
            return None
        try:
            return str(self.exchange.read("iam", "get_role", RoleName=role[1])["Role"]["Arn"])
        except Rejected as refusal:
            if refusal.reason != "access_denied":
                raise
            return self.arn("iam", f"role/{role[1]}")

    def _simulated(self, principal: str, arn: str, actions: list[str]) -> Mapping[str, Any] | str:
        """Return what IAM says of each action, or why it says nothing."""
        question: dict[str, Any] = {
            "PolicySourceArn": principal,
            "ActionNames": sorted(set(actions)),
            "ResourceArns": [arn],
        }
        if region := arn.split(":")[3] or ("us-east-1" if self._partition == "aws" else ""):
            key = {"ContextKeyName": "aws:RequestedRegion", "ContextKeyType": "string", "ContextKeyValues": [region]}
            question["ContextEntries"] = [key]
        try:
            found = list(self.exchange.pages("iam", "simulate_principal_policy", "EvaluationResults", **question))
        except Rejected as refusal:
            if refusal.reason == "access_denied":
                return f"asking needs iam:SimulatePrincipalPolicy on {principal}"
            if refusal.reason == "not_found":
                return f"IAM finds no {principal}: asking needs iam:GetRole on it, which tells its path"
            if refusal.reason == "own_credential_refused":
                raise
            return f"IAM does not simulate it ({refusal.reason})"
        return {str(each["EvalActionName"]).lower(): each for each in found}

    def _decided(self, need: Need, said: Mapping[str, Any] | str) -> tuple[bool | None, str]:
        if isinstance(said, str):
            return None, said
        if (found := said.get(need.action.lower())) is None:
            return None, "IAM's answer does not speak of it"
        granted, why = _weighed(found, need.on)
        if granted and ASSUMED.fullmatch(self._own):
            why = "to the role: a policy of this session alone, if it has one, is not seen"
        return granted, why


def _weighed(found: Mapping[str, Any], on: Thing) -> tuple[bool | None, str]:
    """Return what one answer comes to. It is told of the whole, and of each resource again."""
    parts = [found, *found.get("ResourceSpecificResults", [])]
    said = {str(part.get("EvalDecision") or part.get("EvalResourceDecision")) for part in parts}
    if open_keys := sorted({key for part in parts for key in part.get("MissingContextValues", [])}):
        return None, f"depends on {', '.join(open_keys)}, which only a real call shows"
    if found.get("OrganizationsDecisionDetail", {}).get("AllowedByOrganizations") is False:
        return None, _ORGANIZATION
    if not said <= {"allowed", "implicitDeny", "explicitDeny"}:
        return None, "IAM's answer is none of those that it publishes"
    if "explicitDeny" in said:
        sources = {str(each.get("SourcePolicyId")) for part in parts for each in part.get("MatchedStatements", [])}
        return False, f"denied by {', '.join(sorted(sources)) or 'a policy'}"
    if on.also:
        return None, on.also
    bounded = any(_outside(part) for part in parts)
    if said == {"allowed"} and not bounded:
        if on.several and not on.unmade:
            return None, f"granted, unless a policy denies it for some of them: {on.several}"
        return True, ""
    if on.several:
        return None, f"not granted for all of them: {on.several}"
    return False, "its permissions boundary does not allow it" if bounded else "no policy allows it"


def _outside(part: Mapping[str, Any]) -> bool:
    """Tell whether the permissions boundary does not allow it."""
    return part.get("PermissionsBoundaryDecisionDetail", {}).get("AllowedByPermissionsBoundary") is False
