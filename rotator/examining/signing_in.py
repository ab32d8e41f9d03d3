"""What the doctor looks at of how people sign in: whether the provider describes itself, and has keys that sign."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from rotator.bootstrap import Rotator
from rotator.errors import Rejected
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


def provider(parts: Rotator) -> Iterator[Asked]:
    """Yield what `rotator doctor` asks of the provider by which people sign in."""
    oidc = parts.settings.sign_in.oidc
    if oidc is not None:
        comes_back = f"{parts.settings.web.public_url}{CALLBACK}"
        yield Asked("sign-in", partial(_reached, Provider(oidc, parts.settings.folder, comes_back), comes_back))


def _reached(asked: Provider, comes_back: str) -> str:
    try:
        asked.described()
        asked.keys()
        asked.secret()
    except NotBelieved as error:
        raise Rejected(error.reason, "what the provider says of itself cannot be used") from None
    return f"the provider answers; the redirect URI to enter there is {comes_back}"
