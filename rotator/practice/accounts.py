"""Make IAM users in the emulated AWS account, with keys that a scanner takes for real ones."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Mapping

from rotator.practice.laptop import AwsKey
from rotator.practice.ministack import Ministack

_REAL_KEY_ID = re.compile(r"AKIA[A-Z2-7]{16}")
_REAL_ENTROPY = 3.1
"""Bits for each character, a little above what kingfisher asks of a key's id."""
_MINTS_AT_MOST = 5000


def service_user(server: Ministack, name: str, *allowed: Mapping[str, object]) -> AwsKey:
    """Make an IAM user that may do what the statements say and nothing else; return its key."""
    _, key_id, secret = server.plant(name)
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **each} for each in allowed]}
    server.iam.put_user_policy(UserName=name, PolicyName="practice", PolicyDocument=json.dumps(document))
    return AwsKey(key_id, secret)


def leaky_user(server: Ministack, name: str) -> AwsKey:
    """Make an IAM user whose key a scanner will find.

    The emulator's ids are hexadecimal, AWS writes them in base32, and scanners look for AWS: so keys are minted until
    one looks like AWS's, which takes about a hundred and as many milliseconds.
    """
    for _ in range(_MINTS_AT_MOST):
        _, key_id, secret = server.plant(name)
        if _REAL_KEY_ID.fullmatch(key_id) and _entropy(key_id) >= _REAL_ENTROPY:
            return AwsKey(key_id, secret)
        server.iam.delete_access_key(UserName=name, AccessKeyId=key_id)
    raise RuntimeError("the AWS emulator minted no key id that a scanner would know")


def _entropy(text: str) -> float:
    return -sum(n / len(text) * math.log2(n / len(text)) for n in Counter(text).values())
