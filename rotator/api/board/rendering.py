"""Data into HTML: one environment for all templates. What is put in is escaped, and shown as a terminal shows it."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import jinja2
from starlette.requests import Request
from starlette.responses import HTMLResponse

from rotator.api.board import assets
from rotator.report.clocks import moment, untold
from rotator.report.plain import plain

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
"""What a page may load and run: our own files, nothing that stands in the page itself."""
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def html(request: Request, template: str, status: int = 200, **data: Any) -> HTMLResponse:
    """Return a page made of a template; it knows who asks, and where it is.

    Of a page that stays current, `after` is the cursor of the feed behind which what it shows stands; `again` says that
    something else is so by now, and is being made: it is asked for again soon.
    """

    def link(**changes: Any) -> str:
        """Return this page's address with some of its query changed; None takes a key out."""
        query = {name: value for name, value in request.query_params.items() if name not in changes}
        query |= {name: str(value) for name, value in changes.items() if value is not None}
        return f"{request.url.path}?{urlencode(query)}"

    known = {
        "link": link,
        "caller": getattr(request.state, "caller", None),
        "csrf": getattr(request.state, "csrf", ""),
        "here": request.url.path,
        "as_of": moment(time.time()),
        "after": "",
        "again": False,
    }
    text = _TEMPLATES.get_template(template).render(known | data)
    return HTMLResponse(text, status, {"Content-Security-Policy": POLICY})


def lasted(seconds: float) -> str:
    """Say how long something took, in the two largest units: `3 h 12 min`."""
    whole = max(int(seconds), 0)
    if whole < _MINUTE:
        return f"{seconds:.1f} s" if 0 < seconds < 10 else f"{whole} s"  # noqa: PLR2004 - tenths matter up to ten
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE} s"
    if whole < _DAY:
        return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE} min"
    return f"{whole // _DAY} d {whole % _DAY // _HOUR} h"


def _seconds_since(iso: str) -> float:
    """Return how long ago a moment was, as `moment` writes it."""
    return (datetime.now(UTC) - datetime.fromisoformat(iso)).total_seconds()


def _stamp(iso: str) -> str:
    """Return a moment as people read it, in UTC."""
    return f"{iso[:10]} {iso[11:19]}" if iso else ""


def _plain(put_in: Any) -> Any:
    """Return text of others without what would turn the line about, or stand there unseen; HTML of ours as it is."""
    if not isinstance(put_in, str) or hasattr(put_in, "__html__") or put_in.isprintable():
        return put_in
    return "\n".join(map(plain, put_in.split("\n")))


def _environment() -> jinja2.Environment:
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        finalize=_plain,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["asset"] = assets.address
    made.filters |= {
        "count": lambda number: f"{number:,}",
        "words": lambda text: str(text).replace("_", " "),
        "stamp": _stamp,
        "lasted": lasted,
        "days": lambda number: f"{number:,} day{'s' * (number != 1)}",
        "untold": untold,
        "ago": lambda iso: f"{lasted(_seconds_since(iso))} ago" if iso else "",
    }
    return made


_TEMPLATES = _environment()
