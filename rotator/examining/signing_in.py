"""What the doctor looks at of how people sign in: our own part, and whether the provider describes itself and signs."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from rotator.bootstrap import Rotator
from rotator.errors import Rejected
from rotator.examining.finding import Finding
from rotator.examining.reaching import Asked
from rotator.openid.id_token import NotBelieved
from rotator.openid.provider import CALLBACK, Provider

MENDS = {
    "not_described": "is `issuer` the provider's own, letter by letter?",
    "other_issuer": "write `issuer` letter by letter as the provider's description says it",
    "no_endpoint": "is `issuer` the provider's own? what it describes has no https:// addresses to sign in at",
    "no_keys": "has the provider keys that sign with RS256, ES256 or alike?",
    "no_answer": "does it run, may this machine go there, and is its authority in `ca_file`?",
}
"""What helps, by the reason of what was answered."""


def provider(parts: Rotator) -> Iterator[Finding | Asked]:
    """Yield what `rotator doctor` says and asks of how people sign in: what is known here, whoever else is silent."""
    oidc = parts.settings.sign_in.oidc
    if oidc is not None:
        comes_back = f"{parts.settings.web.public_url}{CALLBACK}"
        asked = Provider(oidc, parts.settings.folder, comes_back)
        yield Finding(True, f"sign-in: the redirect URI to enter at {oidc.issuer} is {comes_back}")
        if oidc.client_secret is not None:
            yield Asked("sign-in: client_secret", partial(_readable, asked))
        yield Asked(f"sign-in: {oidc.issuer}", partial(_reached, asked))


def _readable(asked: Provider) -> str:
    asked.secret()
    return "it can be read; whether the provider takes it, only a sign-in shows"


def _reached(asked: Provider) -> str:
    try:
        asked.described()
        asked.keys()
    except NotBelieved as error:
        raise Rejected(error.reason, "what the provider says of itself cannot be used") from None
    return "the provider answers"
