"""Hold a playbook against what its provider can do, and walk every strategy of it, before anything runs.

`playbook.py` says that each step makes sense; `playbook_walk.py` that the steps of one strategy do, in their order.
"""

from __future__ import annotations

from collections.abc import Iterator

from rotator.flow.playbook import Playbook
from rotator.flow.playbook_line import Line
from rotator.flow.playbook_walk import Can, Misstep, Walk
from rotator.flow.playbook_words import AT_TARGETS, Verb
from rotator.ports.abilities import (
    Choosing,
    Installable,
    Issuing,
    Preserving,
    Restorable,
    SessionEnding,
    Settable,
    Suspendable,
)
from rotator.ports.provider import Capability, Provider

_PROTOCOLS: dict[Can, type | tuple[type, ...]] = {
    Can.ISSUING: Issuing,
    Can.CHOOSING: Choosing,
    Can.SETTABLE: Settable,
    Can.SUSPENDABLE: (Suspendable, Restorable),
    Can.SESSION_ENDING: SessionEnding,
    Can.PRESERVING: Preserving,
    Can.INSTALLABLE: Installable,
}

_NEEDS = {
    Verb.PRESERVE: Can.PRESERVING,
    Verb.SUSPEND: Can.SUSPENDABLE,
    Verb.RESUME: Can.SUSPENDABLE,
    Verb.END_SESSIONS: Can.SESSION_ENDING,
    Verb.ISSUE: Can.ISSUING,
    Verb.GENERATE: Can.CHOOSING,
    Verb.INSTALL: Can.SETTABLE,
    Verb.UNINSTALL: Can.SETTABLE,
    Verb.REVOKE: Can.REVOCABLE,
}


def capabilities(provider: Provider) -> frozenset[Can]:
    """Return what this provider's object can do, by the protocols of `ports/` that it keeps."""
    kept = {can for can, protocol in _PROTOCOLS.items() if isinstance(provider, protocol)}
    return frozenset(kept | ({Can.REVOCABLE} if provider.capability is Capability.REVOCABLE else set()))


def asked(playbook: Playbook) -> frozenset[Can]:
    """Return what the playbook asks of its provider: what to check against while no provider is at hand."""
    return frozenset(need for line in playbook.steps for need in _needs(line))


def check(playbook: Playbook, can: frozenset[str]) -> list[Misstep]:
    """Return what is wrong with the playbook for a provider that `can` do these things; nothing wrong is an empty list.

    Each problem is told once, at the first step that shows it.
    """
    able = frozenset(map(Can, can)) - _left_out(playbook)
    found = [*_unable(playbook, able), *_unreachable(playbook)]
    for strategy in playbook.strategies:
        found += Walk(strategy, playbook.path(strategy), able).problems()
    return list(dict.fromkeys(found))


def _left_out(playbook: Playbook) -> frozenset[Can]:
    """Return what the `http:` section describes no call for, whatever the generic provider's object looks like."""
    if playbook.http is None:
        return frozenset()
    calls = {Can.ISSUING: playbook.http.issue, Can.SUSPENDABLE: playbook.http.suspend}
    return frozenset(can for can, call in calls.items() if call is None)


def _needs(line: Line) -> Iterator[Can]:
    """Yield what the line asks of its provider: nothing where a person does it."""
    if line.by_hand is not None:
        return
    if line.each is not None:
        yield Can.INSTALLABLE
    for verb in (line.do.verb, line.undo):
        if verb in _NEEDS and not (line.each is not None and verb in AT_TARGETS):
            yield _NEEDS[verb]


def _unable(playbook: Playbook, able: frozenset[Can]) -> Iterator[Misstep]:
    for line in playbook.steps:
        for need in dict.fromkeys(_needs(line)):
            if need not in able:
                asks = f"`undo: {line.undo}`" if line.undo and _NEEDS.get(line.undo) is need else f"`{line.do}`"
                where = " at each target" if need is Can.INSTALLABLE and line.each else ""
                mend = "a playbook may only ask for what its provider can do"
                yield Misstep(line.id, f"{playbook.playbook} is not {need}: it cannot do {asks}{where}", mend)


def _unreachable(playbook: Playbook) -> Iterator[Misstep]:
    for line in playbook.steps:
        if not any(line.applies(strategy) for strategy in playbook.strategies):
            yield Misstep(line.id, "no strategy of this playbook reaches it", "add the strategy to `strategies`")
