"""Ask issuers what was made with exposed credentials since they were exposed; change nothing, and stop no plan.

Each is asked once for a plan. Connections are asked side by side, and of one connection one after the other: such
questions have narrow limits of their own. What is not asked, or not answered, is said.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from rotator.access.asked import Answered, failures, made_by, sentences
from rotator.access.persistence import Minted
from rotator.credential import CredentialRef
from rotator.errors import RotatorError, Unavailable
from rotator.flow.blast import began
from rotator.flow.exposure import Certainty
from rotator.flow.scope import Scoped
from rotator.ports.listing import MintedSince, Persistence
from rotator.ports.provider import Provider
from rotator.triage import ATTEMPTS

MOST = 50
"""How many credentials one connection is asked about for a plan, the surest exposed first."""
BUDGET_S = 30.0
"""How long one connection is asked at most; a look that was begun is waited for."""
_RANK = {certainty: rank for rank, certainty in enumerate(Certainty)}


@dataclass(slots=True)
class Asking:
    """What has been asked for one plan so far. `exposed_at`: since when all are exposed, where somebody said so.

    `ours` tells which ids are replacements that rotator made: an issuer shows them as any other.
    """

    provider: Callable[[str, str], Provider]
    ours: Callable[[Iterable[str]], frozenset[str]]
    pause: Callable[[float], None]
    concurrency: int
    exposed_at: float | None = None
    answers: dict[CredentialRef, Answered] = field(default_factory=dict)
    _seen: set[CredentialRef] = field(default_factory=set)
    _count: Counter[str] = field(default_factory=Counter)
    _mute: dict[CredentialRef, str] = field(default_factory=dict)

    def about(self, scoped: Iterable[Scoped]) -> Minted:
        """Ask about those that were not asked about yet; return what was made with all of them so far."""
        groups: dict[str, list[Scoped]] = {}
        for each in sorted(scoped, key=_surest):
            if each.ref not in self._seen:
                self._seen.add(each.ref)
                if self._is_asked(each):
                    groups.setdefault(each.issuer, []).append(each)
        if groups:
            with ThreadPoolExecutor(min(self.concurrency, len(groups)), thread_name_prefix="asking") as pool:
                for found in pool.map(self._one_by_one, groups.values()):
                    self.answers.update((each.ref, each) for each in found)
        return made_by(self.answers.values())

    @property
    def says(self) -> tuple[str, ...]:
        """Say what was asked and told, and of which nobody was asked, and why not."""
        reasons: dict[str, list[str]] = {}
        for ref, why in self._mute.items():
            reasons.setdefault(why, []).append(ref.provider)
        unasked = []
        for why, of in sorted(reasons.items()):
            kinds = ", ".join(f"{count:,} {kind}" for kind, count in Counter(of).items())
            unasked.append(f"nobody was asked what was made with {kinds}: {why}")
        return (*sentences(self.answers.values()), *unasked)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Say whose issuer failed to answer."""
        return tuple(failures(self.answers.values()))

    @property
    def busy(self) -> frozenset[CredentialRef]:
        """Return those with which something was made since, by their issuers' word."""
        found = ((each.ref, each.made) for each in self.answers.values())
        return frozenset(ref for ref, made in found if made.exposures or made.unresolved)

    def _is_asked(self, each: Scoped) -> bool:
        """Tell whether it can be asked about, and note why not."""
        why = ""
        if not isinstance(self.provider(each.kind, each.ref.connection), Persistence):
            why = "their issuers keep no record of it that rotator reads"
        elif self._since(each) is None:
            why = "nobody said since when they are exposed (--exposed-at)"
        elif self._count[each.issuer] >= MOST:
            why = f"a connection is asked about {MOST} at most; give the logs with --access"
        else:
            self._count[each.issuer] += 1
        if why:
            self._mute[each.ref] = why
        return not why

    def _one_by_one(self, found: Sequence[Scoped]) -> list[Answered]:
        until = time.monotonic() + BUDGET_S
        return [self._answer(each, late=time.monotonic() > until) for each in found]

    def _answer(self, each: Scoped, *, late: bool) -> Answered:
        since = self._since(each) or 0.0
        way = began(f"{each.kind} {each.ref.owner or each.ref.id}", each.exposures)
        if late:
            return Answered(each.ref, since, way, error=f"not asked: its connection took more than {BUDGET_S:.0f} s")
        provider = self.provider(each.kind, each.ref.connection)
        assert isinstance(provider, Persistence)  # noqa: S101 - only those are in the list
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return Answered(each.ref, since, way, self._news(provider.minted_since(each.ref, since)))
            except Unavailable as error:
                if attempt == ATTEMPTS:
                    return Answered(each.ref, since, way, error=str(error))
                self.pause(min(error.retry_after or 0.5 * attempt, 2.0))
            except RotatorError as error:
                return Answered(each.ref, since, way, error=str(error))
            except Exception as error:  # noqa: BLE001 - a defect of ours stops no plan; its words may hold material
                return Answered(each.ref, since, way, error=f"internal error ({type(error).__name__})")
        raise AssertionError

    def _news(self, answer: MintedSince) -> MintedSince:
        """Leave out what a run of ours made, and what is exposed already: two stolen ones did not make each other."""
        if not (named := [one.id for one in answer.made if one.id]):
            return answer
        known = {(ref.provider, ref.id) for ref in self._seen}
        ours = self.ours(named)
        new = (one for one in answer.made if one.id not in ours and (one.kind, one.id) not in known)
        return replace(answer, made=tuple(new))

    def _since(self, each: Scoped) -> float | None:
        if self.exposed_at is not None:
            return self.exposed_at
        seen = [one.seen_at.timestamp() for one in each.exposures if one.seen_at is not None]
        return min(seen) if seen else None


def _surest(each: Scoped) -> tuple[object, ...]:
    certainty = min((_RANK[one.certainty] for one in each.exposures), default=len(_RANK))
    return certainty, each.kind, each.ref.connection, each.ref.owner, each.ref.id
