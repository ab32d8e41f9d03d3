"""From what an alarm names to all that a thief has with it: triage, and what follows from what that found, to its end.

Only questions are asked here; nothing changes anywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from rotator.access.persistence import Minted
from rotator.asking import Asking
from rotator.credential import CredentialRef
from rotator.errors import RotatorError
from rotator.flow.blast import Blast, expand
from rotator.flow.exposure import Exposure, Suspect
from rotator.flow.paths import Roots, roots_of
from rotator.flow.scope import Custody, Unresolved
from rotator.ports.connection import Connection
from rotator.ports.listing import Discoverable
from rotator.ports.provider import Provider
from rotator.triage import Findings


class Known:
    """Which credentials exist, as far as anybody has listed them: kept in the inventory, or asked of an issuer now."""

    def __init__(
        self,
        kept: Iterable[CredentialRef],
        issuers: Callable[[str], Collection[str]],
        provider: Callable[[str, str], Provider],
    ) -> None:
        self._refs, self._issuers, self._provider = dict.fromkeys(kept), issuers, provider
        self._asked: set[tuple[str, str]] = set()

    @property
    def refs(self) -> Collection[CredentialRef]:
        """Return them."""
        return self._refs.keys()

    def look_up(self, exposures: Iterable[Exposure]) -> bool:
        """Have issuers list each kind of which an exposure names no id, once; tell whether more is known since.

        An issuer that does not answer, or cannot list, leaves it unknown, as the exposure's own links say.
        """
        before = len(self._refs)
        for each in exposures:
            if each.leaked.id or each.leaked.secret is not None:
                continue
            connections = [each.leaked.connection] if each.leaked.connection else self._issuers(each.rule)
            for connection in connections:
                if (each.rule, connection) not in self._asked:
                    self._asked.add((each.rule, connection))
                    self._refs.update(dict.fromkeys(self._listed(each.rule, connection)))
        return len(self._refs) > before

    def _listed(self, kind: str, connection: str) -> list[CredentialRef]:
        if connection not in self._issuers(kind):
            return []
        try:
            provider = self._provider(kind, connection)
            return [each.ref for each in provider.discover()] if isinstance(provider, Discoverable) else []
        except RotatorError:
            return []


@dataclass(frozen=True, slots=True)
class Scope:
    """What triage found, of what was named and of what follows from it; and what may follow and is not included.

    `unresolved` is what was made with them and only a person can end, `asked` what issuers were asked of that, `busy`
    those with which something was made, as their issuers say.
    """

    findings: Findings
    warnings: tuple[str, ...] = ()
    unresolved: tuple[Unresolved, ...] = ()
    asked: tuple[str, ...] = ()
    busy: frozenset[CredentialRef] = frozenset()


@dataclass(frozen=True, slots=True)
class Scoping:
    """How a scope is found: who is asked whose a credential is and what was made with it, what the inventory knows."""

    identify: Callable[[Sequence[Suspect]], Findings]
    suspects: Callable[[Iterable[Exposure]], list[Suspect]]
    entries: Sequence[Custody]
    known: Known
    connections: Sequence[Connection]
    issuers: Callable[[str], Collection[str]]
    asking: Asking

    def of(self, found: Sequence[Suspect], unresolved: Sequence[Unresolved] = ()) -> Scope:
        """Name what was found, what can be read or administered with it, and what was made, until no more follows."""
        exposures = list(_of_each(found))
        findings = self.identify(found)
        asked: set[tuple[object, ...]] = set()
        while True:
            minted: Minted = self.asking.about(findings.scoped)
            blast = self._follow(findings, (*unresolved, *minted.unresolved))
            new = [each for each in (*minted.exposures, *blast.exposures) if _name(each) not in asked]
            if not new:
                warnings = (*blast.warnings, *self.asking.warnings)
                return Scope(findings, warnings, minted.unresolved, self.asking.says, self.asking.busy)
            asked.update(map(_name, new))
            exposures += new
            # All are asked about again: what a person must do first hangs on all that is exposed.
            findings = self.identify(self.suspects(exposures))

    def _follow(self, findings: Findings, unresolved: Sequence[Unresolved]) -> Blast:
        while True:
            blast = expand(
                findings.scoped,
                self.entries,
                known=self.known.refs,
                roots=self._roots,
                issuers=self.issuers,
                unresolved=(*findings.unresolved, *unresolved),
            )
            if not self.known.look_up(blast.exposures):
                return blast

    @property
    def _roots(self) -> Roots:
        return roots_of(self.connections)


def _of_each(found: Iterable[Suspect]) -> Iterator[Exposure]:
    for suspect in found:
        yield from suspect.exposures


def _name(exposure: Exposure) -> tuple[object, ...]:
    leaked = exposure.leaked
    return exposure.rule, leaked.connection, leaked.owner, leaked.id, exposure.path
