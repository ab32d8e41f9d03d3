"""Every shipped playbook and strategy with the shape that its real provider gives it, and which case stands for it.

`python -m tests.crash.shipped` prints it. No network: making a provider opens no connection.
"""

from __future__ import annotations

import functools
import importlib
from collections import defaultdict

from rotator.credential import Secret
from rotator.flow.playbook_words import Strategy
from rotator.ports.connection import Connection
from rotator.ports.provider import Provider
from tests.crash.case import Case, Twist, every_case
from tests.crash.shape import Shape, shape_of
from tests.fakes.deployment import PLAYBOOKS
from tests.test_architecture import ADDRESSES, HOST_KEY


@functools.cache
def provider_of(kind: str) -> Provider:
    """Return the real provider of a shipped kind, on a connection that leads nowhere."""
    playbook = PLAYBOOKS[kind]
    module = importlib.import_module(f"rotator.providers.{playbook.provider}")
    given = dict.fromkeys(playbook.http.settings, "x") if playbook.http is not None else {}
    settings = {"hosts": ["127.0.0.1"], "user": "deploy", "known_hosts": HOST_KEY, "settings": given}
    address = ADDRESSES.get(getattr(module, "FAMILY", ""), "http://127.0.0.1:9")
    own = Connection("own", "any", "111122223333", address, lambda: Secret("{}"), settings)
    made: Provider = module.connect(own, kind, playbook.http)
    return made


@functools.cache
def shipped() -> tuple[tuple[str, Strategy, Shape], ...]:
    """Return the shape of each shipped playbook and strategy."""
    return tuple(
        (kind, strategy, shape_of(playbook, strategy, provider_of(kind), playbook.http))
        for kind, playbook in sorted(PLAYBOOKS.items())
        for strategy in playbook.strategies
    )


def stands_for() -> dict[Case, list[str]]:
    """Return which shipped kinds run as each case does, as usual and in one place."""
    alike: dict[Shape, list[str]] = defaultdict(list)
    for kind, strategy, shape in shipped():
        alike[shape].append(f"{kind}, {strategy}")
    usual = [case for case in every_case() if case.twist is Twist.NONE and case.places == 1]
    return {case: alike.get(case.shape, []) for case in usual}


if __name__ == "__main__":
    for case, kinds in stands_for().items():
        print(f"{case.kind}, {case.strategy}:", *kinds, sep="\n    ")  # noqa: T201 - it is a command
