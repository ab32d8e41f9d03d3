"""The web: health, readiness, metrics, the doors for alarms, and the API, which asks for a token."""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
from collections.abc import AsyncIterator
from typing import Any

import uvicorn
from fastapi import FastAPI, Response
from starlette.exceptions import HTTPException
from starlette.requests import Request

from rotator.api import hooks, standing
from rotator.api.board import application as board
from rotator.api.bodies import WITHIN_S
from rotator.api.callers import Callers
from rotator.api.counts import Counts
from rotator.api.declaring import Declaring
from rotator.api.following import Following
from rotator.api.headers import SafeHeaders
from rotator.api.heads import PromptLine
from rotator.api.named import Named
from rotator.api.origins import is_https
from rotator.api.v1 import application, page_of_docs
from rotator.bootstrap import Rotator
from rotator.errors import BadInput

TURN_S = 0.001
"""How long a thread computes at most while others wait, a fifth of what Python gives it. Who answers gives his turn up
at each row that he reads, and while a picture is read anew he has it back a whole turn later.
"""
ENDS_WITHIN_S = 30
"""How long requests under way may take once it is told to stop; an answer that never ends does not keep it."""


def make(parts: Rotator, body_within_s: float = WITHIN_S) -> FastAPI:
    """Return the application. The body of an alarm must have come within `body_within_s` seconds."""
    counts = Counts("rotator_triggers_total", ("sender", "outcome"))
    refusals = Counts("rotator_api_refusals_total", ("act", "reason"))
    callers = Callers(parts)
    declaring, api = Declaring(parts), application.make(parts, callers, refusals)

    @contextlib.asynccontextmanager
    async def life(_app: FastAPI) -> AsyncIterator[None]:
        if parts.settings.triggers:
            declaring.start()
        yield
        declaring.stop()

    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False, lifespan=life)
    hooks.mount(app, parts, counts, declaring.wake, body_within_s)
    app.include_router(standing.routes(parts, counts, refusals))

    @app.get("/openapi.json")
    def openapi() -> dict[str, Any]:
        """Describe the API, for programs. It tells nothing of this deployment, and asks for no token."""
        return api.openapi()

    @app.get("/docs", response_class=Response)
    def docs() -> Response:
        """Describe the API, for people."""
        return Response(page_of_docs.html(api.openapi()), media_type="text/html")

    @app.exception_handler(HTTPException)
    async def not_there(_request: Request, error: HTTPException) -> Response:
        """Answer what is no path or method of ours as the API answers it."""
        return application.plain_answer(error)

    app.mount(application.PATH, api)
    app.state.following = api.state.following
    app.router.default = board.make(parts, callers, refusals)  # what nothing else answers is a page, or there is none
    app.add_middleware(SafeHeaders, https=is_https(parts.settings.web))
    app.add_middleware(Named)
    return app


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens there. Raises BadInput when it cannot, before anything else has begun."""
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise BadInput(f"cannot listen there ({error.strerror})", f"{host}:{port}", "give another --port") from None


def run(parts: Rotator, door: socket.socket) -> None:
    """Serve until told to stop."""
    sys.setswitchinterval(TURN_S)
    server(parts).run(sockets=[door])


def start_in_thread(parts: Rotator, door: socket.socket) -> None:
    """Serve beside the embedded worker, for the life of the process."""
    threading.Thread(target=server(parts).run, args=([door],), name="web", daemon=True).start()


class _Server(uvicorn.Server):
    """Ends the streams first when it is told to stop: uvicorn itself would wait for them."""

    def __init__(self, config: uvicorn.Config, following: Following) -> None:
        super().__init__(config)
        self._following = following

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._following.close()
        await super().shutdown(sockets)


def server(parts: Rotator) -> uvicorn.Server:
    """Return what serves."""
    # Nobody is believed from where somebody else comes, but the proxies that are named.
    proxies = parts.settings.web.proxies
    made = make(parts)
    config = uvicorn.Config(
        made,
        http=PromptLine,
        log_level="warning",
        access_log=False,
        proxy_headers=bool(proxies),
        forwarded_allow_ips=proxies,
    )
    config.timeout_graceful_shutdown = ENDS_WITHIN_S
    return _Server(config, made.state.following)
