"""Revisions: what reports name that an incident does not have yet, and what of it was only seen once more.

What an incident has already is neither asked about nor planned again. A task for a person is asked about: its cause may
be mended, and it has become a run.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from rotator.credential import CredentialRef, Secret
from rotator.flow.exposure import Exposure, Suspect
from rotator.flow.incident import Severity
from rotator.flow.scope import Scoped, Unresolved
from rotator.ports.connection import Connection

Name = tuple[str, str]
"""The kind of a credential, "" for one that nobody recognised, and what a report tells it apart by."""
NOTHING_SEEN: Mapping[str, Sequence[Exposure]] = {}


@dataclass(frozen=True, slots=True)
class Grown:
    """What is to be planned, what is left to a person, and, by run or task, where what is there already was `seen`."""

    scoped: tuple[Scoped, ...]
    left: tuple[Unresolved, ...]
    seen: Mapping[str, Sequence[Exposure]] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing is new."""
        return not (self.scoped or self.left)


@dataclass(frozen=True, slots=True)
class Present:
    """What an incident has, as of a `revision`.

    `runs` and `named` tell the run, or the exclusion, of each credential: by its issuer's name, and by what reports
    called it or its material's fingerprint, with its connection, "" where nobody knows it; `tasks` those that wait for
    a person. `again` are runs that nobody approved and whose plan is stale: who names them again has them planned anew.
    """

    incident: str
    revision: int
    runs: Mapping[CredentialRef, str] = field(default_factory=dict)
    named: Mapping[Name, Sequence[tuple[str, str]]] = field(default_factory=dict)
    tasks: Mapping[Name, str] = field(default_factory=dict)
    again: Mapping[CredentialRef, str] = field(default_factory=dict)
    severity: Severity = Severity.HIGH

    def split(
        self,
        found: Iterable[Suspect],
        fingerprint: Callable[[Secret], str],
        connections: Mapping[str, Connection],
    ) -> tuple[list[Suspect], dict[str, list[Exposure]]]:
        """Return those that nobody has asked about yet, and by their run where the others were seen.

        An issuer knows nothing any more of what a run has stopped: so what was told before is known without asking it.
        """
        new, seen = [], dict[str, list[Exposure]]()
        for each in found:
            known = self._by_material(each, fingerprint) or self._known(each, connections)
            if known is None:
                new.append(each)
            else:
                seen.setdefault(known, []).extend(each.exposures)
        return new, seen

    def _by_material(self, each: Suspect, fingerprint: Callable[[Secret], str]) -> str | None:
        """Return the run of material without an id: it belongs to the credential that had it with one."""
        leaked = each.leaked
        if leaked.id is not None or leaked.secret is None:
            return None
        found = self.named.get((each.kind or "", fingerprint(leaked.secret)), ())
        return found[0][0] if len(found) == 1 else None

    def _known(self, each: Suspect, connections: Mapping[str, Connection]) -> str | None:
        """Return the run of a suspect, None where the report may mean another account's of that name."""
        found = self.named.get((each.kind or "", each.key), ())
        leaked = each.leaked
        if len(found) != 1 or leaked.connection not in {None, found[0][1]}:
            return None
        issuer = connections.get(found[0][1])
        told = leaked.account is None or (issuer is not None and issuer.account == leaked.account)
        if leaked.address is not None:
            url = issuer.endpoint_url if issuer is not None else None
            told = told and url is not None and leaked.may_belong_to(None, url)
        return found[0][0] if told else None

    def grown(self, found: Grown) -> Grown:
        """Return what of that is new here, and where what has a run or a task already was seen."""
        seen: dict[str, list[Exposure]] = {}
        scoped, left, runs = [], [], set(self.runs.values())
        for each in found.scoped:
            named = self.named.get((each.kind, each.ref.id), ())
            left_out = (of for of, at in named if of not in runs and at == each.ref.connection)
            known = self.runs.get(each.ref) or next(left_out, None)
            if known is None:
                scoped.append(each)
            else:
                seen.setdefault(known, []).extend(each.exposures)
        for one in found.left:
            # Not where one of that name has its run: `split` saw that, and this may be another account's.
            known = self.tasks.get((one.kind or "", one.key)) or self._over(one, runs)
            if known is None:
                left.append(one)
            else:
                seen.setdefault(known, []).extend(one.exposures)
        return Grown(tuple(scoped), tuple(left), seen)

    def _over(self, one: Unresolved, runs: Collection[str]) -> str | None:
        """Return the one task of that name which was dismissed, or answered by a run: it is told of once more.

        None where a report says whose it is: another account's may have that name.
        """
        found = [of for of, _ in self.named.get((one.kind or "", one.key), ())]
        told = (each.leaked for each in one.exposures)
        is_anybodys = all(each.connection is None and each.account is None and each.address is None for each in told)
        return found[0] if is_anybodys and len(found) == 1 and found[0] not in runs else None

    def answers(self, each: Scoped) -> list[str]:
        """Return the tasks that an issuer's answer has made a run of."""
        names = {each.ref.id, each.leaked.key or each.ref.id}
        found = [self.tasks.get((kind, name)) for kind in (each.kind, "") for name in sorted(names)]
        return [each for each in dict.fromkeys(found) if each is not None]


def digest_of(incident: str, number: int, plan: str, covered: Iterable[str]) -> str:
    """Return what a person approves: a revision's own plan, and the earlier ones that nobody approved yet."""
    told = "\n".join([incident, str(number), plan, *covered])
    return hashlib.sha256(told.encode()).hexdigest()[:16]
