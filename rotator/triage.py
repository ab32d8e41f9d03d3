"""From suspects to a scope: ask each possible issuer whose a leaked credential is, before anything is planned.

Only questions are asked here; nothing changes anywhere. Material goes only to a connection that is known to be its
issuer, and what nobody can name becomes a task for a person, with the reason.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeVar

from rotator import manual
from rotator.credential import CredentialRef, Leaked, Secret
from rotator.errors import BadInput, RotatorError, Unavailable
from rotator.flow.exposure import Suspect
from rotator.flow.scope import Custodies, Custody, Lifeline, Scoped, Unresolved, connections_to_ask, reach_of
from rotator.own_secrets import OwnSecrets
from rotator.ports.abilities import Installable, SelfAware
from rotator.ports.connection import Connection
from rotator.ports.provider import Provider, State
from rotator.recovery import Recovery, Unusable, Ways

T = TypeVar("T")

ATTEMPTS = 3
"""How often an issuer that cannot be reached is asked again before a person is."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What triage found: credentials by name, their doors where there are several, and what is left to a person."""

    scoped: tuple[Scoped, ...]
    unresolved: tuple[Unresolved, ...]
    targets: Mapping[CredentialRef, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Triage:
    """How to reach issuers: the connections, and the provider of a kind on one of them."""

    connections: Sequence[Connection]
    custodies: Custodies
    family: Callable[[str], str]
    provider: Callable[[str, str], Provider]
    pause: Callable[[float], None]
    concurrency: int = 32
    recoveries: Mapping[str, Recovery] = field(default_factory=dict)
    kinds: Collection[str] = ()
    """Those that somebody may have meant who misspelt one in a list."""
    own: Callable[[], OwnSecrets] = OwnSecrets
    """What the rotator uses beside its connections' credentials."""

    def identify(self, suspects: Iterable[Suspect]) -> Findings:
        """Name every suspect, in parallel."""
        with ThreadPoolExecutor(self.concurrency, thread_name_prefix="triage") as pool:
            answers = list(pool.map(partial(self._compared, self.own()), suspects))
        scoped: dict[CredentialRef, Scoped] = {}
        targets: dict[CredentialRef, tuple[str, ...]] = {}
        unresolved: list[Unresolved] = []
        for answer, doors in answers:
            if isinstance(answer, Unresolved):
                unresolved.append(answer)
                continue
            # Two suspects (an id in one report, the secret in another) may turn out to be one credential.
            known = scoped.get(answer.ref)
            scoped[answer.ref] = _merged(known, answer) if known else answer
            if doors:
                targets[answer.ref] = doors
        plannable, left = self._without_dead_ends(list(scoped.values()), unresolved)
        return Findings(tuple(plannable), tuple(left), targets)

    def _without_dead_ends(
        self, scoped: Sequence[Scoped], unresolved: Sequence[Unresolved]
    ) -> tuple[list[Scoped], list[Unresolved]]:
        """Leave to a person what is to be recovered over a connection whose own credential is in this report too."""
        cut = {each for one in scoped if one.lifeline for each in one.lifeline.cuts}
        cut |= {each for one in unresolved for each in one.uses}
        leaked = {one.ref.id for one in scoped} | {one.key for one in unresolved}
        known, left = [], list(unresolved)
        for one in scoped:
            if one.lifeline is None:
                known.append(one)
                continue
            way = one.ref.connection
            places = sorted({place.connection for place in one.custody.deliver} & cut)
            own = self._ways.own_ids(one.kind, [way])
            if way in cut or own.get(way) in leaked:
                why, mend = f"the credential of its recovery {way} leaked too", f"give {way} another credential first"
            elif places:
                why = f"its replacement would be delivered through {', '.join(places)}, which is cut"
                mend = f"deliver it through another connection, such as {way}"
            else:
                known.append(one)
                continue
            reason = f"{_is_own(one.lifeline.cuts)}; {why}"
            left.append(
                Unresolved(
                    one.kind, one.ref.id, one.exposures, reason, mend, reaches=one.reaches, uses=one.lifeline.cuts
                )
            )
        return known, left

    @property
    def _ways(self) -> Ways:
        return Ways({each.name: each for each in self.connections}, self.recoveries, self.provider)

    def _compared(self, own: OwnSecrets, suspect: Suspect) -> tuple[Scoped | Unresolved, tuple[str, ...]]:
        """Leave to a person what is the rotator's own and no connection's: that one has a way of its own."""
        answer, doors = self._one(suspect)
        known = answer if isinstance(answer, Scoped) else None
        if (known and known.lifeline) or (isinstance(answer, Unresolved) and answer.uses):
            return answer, doors
        named = known.ref.id if known else suspect.leaked.id
        if found := own.among(suspect.leaked, named, issued=known is not None):
            reaches = known.reaches if known else frozenset[str]()
            return replace(manual.rotators_own(suspect, found), reaches=reaches), ()
        return (replace(known, uncompared=known.uncompared + own.unread), doors) if known else (answer, doors)

    def _one(self, suspect: Suspect) -> tuple[Scoped | Unresolved, tuple[str, ...]]:
        if suspect.kind is None:
            return manual.unrecognised(suspect, self.kinds), ()
        family = self.family(suspect.kind)
        serving = [
            each
            for each in self.connections
            if each.family == family and (each.kinds is None or suspect.kind in each.kinds)
        ]
        if not serving:
            return manual.task(suspect, f"no {family} connection", f"add [[connections]] with family = {family!r}"), ()
        if (named := suspect.leaked.connection) and named not in {each.name for each in serving}:
            return manual.misnamed(suspect, named, serving, self.connections), ()
        try:
            return self._ask(suspect, suspect.kind, serving)
        except BadInput as error:
            return manual.task(suspect, str(error), "mend the configuration and declare again"), ()
        except Exception as error:  # noqa: BLE001 - a defect of ours must not lose the others; its words may hold material
            return manual.task(
                suspect, f"internal error ({type(error).__name__})", "revoke it at its issuer, and report the error"
            ), ()

    def _ask(
        self, suspect: Suspect, kind: str, serving: Sequence[Connection]
    ) -> tuple[Scoped | Unresolved, tuple[str, ...]]:
        sends_secret = any(self.provider(kind, each.name).sends_secret for each in serving)
        asked = connections_to_ask(suspect.leaked, serving, sends_secret=sends_secret)
        if not asked:
            names = ", ".join(each.name for each in serving)
            return manual.task(
                suspect,
                f"none of {names} is known to be its issuer, and asking would show them the secret",
                "set account or endpoint_url on the connection it belongs to, or kinds on the others",
            ), ()
        found: list[tuple[Connection, CredentialRef]] = []
        refused: list[str] = []
        silent = False
        for connection in asked:
            try:
                provider = self.provider(kind, connection.name)
                found.append((connection, self._patiently(partial(provider.identify, suspect.leaked))))
            except RotatorError as error:
                refused.append(f"{connection.name}: {error}")
                silent = silent or isinstance(error, Unavailable)
        if len(found) != 1:
            reason = "; ".join(refused) if not found else f"claimed by {', '.join(each.name for each, _ in found)}"
            return manual.task(suspect, reason, manual.mend(suspect.leaked, silent=silent and not found)), ()
        connection, ref = found[0]
        provider = self.provider(kind, connection.name)
        try:
            users, uncompared = self._own_uses(suspect.leaked, ref, connection, provider)
        except RotatorError as error:
            return manual.task(
                suspect,
                f"could not tell whether this is what the rotator itself uses: {connection.name}: {error}",
                f"let the rotator's own credential on {connection.name} be read and looked up, then declare again",
            ), ()
        custody = self.custodies.of(ref)
        if users:
            return self._own(suspect, kind, ref, users, custody)
        doors = _doors(provider, ref)
        why = f"seen in {len(suspect.exposures)} place(s); {connection.name} issued it"
        return Scoped(ref, kind, suspect.leaked, suspect.exposures, custody, why, uncompared=tuple(uncompared)), doors

    def _own(
        self, suspect: Suspect, kind: str, ref: CredentialRef, users: tuple[str, ...], custody: Custody
    ) -> tuple[Scoped | Unresolved, tuple[str, ...]]:
        """Act upon the rotator's own credential through its recovery, or leave it to a person."""
        try:
            acting = self._ways.around(kind, suspect.leaked, ref, users)
            self._ways.takes_effect(custody, users)
        except Unusable as error:
            cut = "" if self._has_way(users) else ": cutting it would stop every other rotation there"
            found = manual.task(suspect, f"{_is_own(users)}{cut}; {error.why}", error.mend)
            return replace(found, reaches=reach_of(custody, ref.connection) | set(users), uses=users), ()
        why = f"seen in {len(suspect.exposures)} place(s); {_is_own(users)}, and {acting.connection} leads around it"
        lifeline = Lifeline(ref.connection, users)
        found_ = Scoped(acting, kind, suspect.leaked, suspect.exposures, custody, why, lifeline)
        return found_, _doors(self.provider(kind, acting.connection), acting)

    def _has_way(self, users: Iterable[str]) -> bool:
        return any(self.recoveries[each].through for each in users if each in self.recoveries)

    def _own_uses(
        self, leaked: Leaked, ref: CredentialRef, issuer: Connection, provider: Provider
    ) -> tuple[tuple[str, ...], list[str]]:
        """Name the connections on which the rotator itself uses this, and those of which nobody can tell.

        A plan must never cut what it stands on.

        What is configured is compared on every connection, since one credential may serve several; the issuer is
        asked as well, since a configured token does not show its id, and a default chain is not configured at all.
        Raises RotatorError when the issuer's connection cannot tell. That another one cannot be read stops nothing, but
        nobody has compared it.
        """
        users, uncompared = [], []
        for each in self.connections:
            try:
                own = each.credential()
            except RotatorError:
                if each.name == issuer.name:
                    raise
                uncompared.append(each.name)
                continue
            if own is not None and _stands_in(own, leaked, ref):
                users.append(each.name)
        if issuer.name not in users and isinstance(provider, SelfAware) and self._patiently(provider.own) == ref.id:
            users.append(issuer.name)
        return tuple(sorted(users)), uncompared

    def _patiently(self, ask: Callable[[], T]) -> T:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return ask()
            except Unavailable as error:
                if attempt == ATTEMPTS:
                    raise
                self.pause(error.retry_after or 0.5 * attempt)
        raise AssertionError


def _doors(provider: Provider, ref: CredentialRef) -> tuple[str, ...]:
    """Return the targets that know the credential; one that does not answer is kept, so that it stays visible."""
    if not isinstance(provider, Installable):
        return ()
    doors = []
    for target in provider.targets(ref):
        try:
            if provider.inspect_at(target, ref).state is not State.ABSENT:
                doors.append(target)
        except RotatorError:
            doors.append(target)
    return tuple(doors)


def _stands_in(own: Secret, leaked: Leaked, ref: CredentialRef) -> bool:
    """Tell whether the id stands there as a word of its own (some are but a number), or the material anywhere."""
    named = re.search(rf"(?<![A-Za-z0-9]){re.escape(ref.id)}(?![A-Za-z0-9])", own.reveal())
    return named is not None or bool(leaked.secret and _unspaced(leaked.secret) in _unspaced(own))


def _unspaced(secret: Secret) -> str:
    """Return the material without white space: a PEM may be wrapped in one place and not in the other."""
    return "".join(secret.reveal().replace("\\n", "").split())


def _is_own(users: Iterable[str]) -> str:
    return f"this is what the rotator itself uses on {', '.join(users)}"


def _merged(known: Scoped, other: Scoped) -> Scoped:
    fuller = known.leaked if known.leaked.secret is not None else other.leaked
    # By the id alone less is compared than by the material: either may have lacked what the other was compared with.
    uncompared = tuple(dict.fromkeys(known.uncompared + other.uncompared))
    return replace(known, leaked=fuller, exposures=known.exposures + other.exposures, uncompared=uncompared)
