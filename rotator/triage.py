"""From suspects to a scope: ask each possible issuer whose a leaked credential is, before anything is planned.

Only questions are asked here; nothing changes anywhere. Material goes only to a connection that is known to be its
issuer, and what nobody can name becomes a task for a person, with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.errors import BadInput, Rejected, RotatorError, Unavailable
from rotator.flow.exposure import Suspect
from rotator.flow.scope import Custodies, Scoped, Unresolved, connections_to_ask
from rotator.ports import Capability, Connection, Installable, Provider, State

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

    def identify(self, suspects: Iterable[Suspect]) -> Findings:
        """Name every suspect, in parallel."""
        with ThreadPoolExecutor(self.concurrency, thread_name_prefix="triage") as pool:
            answers = list(pool.map(self._one, suspects))
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
        return Findings(tuple(scoped.values()), tuple(unresolved), targets)

    def _one(self, suspect: Suspect) -> tuple[Scoped | Unresolved, tuple[str, ...]]:
        if suspect.kind is None:
            rules = ", ".join(sorted({f"{each.source}:{each.rule}" for each in suspect.exposures}))
            return _manual(
                suspect, f"no playbook recognises {rules}", "revoke it at its issuer, or write a playbook for it"
            ), ()
        family = self.family(suspect.kind)
        serving = [
            each
            for each in self.connections
            if each.family == family and (each.kinds is None or suspect.kind in each.kinds)
        ]
        if not serving:
            return _manual(suspect, f"no {family} connection", f"add [[connections]] with family = {family!r}"), ()
        try:
            return self._ask(suspect, suspect.kind, serving)
        except BadInput as error:
            return _manual(suspect, str(error), "mend the configuration and declare again"), ()

    def _ask(
        self, suspect: Suspect, kind: str, serving: Sequence[Connection]
    ) -> tuple[Scoped | Unresolved, tuple[str, ...]]:
        sends_secret = any(self.provider(kind, each.name).sends_secret for each in serving)
        asked = connections_to_ask(suspect.leaked, serving, sends_secret=sends_secret)
        if not asked:
            names = ", ".join(each.name for each in serving)
            return _manual(
                suspect,
                f"none of {names} is known to be its issuer, and asking would show them the secret",
                "set account or endpoint_url on the connection it belongs to, or kinds on the others",
            ), ()
        found: list[tuple[Connection, CredentialRef]] = []
        refused: list[str] = []
        for connection in asked:
            try:
                found.append((connection, self._patiently(suspect, self.provider(kind, connection.name))))
            except RotatorError as error:
                refused.append(f"{connection.name}: {error}")
        if len(found) != 1:
            reason = "; ".join(refused) if not found else f"claimed by {', '.join(each.name for each, _ in found)}"
            return _manual(suspect, reason, "is it another account's, already dead, or cut short in the report?"), ()
        connection, ref = found[0]
        provider = self.provider(kind, connection.name)
        if (own := _own(suspect.leaked, ref, self.connections)) is not None:
            return _manual(
                suspect,
                f"this is what the rotator itself uses on {own.name}: cutting it would stop every other rotation there",
                f"give {own.name} another credential from a separate principal, then declare again",
            ), ()
        if provider.capability is Capability.MANUAL:
            return _manual(suspect, "this kind can only be revoked by hand", "follow its playbook's summary"), ()
        doors = _doors(provider, ref)
        why = f"seen in {len(suspect.exposures)} place(s); {connection.name} issued it"
        custody = self.custodies.of(ref)
        return Scoped(ref, kind, suspect.leaked, suspect.exposures, custody, why), doors

    def _patiently(self, suspect: Suspect, provider: Provider) -> CredentialRef:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return provider.identify(suspect.leaked)
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
        except (Unavailable, Rejected):
            doors.append(target)
    return tuple(doors)


def _own(leaked: Leaked, ref: CredentialRef, connections: Sequence[Connection]) -> Connection | None:
    """Return the connection whose own credential this is: a plan must never cut what the rotator stands on."""
    for connection in connections:
        try:
            own = connection.credential()
        except RotatorError:
            continue
        if own is None:
            continue
        text = _unspaced(own)
        if ref.id in text or (leaked.secret and _unspaced(leaked.secret) in text):
            return connection
    return None


def _unspaced(secret: Secret) -> str:
    """Return the material without white space: a PEM may be wrapped in one place and not in the other."""
    return "".join(secret.reveal().replace("\\n", "").split())


def _manual(suspect: Suspect, reason: str, mend: str) -> Unresolved:
    return Unresolved(suspect.kind, suspect.key, suspect.exposures, reason, mend)


def _merged(known: Scoped, other: Scoped) -> Scoped:
    fuller = known.leaked if known.leaked.secret is not None else other.leaked
    return replace(known, leaked=fuller, exposures=known.exposures + other.exposures)
