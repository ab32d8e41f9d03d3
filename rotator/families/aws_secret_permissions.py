"""What is asked about a secret of AWS Secrets Manager: by its ARN, with the key it is under and its own policy.

Six letters that nobody chose end a secret's ARN, so an existing one is looked up. Its own policy may grant or deny
what ours do not, and IAM does not simulate it; where there is one, or nobody may look, only a denial is sure.
The rotator's own credential needs secretsmanager:DescribeSecret and GetResourcePolicy to ask.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from rotator.errors import Rejected
from rotator.families.aws_permissions import Simulation, Thing

_AWS_KEY = "alias/aws/secretsmanager"


@dataclass(frozen=True, slots=True)
class Looked:
    """A secret, the key it is under (None: AWS's own), and by which ARNs it may be made where it is missing.

    When it refuses CreateSecret, AWS speaks of the name alone; what it documents is the ARN with its six letters. So
    both must be granted.
    """

    secret: Thing
    key: Thing | None
    made_as: tuple[Thing, ...] = ()


def looked_up(simulation: Simulation, name: str | None) -> Looked:
    """Return what a name or an ARN leads to; of no name, what stands for all of them."""
    if name is None:
        every = Thing(simulation.arn("secretsmanager", "secret:*"), "name a secret")
        return Looked(every, simulation.any_key(), (every,))
    own = name if name.startswith("arn:") else simulation.arn("secretsmanager", f"secret:{name}")
    try:
        found = simulation.exchange.read("secretsmanager", "describe_secret", SecretId=name)
    except Rejected as refusal:
        if refusal.reason == "not_found":
            unmade = Thing(f"{own}-AAAAAA")
            either = "by which ARN AWS weighs a secret that is not there yet, it does not say"
            return Looked(unmade, None, (replace(unmade, several=either, unmade=True), Thing(own, either, unmade=True)))
        if refusal.reason != "access_denied":
            raise
        return Looked(
            Thing(f"{own}-*", "secretsmanager:DescribeSecret would tell its ARN", _policy(simulation, name)),
            simulation.any_key(),
        )
    key = str(found.get("KmsKeyId") or _AWS_KEY)
    return Looked(
        Thing(str(found["ARN"]), also=_policy(simulation, name)),
        None if key.endswith(_AWS_KEY) else simulation.key(key),
    )


def _policy(simulation: Simulation, name: str) -> str:
    """Return what is to be said of the secret's own policy; nothing where there is none."""
    try:
        found = simulation.exchange.read("secretsmanager", "get_resource_policy", SecretId=name)
    except Rejected as refusal:
        if refusal.reason != "access_denied":
            raise
        return "secretsmanager:GetResourcePolicy would tell whether it has a policy of its own, which decides too"
    return "the secret's own policy decides too, and IAM does not simulate it" if found.get("ResourcePolicy") else ""
