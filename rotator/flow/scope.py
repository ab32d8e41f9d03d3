"""Scope: whose a leaked credential is, what it reaches, where its replacement goes and who must hear of it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from itertools import chain

from rotator.credential import CredentialRef, Leaked
from rotator.errors import BadInput
from rotator.flow.exposure import Exposure
from rotator.flow.numbered import KINDS, answers_to, compared
from rotator.flow.site import Site
from rotator.ports.connection import Connection
from rotator.ports.store import Place


@dataclass(frozen=True, slots=True)
class ConsumerAddress:
    """How one consumer is told: the kind (webhook, command, …) and its address (a URL or a reference to one, or words).

    The words of a `command` are its argv; of the kinds that need a connection, its name comes first. `host` is the
    machine that it lives on, "" where nobody said: a new secret comes to be there.
    """

    kind: str
    address: str | tuple[str, ...]
    host: str = ""

    @property
    def name(self) -> str:
        """Return what people call it: a URL without what may be a password, before its @ or after its ?."""
        if not isinstance(self.address, str):
            words = " ".join(filter(None, self.address))
            return words if self.kind == "command" else f"{self.kind} {words}"
        scheme, found, rest = self.address.partition("://")
        host, slash, path = re.split("[?#]", rest, maxsplit=1)[0].partition("/")
        return f"{scheme}{found}{host.rpartition('@')[2]}{slash}{path}"


def host_name(given: str) -> str:
    """Return a host's name as it is compared: footholds and consumers are told by different people."""
    return given.strip().rstrip(".").lower()


HOST_LENGTH = 253
"""How long a host's name may be. RFC 1035, section 3.1."""
_ALIKE = 0.8
"""How near to a known host's name another must be to be taken for a slip."""


def foothold(given: str, known: Collection[str]) -> str:
    """Return the host that a person named as a foothold, as it is compared; it may be one that nobody knows here.

    Raises BadInput for what is no host's name, and for what is nearly a `known` one: it would protect nothing. A full
    stop at its end says that it is the whole name, and meant.
    """
    host, what = host_name(given), "--foothold"
    if not re.fullmatch(rf"[^\s/@]{{1,{HOST_LENGTH}}}", host):
        short = given if len(given) <= HOST_LENGTH else f"{given[:20]}…"
        raise BadInput(
            f"`{short}` is no host's name", what, f"a name or an address, of {HOST_LENGTH} characters at most"
        )
    if host in known or given.strip().endswith("."):
        return host
    if (near := _near(host, known)) is not None:
        raise BadInput(f"no host is called `{host}`", what, f"did you mean `{near}`? If not, write `{host}.`")
    return host


def _near(host: str, known: Collection[str]) -> str | None:
    """Return the known host that was meant: the same without its domain, or spelt nearly so. Numbers are no slips."""
    for each in sorted(known):
        if host == each.partition(".")[0] or each == host.partition(".")[0]:
            return each
    alike = [each for each in sorted(known) if re.findall("[0-9]+", each) == re.findall("[0-9]+", host)]
    return next(iter(get_close_matches(host, alike, n=1, cutoff=_ALIKE)), None)


@dataclass(frozen=True, slots=True)
class Custody:
    """One `[[credentials]]` entry: what is known of the credentials it matches.

    `match` compares attributes of a CredentialRef (provider, connection, owner, id). `reads` and `administers` name
    what such a credential can read and change, as `CONNECTION:PATH`; None means that nobody knows. A `criticality`
    of "" was not said. `reachable_from` are the sites on which a thief finds it, `vendor` is who holds it beside us,
    `datasets` what stands behind it, `contact` whom to tell. `shared`: several
    use it who do not know of each other. A `canary` is bait that opens nothing.
    """

    match: Mapping[str, str]
    criticality: str = ""
    reads: tuple[str, ...] | None = None
    deliver: tuple[Place, ...] = ()
    consumers: tuple[ConsumerAddress, ...] = ()
    administers: tuple[str, ...] = ()
    environment: str | None = None
    reachable_from: tuple[Site, ...] = ()
    vendor: str = ""
    datasets: tuple[str, ...] = ()
    contact: str = ""
    shared: bool = False
    canary: bool = False


UNKNOWN_CUSTODY = Custody(match={})


_CLOSEST = ("id", "owner", "connection", "provider")
"""What a match compares, from what tells most of a credential to what tells least."""


