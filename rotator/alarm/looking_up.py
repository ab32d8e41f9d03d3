"""Look an advisory up by its id, on the one server that `[advisories]` names, and all that it names as the same event.

Source: OSV's documentation, "GET /v1/vulns/{id}": the record, with the other names that OSV itself works out; case
counts; 404 for what is not there. What comes is read as a record from a file is, and kept in the ledger.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from rotator.errors import BadInput, RotatorError, Unavailable, asking
from rotator.families.http_wire import Reply, Wire
from rotator.intake.fields import mapping, word
from rotator.ledger.database import LedgerFailed
from rotator.ledger.kept_advisories import KeptAdvisories
from rotator.packages.advisory import Advisory, merged, read
from rotator.packages.advisory_record import essence

_ID = re.compile(r"(?=.{1,128}\Z)[A-Za-z]{2,20}(?:-[A-Za-z0-9._]{1,60}){1,5}")
_MOST = 12
"""Records of one event that are asked for: its own, and of its other names."""
_MOST_PAGES = 20
"""Of the answers to many questions at once: each further page is of fewer of them."""
_OFFLINE = "give its record as a file: that needs no network"
_NOBODY = "no server is named that knows advisories"
_UNNAMED = "give its record as a file, or say in `[advisories] url` where it is looked up"


def is_id(text: str) -> bool:
    """Tell whether this has the form of an advisory's id: `GHSA-...`, `PYSEC-2026-2`, `MAL-...`."""
    return _ID.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class LookedUp:
    """An advisory, and a sentence on which of its records are not of now, and why; "" where all are."""

    advisory: Advisory
    note: str = ""


def looked_up(url: str | None, wanted: str, kept: KeptAdvisories) -> LookedUp:
    """Return the advisory of an id, with what its other names say of it. Raises BadInput where it cannot be had.

    What is fetched is kept; where the server does not answer, or none is named, what was kept is used, and said to be.
    So is what a person gave as a file, where the server knows of no such record.
    """
    with contextlib.ExitStack() as opened:
        server = Server(url.rstrip("/"), opened.enter_context(contextlib.closing(Wire(url)))) if url else None
        found: list[Advisory] = []
        asked: set[str] = set()
        old, lost = dict[str, str](), list[str]()
        waiting, why = [wanted], _NOBODY
        while waiting and len(asked) < _MOST:
            name = waiting.pop(0)
            asked.add(name)
            try:
                if server is None:
                    raise Unavailable("no_server", why)  # noqa: TRY301 - as one that does not answer
                record = server.record(name)
                told = _read(name, record)
                with contextlib.suppress(LedgerFailed):  # what cannot be kept costs nobody his plan
                    kept.keep(name, record)
            except Unavailable as silent:
                why, server = silent.detail, None  # who does not answer once is not waited for a dozen times
                if (before := kept.read(name)) is None:
                    if name == wanted:
                        what = why if url else f"there is no such file, and {why}"
                        raise BadInput(what, name, _OFFLINE if url else _UNNAMED) from None
                    lost.append(name)
                    continue
                told, old[name] = before
            except BadInput:
                # A name may have no record of its own, or one of commits alone. The one that was asked for must.
                if name != wanted:
                    continue
                if (before := kept.read(name)) is None or kept.read(name, fetched=True) is not None:
                    raise
                told, old[name] = before
            found += told
            names = sorted(alias for each in told for alias in each.aliases if is_id(alias))
            waiting += [each for each in names if each not in asked and each not in waiting]
    [whole, *_] = merged(found)
    said = [f"used as it was {how}: {name}" for name, how in old.items()]
    said += [f"not had, though more may be named there: {', '.join(lost)}"] if lost else []
    return LookedUp(whole, "; ".join([why, *said]) if said else "")


class Server:
    """The one that `[advisories]` names."""

    def __init__(self, url: str, wire: Wire) -> None:
        self._url, self._wire = url, wire

    def record(self, name: str) -> dict[str, object]:
        """Return the record of an id. Raises BadInput where there is none, Unavailable where nobody answers sense."""
        reply = self._asked("GET", f"/v1/vulns/{quote(name, safe='')}")
        if reply.status == HTTPStatus.NOT_FOUND:
            mend = "is it spelt as there, case and all?"
            raise BadInput("the server of `[advisories]` has no such record", name, mend)
        if not reply.ok or not isinstance(reply.content, dict):
            reason = f"http_{reply.status}"
            raise Unavailable(reason, f"the server of `[advisories]` gives no record (HTTP {reply.status})")
        return reply.content

    def checked(self, name: str) -> dict[str, object]:
        """Return the record of an id, which is read so. Raises as `record` does, BadInput where it is another's too."""
        found = self.record(name)
        _read(name, found)
        return found

    def batch(self, queries: Sequence[Mapping[str, Any]], goes_on: Callable[[], bool]) -> list[object]:
        """Return what each query finds, all pages of it, in no order. Raises Unavailable where nobody answers sense."""
        found: list[object] = []
        waiting = list(queries)
        for _ in range(_MOST_PAGES):
            if not waiting:
                break
            if not goes_on():
                raise Unavailable("ending", "this process ends, or leads no longer")
            reply = self._asked("POST", "/v1/querybatch", {"queries": waiting})
            results = reply.content.get("results") if reply.ok and isinstance(reply.content, dict) else None
            if not isinstance(results, list) or len(results) != len(waiting):
                what = f"the server of `[advisories]` does not answer many questions (HTTP {reply.status})"
                raise Unavailable(f"http_{reply.status}", what)
            found += results
            tokens = [word(mapping(each), "next_page_token") for each in results]
            waiting = [{**one, "page_token": token} for one, token in zip(waiting, tokens, strict=True) if token]
        return found

    def _asked(self, method: str, path: str, body: object = None) -> Reply:
        headers = {"Accept": "application/json", "User-Agent": "rotator"}
        try:
            with asking():
                return self._wire.send(method, self._url + path, headers, body)
        except RotatorError as error:
            silent = f"the server of `[advisories]` does not answer ({error.reason})"
            raise Unavailable(error.reason, silent) from None


def _read(name: str, record: dict[str, object]) -> tuple[Advisory, ...]:
    # What is kept of it is read: what says otherwise when it is whole would be had once, and be lost.
    told = read(name, io.BytesIO(json.dumps(essence(record)).encode()))
    if not all(name in each.names for each in told):
        raise BadInput("the server of `[advisories]` gives another record", name, _OFFLINE)
    return told
