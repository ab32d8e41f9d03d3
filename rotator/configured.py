"""What the configuration says of accounts, credentials and budgets, refused where it fits no kind and no family."""

from __future__ import annotations

from difflib import get_close_matches
from importlib.util import find_spec
from typing import TYPE_CHECKING

from rotator.errors import BadInput
from rotator.flow.budget import Limit, strictest
from rotator.flow.inventory import CONFIGURATION, Entry
from rotator.flow.playbook_words import meant
from rotator.settings.connections import ConnectionSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rotator.flow.playbook import Playbook
    from rotator.ports.connection import Connection
    from rotator.settings.configuration import Settings


def connections(settings: Settings, playbooks: Mapping[str, Playbook]) -> list[Connection]:
    """Return every configured connection, each key of it known. Raises BadInput for the first that is not."""
    from rotator.outside import module_of, spelt  # noqa: PLC0415 - only who asks for connections pays for it

    found = [settings.connection(each.name) for each in settings.connections]
    for connection in found:
        where = f"connection {connection.name}"
        known: frozenset[str] | None = None
        if connection.family.isidentifier() and find_spec(f"rotator.families.{connection.family}") is not None:
            known = getattr(module_of("families", connection.family, "family"), "SETTINGS", None)
        if known is None:
            mend = spelt("families", connection.family) or "see docs/configuration.md"
            raise BadInput(f"there is no family called {connection.family}", where, mend)
        for key in sorted(set(connection.settings) - known):
            close = get_close_matches(key, [*known, *ConnectionSettings.model_fields], n=1)
            mend = f"did you mean `{close[0]}`?" if close else f"the family knows {', '.join(sorted(known))}"
            raise BadInput(f"unknown key `{key}`", where, mend)
        for kind in connection.kinds or ():
            if kind not in playbooks:
                raise BadInput(f"no kind is called {kind}", f"{where}: kinds", meant(kind, list(playbooks)))
    return found


def entries(settings: Settings, playbooks: Mapping[str, Playbook]) -> list[Entry]:
    """Return what the configuration says of credentials. Raises BadInput for a kind or connection not there."""
    known = {"provider": list(playbooks), "connection": [each.name for each in settings.connections]}
    for entry in settings.credentials:
        for name, words in known.items():
            word = dict(entry.match).get(name)
            if word is not None and word not in words:
                raise BadInput(
                    f"no {name} is called {word}: the entry would fit nothing",
                    "credentials: match",
                    meant(word, words),
                )
    return [Entry(each.custody(), CONFIGURATION) for each in settings.credentials]


def limits(
    settings: Settings, published: Mapping[str, Mapping[str, Limit]], account_of: Callable[[str], str]
) -> dict[str, Limit]:
    """Return the budget of each account that has one: its connections' own, or what its kinds' issuers publish.

    Raises BadInput when two of its connections disagree.
    """
    found: dict[str, Limit] = {}
    for each in settings.connections:
        if each.budget is not None:
            limit = Limit(each.budget.calls_per_second, each.budget.burst)
            if found.setdefault(account_of(each.name), limit) != limit:
                raise BadInput(
                    f"another connection of account {each.account} has another budget",
                    f"connection {each.name}",
                    "they share one: write it the same, or once",
                )
    for account, by_kind in published.items():
        if account not in found and (least := strictest(by_kind.values())) is not None:
            found[account] = least
    return found


def published(
    settings: Settings, playbooks: Mapping[str, Playbook], account_of: Callable[[str], str]
) -> dict[str, dict[str, Limit]]:
    """Return what playbooks name as their issuers' limits, by kind, for each account on which such kinds are served."""
    found: dict[str, dict[str, Limit]] = {}
    for each in settings.connections:
        for kind in each.kinds or ():
            playbook = playbooks.get(kind)
            if playbook is not None and playbook.http is not None and (said := playbook.http.budget) is not None:
                limit = Limit(said.calls_per_second, said.burst)
                found.setdefault(account_of(each.name), {})[kind] = limit
    return found
