"""Ask the server of `[advisories]` which packages that vendors run are called malicious, and nobody here knows it.

Only that: what steals credentials has a record `MAL-…` in OSV, while of ordinary vulnerabilities every list has some.
Source: OSV's documentation, "POST /v1/querybatch": answers in the order of the queries, with id and modified of each
record, and a `next_page_token` where there are more; a thousand queries at once are taken.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rotator.alarm.looking_up import Server, is_id
from rotator.errors import BadInput, Unavailable
from rotator.families.http_wire import Wire
from rotator.flow.vendor import Software
from rotator.intake.fields import mapping, word
from rotator.packages.advisory import moment
from rotator.packages.names import CRATES, UNTOLD

AT_ONCE = 1000
MOST_QUERIES = 100_000
"""Components that are asked for in one look; 2,000 vendors with the usual lists have some 20,000 between them."""
MOST_RECORDS = 200
"""Records that are fetched in one look, the newest first."""
_MALICIOUS = "MAL-"


@dataclass(frozen=True, slots=True)
class Newly:
    """The records that are new, as they were served, and how much was left: components not asked for, and records.

    What was left is new tomorrow too.
    """

    records: list[Mapping[str, Any]] = field(default_factory=list)
    unasked: int = 0
    unread: int = 0


def newly_bad(
    url: str, runs: Iterable[Software], known: Container[str], since: float, goes_on: Callable[[], bool]
) -> Newly:
    """Return what is called malicious by a record that is not `known` by its id, or changed since, in epoch seconds.

    Raises Unavailable where the server does not answer, or `goes_on` no longer says so.
    """
    queries = sorted({(each.ecosystem, each.name, each.version) for each in runs if each.ecosystem != UNTOLD})
    with contextlib.closing(Wire(url)) as wire:
        server = Server(url.rstrip("/"), wire)
        found: dict[str, float] = {}
        for batch in _batches([_query(*each) for each in queries[:MOST_QUERIES]]):
            _told(server.batch(batch, goes_on), known, since, found)
        newest = sorted(found, key=lambda name: (-found[name], name))
        records: list[Mapping[str, Any]] = []
        lost: Unavailable | None = None
        for each in newest[:MOST_RECORDS] if goes_on() else ():
            try:
                records.append(server.checked(each))
            except BadInput:  # one that names no package that could be looked for
                continue
            except Unavailable as error:
                if not error.reason.startswith("http_"):
                    raise
                lost = error  # one that the server cannot give keeps no other back
        if lost is not None and not records:
            raise lost
    return Newly(records, max(len(queries) - MOST_QUERIES, 0), len(newest) - len(records))


def _batches(queries: Sequence[Mapping[str, Any]]) -> Iterator[Sequence[Mapping[str, Any]]]:
    for at in range(0, len(queries), AT_ONCE):
        yield queries[at : at + AT_ONCE]


def _query(ecosystem: str, name: str, version: str) -> Mapping[str, Any]:
    where = "crates.io" if ecosystem == CRATES else ecosystem
    return {"package": {"ecosystem": where, "name": name}, **({"version": version} if version else {})}


def _told(results: Sequence[object], known: Container[str], since: float, found: dict[str, float]) -> None:
    for each in results:
        listed = mapping(each).get("vulns")
        for one in map(mapping, listed if isinstance(listed, list) else ()):
            name, modified = word(one, "id"), moment(one.get("modified"))
            if name.startswith(_MALICIOUS) and is_id(name) and modified is not None:
                at = modified.timestamp()
                found |= {name: at} if at >= since or name not in known else {}
