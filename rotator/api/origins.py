"""How a browser knows us: as which origin, on which line, and by which cookies.

Nothing here believes the name that a request gives to us, but where it names this very machine.
"""

from __future__ import annotations

import hashlib
import hmac

from starlette.requests import Request
from starlette.responses import Response

from rotator.api.problems import Problem
from rotator.settings.sign_in import WebSettings, is_private_line, origin_of

SESSION, SIGNING_IN = "rotator_session", "rotator_signing_in"
"""Who is signed in, and who is about to be."""


def is_https(web: WebSettings) -> bool:
    """Tell whether browsers reach us by https alone."""
    return web.public_url is not None and web.public_url.startswith("https://")


def own(request: Request, web: WebSettings) -> str:
    """Return as which origin a browser knows us. Raises Problem for a plain line that others can read."""
    if web.public_url is not None:
        return web.public_url
    here = f"http://{request.headers.get('host', '')}"
    if not is_private_line(here):
        what = "nobody signs in over plain http: put TLS before it and set public_url in [web], or come by 127.0.0.1"
        raise Problem(403, "plain_line", what)
    return origin_of(here)


def check(request: Request, web: WebSettings, shown: str, expected: str) -> None:
    """Raise Problem for an act that no page of ours sent: it is to show a word that only ours hold.

    Browsers say besides whose page it was; programs do not.
    """
    ours, site, origin = own(request, web), request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site not in {None, "same-origin"} or origin not in {None, ours}:
        raise Problem(403, "foreign_page", f"this was sent by a page that is not ours: open {ours}")
    if not expected or not is_same(shown, expected):
        raise Problem(403, "no_csrf_token", "load the page again: what it sent is not of this session")


def cookie(request: Request, web: WebSettings, name: str) -> str:
    """Return what a cookie of ours holds, "" where there is none."""
    return request.cookies.get(_named(web, name), "")


def keep(answer: Response, web: WebSettings, name: str, value: str, lasts_s: int | None = None) -> None:
    """Let the browser keep a cookie: until it is closed where no time is given. No script reads it."""
    answer.set_cookie(_named(web, name), value, lasts_s, secure=is_https(web), httponly=True, samesite="lax")


def forget(answer: Response, web: WebSettings, name: str) -> None:
    """Let the browser forget a cookie."""
    answer.delete_cookie(_named(web, name), secure=is_https(web), httponly=True, samesite="lax")


def derived(kept: str, what: str) -> str:
    """Return what only we and who holds this cookie can know, one word for each use; in hexadecimal."""
    return hmac.new(kept.encode(), what.encode(), hashlib.sha256).hexdigest()


def is_same(given: str, expected: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode())


def _named(web: WebSettings, name: str) -> str:
    """Return its name: with this prefix no other host of the domain, and no plain line, can set it."""
    return f"__Host-{name}" if is_https(web) else name
