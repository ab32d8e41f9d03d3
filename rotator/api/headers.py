"""What every answer tells a browser: show nothing of it elsewhere, keep nothing of it, run nothing in it."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    # Not `no-referrer`: a browser would then not even say in `Origin` that a form of ours is ours.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}

_OF_HTTPS = {"Strict-Transport-Security": "max-age=31536000"}
"""Where browsers know us by https: that they never come by a plain line again."""


class SafeHeaders:
    """Put them on every answer of `app` that has not said otherwise itself."""

    def __init__(self, app: ASGIApp, https: bool) -> None:
        self._app, self._headers = app, _HEADERS | (_OF_HTTPS if https else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, sending if scope["type"] == "http" else send)
