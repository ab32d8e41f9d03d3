"""A Vault policy with one capability taken out of it, and whether what is then said of it is true when it is tried."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

import pytest

from rotator.errors import Rejected, Uncertain
from rotator.permissions import Permitted

_RULE = re.compile(r'path "([^"]+)"\s*\{ capabilities = \[([^]]*)] }')

_REFUSED = {"permission_denied", "no_database", "staged_copy_remains"}
QUESTION = 'path "sys/capabilities-self" { capabilities = ["update"] }'
"""The policy `default` has it, and more: what is to lack that goes without `default`."""


def lacking_one(policy: str) -> list[tuple[str, str]]:
    """Return each policy that is short of one capability, after what it is short of."""
    rules = [(path, re.findall(r"\w+", allowed)) for path, allowed in _RULE.findall(policy)]
    return [(f"{gone} on {path}", "".join(_without(rules, path, gone))) for path, allowed in rules for gone in allowed]


def _without(rules: list[tuple[str, list[str]]], path: str, gone: str) -> Iterator[str]:
    for each, allowed in rules:
        left = [word for word in allowed if (each, word) != (path, gone)]
        quoted = ", ".join(f'"{word}"' for word in left or ["deny"])
        yield f'path "{each}" {{ capabilities = [{quoted}] }}\n'


def assert_told_truly(provider: Permitted, whose: str, acts: Mapping[str, Callable[[], object]]) -> set[bool | None]:
    """Try each verb: what is said to be refused must be, and what is said to be granted must be done.

    Return all that was said.
    """
    told = provider.permissions(whose)
    for verb, act in acts.items():
        said = {each.granted for each in told if verb in each.verbs}
        if False in said:
            with pytest.raises((Rejected, Uncertain)) as refusal:
                act()
            assert refusal.value.reason in _REFUSED, (verb, refusal.value)
        elif None not in said:
            act()
    return {each.granted for each in told}