class Custodies:
    """All entries, found by what they match: thousands of credentials are looked up among thousands of entries."""

    def __init__(self, entries: Iterable[Custody]) -> None:
        self._found: dict[tuple[str, ...], dict[tuple[str, ...], list[Custody]]] = {}
        for entry in entries:
            names = tuple(sorted(entry.match))
            match = {**entry.match, "id": compared(entry.match.get("provider", ""), entry.match.get("id", ""))}
            values = tuple(match[name] for name in names)
            self._found.setdefault(names, {}).setdefault(values, []).append(entry)
        self._names = sorted(self._found, key=lambda names: [name not in names for name in _CLOSEST])

    def of(self, ref: CredentialRef) -> Custody:
        """Return what the entries that fit say together; UNKNOWN_CUSTODY when none does.

        Where two say the same key, the closer is believed: an id is closer than an owner, that than a connection, that
        than a kind. What a credential reads and administers is all that any of them says: to say less in one place does
        not make a thief read less. A number is closer than a name.
        """
        called: tuple[CredentialRef, ...] = (ref,)
        if ref.provider in KINDS:
            called = tuple(map(ref.with_id, dict.fromkeys((ref.id, *answers_to(ref.provider, ref.id)))))
        fitting = [
            entry
            for names in self._names
            for each in (called if "id" in names else called[:1])
            for entry in self._found[names].get(tuple(getattr(each, name) for name in names), ())
        ]
        return _together(fitting) if len(fitting) > 1 else fitting[0] if fitting else UNKNOWN_CUSTODY


def _together(fitting: Sequence[Custody]) -> Custody:
    reads = [each.reads for each in fitting if each.reads is not None]
    return Custody(
        match=fitting[0].match,
        criticality=next((each.criticality for each in fitting if each.criticality), ""),
        reads=tuple(dict.fromkeys(chain(*reads))) if reads else None,
        deliver=next((each.deliver for each in fitting if each.deliver), ()),
        consumers=next((each.consumers for each in fitting if each.consumers), ()),
        administers=tuple(dict.fromkeys(chain(*(each.administers for each in fitting)))),
        environment=next((each.environment for each in fitting if each.environment), None),
        reachable_from=tuple(dict.fromkeys(chain(*(each.reachable_from for each in fitting)))),
        vendor=next((each.vendor for each in fitting if each.vendor), ""),
        datasets=tuple(dict.fromkeys(chain(*(each.datasets for each in fitting)))),
        contact=next((each.contact for each in fitting if each.contact), ""),
        shared=any(each.shared for each in fitting),
        canary=any(each.canary for each in fitting),
    )


@dataclass(frozen=True, slots=True)
class Lifeline:
    """What the rotator itself stands on: an exposed credential of its own, acted upon through another principal.

    `issuer` is the connection that issued it, `cuts` are those on which the rotator uses it: no call there works
    between its end and the delivery of its replacement.
    """

    issuer: str
    cuts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Scoped:
    """One exposed credential with everything the plan needs to know of it.

    `reaches` are the connections on which it may read or administer: unknown reach is its own whole connection.
    `uncompared` are those whose own credential could not be read: it may be what the rotator itself uses there.
    """

    ref: CredentialRef
    kind: str
    leaked: Leaked
    exposures: tuple[Exposure, ...]
    custody: Custody
    why: str
    lifeline: Lifeline | None = None
    uncompared: tuple[str, ...] = ()

    @property
    def reaches(self) -> frozenset[str]:
        """Return the names of the connections whose secrets it may read, or whose rights it may change."""
        own = self.lifeline.cuts if self.lifeline else ()
        return reach_of(self.custody, self.ref.connection) | frozenset(own)

    @property
    def issuer(self) -> str:
        """Return the connection that issued it; its ref's is the one through which it is acted upon."""
        return self.lifeline.issuer if self.lifeline else self.ref.connection


def reach_of(custody: Custody, connection: str) -> frozenset[str]:
    """Return the names of the connections that a credential of that connection reaches."""
    named = custody.administers if custody.reads is None else custody.reads + custody.administers
    found = frozenset(entry.partition(":")[0] for entry in named)
    return found | {connection} if custody.reads is None else found


@dataclass(frozen=True, slots=True)
class Unresolved:
    """An exposed credential that no machine can answer: a task for a person, with the reason and the way to mend it.

    `kind` is None when no playbook recognises it. `reaches` are the connections that it may read or administer, where
    its issuer named it, `uses` those on which the rotator itself uses it. `stands_for` are the credentials of which
    it speaks together, where it speaks of several.
    """

    kind: str | None
    key: str
    exposures: tuple[Exposure, ...]
    reason: str
    mend: str
    leaked: Leaked = field(default_factory=Leaked)
    reaches: frozenset[str] = frozenset()
    uses: tuple[str, ...] = ()
    stands_for: tuple[CredentialRef, ...] = ()


def connections_to_ask(leaked: Leaked, connections: Sequence[Connection], *, sends_secret: bool) -> list[Connection]:
    """Return which connections of the kind's family may be asked whether the credential is theirs.

    What the report says (account, address) decides; a connection that contradicts it is never asked. Where asking
    means sending the material, only a single possible issuer is asked: a secret is never shown to a stranger.
    """
    possible = [
        each
        for each in connections
        if leaked.may_belong_to(each.account, each.endpoint_url) and leaked.connection in {None, each.name}
    ]
    named = [
        each
        for each in possible
        if leaked.connection or (leaked.account and each.account) or (leaked.address and each.endpoint_url)
    ]
    chosen = named or possible
    return chosen if len(chosen) == 1 or not sends_secret else []
