"""The rotator's own secrets that are no connection's, to be compared with what leaked.

They open its ledger, sign what it is told and carry what it tells. No playbook answers for one: cutting it would stop
the rotator or silence it, so a person gives it another first.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from urllib.parse import unquote, urlsplit

from rotator import api_token, clock, secret_reference
from rotator.api_token import ApiToken
from rotator.credential import Leaked, Secret
from rotator.errors import RotatorError
from rotator.ledger.tokens import Token
from rotator.settings.configuration import Settings

_SHORTEST = 8
"""Letters of material that are looked for inside other material; what is shorter may stand in anything."""
_SHORTEST_ID = 16
"""Letters of a login that is nobody else's, such as the id of the access key that SES takes as one."""
_THREADS = 8


@dataclass(frozen=True, slots=True)
class OwnSecret:
    """One of them: what it is, what a person does about it, and how it is read. `id` is the name it goes by."""

    what: str
    mend: str
    read: Callable[[], Secret]
    id: str | None = None


@dataclass(frozen=True, slots=True)
class OwnSecrets:
    """Those that could be read, with their material, and what is not known of the others.

    `token` finds an API token, of which only a hash is kept: nobody can read them, but each can be known again.
    """

    known: tuple[tuple[OwnSecret, Secret], ...] = ()
    unread: tuple[str, ...] = ()
    token: Callable[[ApiToken], Token | None] = lambda _: None

    def among(self, leaked: Leaked, named: str | None, *, issued: bool = False) -> list[OwnSecret]:
        """Return those that leaked: by their material, or by `named`, the id of what leaked.

        `issued`: a connection says that it issued what leaked. A token of the API is then ended over that connection,
        since nothing of the rotator stands on it.
        """
        found = [
            own
            for own, material in self.known
            if (named is not None and len(named) >= _SHORTEST_ID and own.id == named)
            or (leaked.secret is not None and _is_same(leaked.secret.reveal(), material.reveal()))
        ]
        if leaked.secret is None or (issued and api_token.read(leaked.secret.reveal()) is not None):
            return found
        tokens = map(self.token, api_token.all_in(leaked.secret.reveal()))
        return [*found, *(_of_token(each, leaked.secret) for each in tokens if each is not None)]


def _of_token(token: Token, material: Secret) -> OwnSecret:
    state = token.state(clock.now())
    whose = f" --person {token.person}" if token.person else ""
    another = f"rotator token create NAME --role {token.role}{whose}"
    ends = f"end it: rotator token revoke {token.name} --reason …; then make another for who uses it: {another}"
    mend = ends if state == "active" else f"nothing to do: it is {state}, and opens nothing"
    return OwnSecret(f"the API token {token.name}, which acts as {token.by}", mend, lambda: material)


def read(settings: Settings, token: Callable[[ApiToken], Token | None]) -> OwnSecrets:
    """Read them all, at once; what cannot be read, nobody can compare. `token` finds what is an API token."""
    found = list(_of(settings))
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="own secrets") as pool:
        materials = list(pool.map(_material, found))
    pairs = list(zip(found, materials, strict=True))
    return OwnSecrets(
        tuple((own, material) for own, material in pairs if material is not None),
        tuple(own.what for own, material in pairs if material is None),
        token,
    )


def _material(own: OwnSecret) -> Secret | None:
    try:
        return own.read()
    except RotatorError:
        return None


def _of(settings: Settings) -> Iterator[OwnSecret]:
    def referred(reference: str) -> Callable[[], Secret]:
        return partial(secret_reference.read, reference, settings.folder)

    yield from _channels(settings, referred)
    for trigger in settings.triggers:
        mend = "make another with the sender, put it where [[triggers]] says; until then alarms can be forged"
        for reference in trigger.references:
            yield OwnSecret(f"the trigger {trigger.title}", mend, referred(reference))
    yield from _keys(settings, referred)
    for name, address in {"the ledger's database": settings.database_url, "the broker": settings.broker_url}.items():
        if password := urlsplit(address).password:
            mend = "give the rotator's login there another password, and restart every process with it"
            yield OwnSecret(name, mend, partial(Secret, unquote(password)))
    if "VAULT_TOKEN" in os.environ:
        mend = "give the rotator another token in VAULT_TOKEN, restart every process with it, then revoke this one"
        yield OwnSecret("VAULT_TOKEN, with which it reads its own secrets", mend, referred("env:VAULT_TOKEN"))


def _channels(settings: Settings, referred: Callable[[str], Callable[[], Secret]]) -> Iterator[OwnSecret]:
    """Yield by what people, and a SIEM, are told."""
    for channel in settings.notices:
        what = f"the notice channel {channel.name}"
        user = channel.smtp.user if channel.smtp is not None else None
        mend = (
            "make another webhook, put its address" if channel.slack else "give its mail login another password, put it"
        )
        for reference in channel.references:
            yield OwnSecret(what, f"{mend} where [[notices]] says, and end the old one", referred(reference), user)
    for siem in settings.siem:
        mend = "give the receiver another token, put it where [[siem]] says, and end the old one"
        for reference in siem.references:
            yield OwnSecret(f"the SIEM channel {siem.name}", mend, referred(reference))


def _keys(settings: Settings, referred: Callable[[str], Callable[[], Secret]]) -> Iterator[OwnSecret]:
    """Yield what the rotator seals and signs with, and is known by where people sign in."""
    key = settings.data_dir / "seal.key"
    if settings.seal_key is not None or key.exists():
        mend = "who has the ledger too reads what is sealed in it: begin another ledger and key once this is done"
        yield OwnSecret("the seal key", mend, referred(settings.seal_key or f"file:{key}"))
    signing = settings.data_dir / "signing.key"
    if settings.evidence.signing_key is not None or signing.exists():
        mend = "who has the ledger too can sign another past: pass on to another, rotator evidence new-key REFERENCE"
        yield OwnSecret("the evidence's key", mend, referred(settings.evidence.signing_key or f"file:{signing}"))
    oidc = settings.sign_in.oidc
    if oidc is not None and oidc.client_secret is not None:
        mend = "give the client another with the provider, put it where [sign_in.oidc] says, and end the old one"
        yield OwnSecret("the secret of signing in", mend, referred(oidc.client_secret))


def _is_same(leaked: str, own: str) -> bool:
    """Tell whether one is the other, or stands in it: an address holds a password, a report may show a part."""
    shorter, longer = sorted(("".join(leaked.split()), "".join(own.split())), key=len)
    return shorter == longer or (len(shorter) >= _SHORTEST and shorter in longer)
