"""The style sheet, the module and the icon of the board, each under an address that changes with what it holds."""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

_FOLDER = Path(__file__).parent / "static"
_TYPES = MappingProxyType(
    {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
)


@dataclass(frozen=True, slots=True)
class Asset:
    """A file as it is sent, and a tag of what it holds."""

    body: bytes
    media_type: str
    tag: str


@functools.cache
def assets() -> dict[str, Asset]:
    """Return every file by its name; they do not change while it runs."""
    found = {}
    for path in sorted(_FOLDER.iterdir()):
        if path.suffix in _TYPES:
            body = path.read_bytes()
            found[path.name] = Asset(body, _TYPES[path.suffix], hashlib.sha256(body).hexdigest()[:16])
    return found


def address(name: str) -> str:
    """Return where a browser finds a file."""
    return f"/static/{name}?v={assets()[name].tag}"


def routes() -> APIRouter:
    """Return where the files are. They tell nothing of this deployment, and ask for no sign-in."""
    router = APIRouter()

    @router.get("/static/{name}", include_in_schema=False)
    def file(request: Request, name: str) -> Response:
        """Return a file; who asks by its full address keeps it, as what it holds never changes."""
        found = assets().get(name)
        if found is None:
            raise HTTPException(404)
        is_exact = request.query_params.get("v") == found.tag
        headers = {
            "ETag": f'"{found.tag}"',
            "Cache-Control": "public, max-age=31536000, immutable" if is_exact else "no-cache",
        }
        if request.headers.get("if-none-match") == headers["ETag"]:
            return Response(status_code=304, headers=headers)
        return Response(found.body, headers=headers, media_type=found.media_type)

    return router
