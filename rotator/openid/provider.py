"""The OpenID provider: found by its issuer's address, asked who somebody is by code and PKCE.

What it says of itself is kept an hour; a key that is not known is looked for at once, and once a minute at most. Of
many who need the same at once, one fetches it, and what came of that is answered to all.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from rotator import clock, secret_reference
from rotator.credential import Secret
from rotator.errors import Unavailable
from rotator.openid.id_token import Expected, NotBelieved, UnknownKey, claims_in, keys_in
from rotator.openid.outward import answer_of
from rotator.settings.sign_in import OidcSettings, is_private_line

CALLBACK = "/sign-in/oidc/callback"
"""Where it sends people back."""
WITHIN_S = 10.0
"""How long one exchange with it may take: somebody waits for a page."""
_KEPT_S, _AGAIN_S = 3600.0, 60.0
_OK = 200
_WHERE = "/.well-known/openid-configuration"
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
_MORE = ("userinfo_endpoint", "end_session_endpoint")


class Provider:
    """One provider. Safe for many threads at once."""

    def __init__(
        self, settings: OidcSettings, folder: Path, comes_back: str, ticks: Callable[[], float] = time.monotonic
    ) -> None:
        self._said, self._folder, self._comes_back, self._ticks = settings, folder, comes_back, ticks
        self._kept: dict[str, tuple[float, Any]] = {}
        self._under_way: dict[str, Future[Any]] = {}
        self._changing = threading.Lock()

    def begin(self, state: str, nonce: str, verifier: str) -> str:
        """Return where a browser goes to be asked who it is. Raises Unavailable, NotBelieved."""
        digest = hashlib.sha256(verifier.encode()).digest()
        query = {
            "response_type": "code",
            "client_id": self._said.client_id,
            "redirect_uri": self._comes_back,
            "scope": " ".join(self._said.scopes),
            "state": state,
            "nonce": nonce,
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        return _with(self.described()["authorization_endpoint"], query)

    def who(self, code: str, nonce: str, verifier: str) -> Mapping[str, Any]:
        """Return what it claims of who brought this code. Raises Unavailable, NotBelieved, BadInput."""
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": self._comes_back}
        form |= {"code_verifier": verifier, "client_id": self._said.client_id}
        status, answer = self._asked(self.described()["token_endpoint"], *self._with_secret(form))
        if status != _OK:
            raise NotBelieved("code_refused")
        token, access = answer.get("id_token"), answer.get("access_token")
        if not isinstance(token, str) or not isinstance(access, str):
            raise NotBelieved("no_id_token")
        expected = Expected(self._said.issuer, self._said.client_id, nonce, access)
        return self._complete(self._believed(token, expected), access)

    def sign_out(self, comes_back: str) -> str:
        """Return where somebody ends his session there too, "" where it has no such place or cannot say."""
        try:
            there = self.described().get("end_session_endpoint")
        except (Unavailable, NotBelieved):
            return ""
        query = {"client_id": self._said.client_id, "post_logout_redirect_uri": comes_back}
        return _with(there, query) if there else ""

    def described(self) -> Mapping[str, Any]:
        """Return what it says of itself. Raises Unavailable where it cannot be asked, NotBelieved for nonsense."""
        return self._at_hand("described", self._discover, _KEPT_S)  # type: ignore[no-any-return]

    def keys(self) -> Any:
        """Return the keys with which it signs. Raises Unavailable, NotBelieved."""
        return self._at_hand("keys", self._fetch_keys, _KEPT_S)

    def secret(self) -> Secret | None:
        """Return what it knows us by, read anew; None where our name is enough. Raises BadInput, Unavailable."""
        given = self._said.client_secret
        return secret_reference.read(given, self._folder) if given is not None else None

    def is_own(self, issuer: str | None) -> bool:
        """Tell whether an answer came from it, where it says from whom (RFC 9207). Raises Unavailable, NotBelieved."""
        told = self.described().get("authorization_response_iss_parameter_supported") is True
        return issuer == self._said.issuer if issuer is not None or told else True

    def _believed(self, token: str, expected: Expected) -> Mapping[str, Any]:
        try:
            return claims_in(token, self.keys(), expected, clock.now())
        except UnknownKey:
            return claims_in(token, self._at_hand("keys", self._fetch_keys, _AGAIN_S), expected, clock.now())

    def _complete(self, claims: Mapping[str, Any], access: str) -> Mapping[str, Any]:
        """Return them with what it tells apart, where a claim that we ask for is not in the token."""
        wanted = {self._said.login_claim, *([self._said.groups_claim] if self._said.roles else [])}
        there = self.described().get("userinfo_endpoint")
        if wanted <= set(claims) or not there:
            return claims
        status, more = self._asked(there, None, {"Authorization": f"Bearer {access}"})
        if status != _OK or more.get("sub") != claims["sub"]:
            raise NotBelieved("other_person")
        return {**more, **claims}

    def _discover(self) -> Mapping[str, Any]:
        status, found = self._asked(self._said.issuer.rstrip("/") + _WHERE)
        if status != _OK:
            raise Unavailable("not_described", f"the issuer answers {status}")
        if found.get("issuer") != self._said.issuer:
            raise NotBelieved("other_issuer")
        given = {each: found.get(each) for each in (*_ENDPOINTS, *_MORE)}
        for name, address in given.items():
            is_there = isinstance(address, str) and is_private_line(address)
            if not is_there and (name in _ENDPOINTS or address is not None):
                raise NotBelieved("no_endpoint")
        return found

    def _fetch_keys(self) -> Any:
        status, found = self._asked(self.described()["jwks_uri"])
        if status != _OK:
            raise Unavailable("no_keys", f"the place of its keys answers {status}")
        return keys_in(found)

    def _at_hand(self, what: str, fetch: Callable[[], Any], within_s: float) -> Any:
        """Return what is kept and not older, or fetch it; who comes while it is being fetched waits for that."""
        now = self._ticks()
        with self._changing:
            at, found = self._kept.get(what, (0.0, None))
            if found is not None and now - at < within_s:
                return found
            if (others := self._under_way.get(what)) is None:
                mine = self._under_way[what] = Future[Any]()
        return others.result() if others is not None else self._fetched(what, fetch, mine)

    def _fetched(self, what: str, fetch: Callable[[], Any], told: Future[Any]) -> Any:
        """Fetch it, keep it, and tell all who wait; a failure is told them too, and not kept."""
        try:
            found = fetch()
        except BaseException as error:
            with self._changing:
                del self._under_way[what]
            told.set_exception(error)
            raise
        with self._changing:
            self._kept[what] = self._ticks(), found
            del self._under_way[what]
        told.set_result(found)
        return found

    def _with_secret(self, form: dict[str, str]) -> tuple[dict[str, str], dict[str, str]]:
        """Return form and headers as the provider takes our secret; in the header unless it says otherwise."""
        secret = self.secret()
        if secret is None:
            return form, {}
        ways = self.described().get("token_endpoint_auth_methods_supported")
        if isinstance(ways, list) and "client_secret_basic" not in ways:
            return form | {"client_secret": secret.reveal()}, {}
        both = ":".join(quote(each, safe="") for each in (self._said.client_id, secret.reveal()))
        return form, {"Authorization": f"Basic {base64.b64encode(both.encode()).decode()}"}

    def _asked(
        self, address: str, form: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, dict[str, Any]]:
        """Return the status and the JSON object that it answers, an empty one for anything else. Raises Unavailable."""
        status, body = answer_of(address, WITHIN_S, form, {"Accept": "application/json", **(headers or {})}, self._tls)
        try:
            found = json.loads(body)
        except (ValueError, RecursionError):
            found = {}
        return status, found if isinstance(found, dict) else {}

    @functools.cached_property
    def _tls(self) -> ssl.SSLContext:
        given = self._said.ca_file
        return ssl.create_default_context(cafile=str(self._folder / given) if given is not None else None)


def _with(address: str, query: Mapping[str, str]) -> str:
    return f"{address}{'&' if '?' in address else '?'}{urlencode(query)}"
