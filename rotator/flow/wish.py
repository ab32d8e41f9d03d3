"""Wishes: the strategies that a person asks for, of all credentials or of those that a selector fits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rotator.credential import CredentialRef
from rotator.errors import BadInput
from rotator.flow.playbook_words import Strategy, meant
from rotator.flow.scope import Scoped
from rotator.flow.selector import Selector, attributes, fits_nothing, selector, which

if TYPE_CHECKING:
    from rotator.flow.playbook import Playbook

WHERE = "--strategy"


@dataclass(frozen=True, slots=True)
class Wishes:
    """What was asked for: of all, None for nothing; and of some, by selector. The closest selector holds."""

    of_all: Strategy | None = None
    of_some: tuple[tuple[Selector, Strategy], ...] = ()

    def resolved(
        self, scoped: Iterable[Scoped], playbooks: Mapping[str, Playbook]
    ) -> dict[CredentialRef, tuple[Strategy, str]]:
        """Return, for each credential that a selector fits, what is asked for it, and by which selector.

        Raises BadInput for a selector that fits nothing, two that are as close and disagree, and a strategy that the
        kind of a credential does not have.
        """
        if not self.of_some:
            return {}
        found: dict[CredentialRef, tuple[Strategy, str]] = {}
        known: list[dict[str, str]] = []
        for each in scoped:
            known.append(attributes(each))
            if wish := self._one(known[-1]):
                found[each.ref] = wish
                _has(playbooks[each.kind], each, wish)
        for wanted, _ in self.of_some:
            if not any(wanted.fits(each) for each in known):
                raise fits_nothing(wanted, known, WHERE)
        return found

    def _one(self, credential: Mapping[str, str]) -> tuple[Strategy, str] | None:
        asked = dict(self.of_some)
        closest = which(asked, credential)
        strategies = {asked[each] for each in closest}
        if len(strategies) > 1:
            both = " and ".join(f"`{each.text}={asked[each]}`" for each in closest)
            raise BadInput(f"{both} fit {credential['id']}", WHERE, f"add id:{credential['id']}=STRATEGY")
        return (strategies.pop(), closest[0].text) if closest else None


def wishes(given: Sequence[str]) -> Wishes:
    """Read every --strategy: `STRATEGY` for all, or `SELECTOR=STRATEGY`. Raises BadInput for what is neither."""
    of_all: Strategy | None = None
    of_some: dict[Selector, Strategy] = {}
    for text in given:
        chosen, equals, name = text.strip().rpartition("=")
        if name not in set(Strategy):
            raise BadInput(f"no strategy is called `{name}`", WHERE, meant(name, Strategy))
        strategy = Strategy(name)
        if not equals:
            if of_all not in {None, strategy}:
                raise BadInput(f"both {of_all} and {strategy} are asked for all", WHERE, "say which, or of which")
            of_all = strategy
            continue
        found = selector(chosen, WHERE)
        if of_some.setdefault(found, strategy) is not strategy:
            raise BadInput(f"`{chosen}` is given two strategies", WHERE, "give it once")
    return Wishes(of_all, tuple(of_some.items()))


def _has(playbook: Playbook, each: Scoped, wish: tuple[Strategy, str]) -> None:
    strategy, by = wish
    if strategy not in playbook.strategies:
        what = f"`{by}={strategy}` fits {each.ref.id}, and {each.kind} has no {strategy}"
        raise BadInput(what, WHERE, f"it has {', '.join(playbook.strategies)}; or add a provider: to the selector")
