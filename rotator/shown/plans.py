"""An incident's plan as a person approves it: groups and sums, and every credential of it page by page.

A plan never changes once it is made, and one of fifty thousand takes a second to read: what a page shows of it is made
once and kept for a while, the credentials packed.
"""

from __future__ import annotations

import json
import threading
import zlib
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from rotator.bootstrap import Rotator
from rotator.credential import Leaked
from rotator.flow.exposure import Certainty, Exposure
from rotator.ledger.looking import Looking
from rotator.report import expected
from rotator.report.graph import Exposed, Graph, graph
from rotator.report.plan_sections import Section, sections
from rotator.report.whole import whole

PACKED = 100
"""How many credentials are packed together, and stand on one page."""
KEPT = 4
"""How many plans are kept."""
ROWS = 20
_LARGE = 2000
"""Of a plan of more it is not looked whether it is stale, which takes seconds: who approves it is told."""
PATIENCE_S = 0.1
"""So long an answer waits for a large plan."""
_ARROW = " → "
_LISTS = ("credentials", "manual", "excluded", "outages", "accounts", "paths")


@dataclass(frozen=True)
class Revision:
    """A revision of a plan: `said` is what is told of all of it; `packs` are its credentials, in their order."""

    said: Mapping[str, Any]
    sections: Sequence[Section]
    paths: Mapping[str, str]
    outages: Sequence[tuple[str, list[str]]]
    silent: str
    accounts: Sequence[tuple[str, str, str, str]]
    at_least: str
    graph: Graph
    packs: Sequence[bytes] = field(repr=False)
    names: Sequence[str] = field(repr=False)

    @property
    def pages(self) -> int:
        """Return how many pages its credentials are."""
        return max(len(self.packs), 1)

    def page(self, number: int) -> list[dict[str, Any]]:
        """Return the credentials of a page, counted from 1; none behind the last."""
        return _unpacked(self.packs[number - 1]) if 1 <= number <= len(self.packs) else []

    def found(self, name: str) -> list[dict[str, Any]]:
        """Return the credentials of an id."""
        places = sorted({number // PACKED for number, each in enumerate(self.names) if each == name})
        return [each for place in places for each in _unpacked(self.packs[place]) if each["id"] == name]


class BeingRead(Exception):  # noqa: N818 - it is no error
    """A large plan is being read still: ask again soon."""


def plans(parts: Rotator) -> Plans:
    """Return the plans that these parts keep, for every page."""
    found: Plans = parts.__dict__.setdefault("plans_shown", Plans())
    return found


class Plans:
    """The plans of one ledger, as pages show them; each is read once, in a thread of its own, whoever waits for it."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, int, str], Future[Revision | None]] = OrderedDict()
        self._alone = threading.Lock()

    def of(self, parts: Rotator, incident: str, number: int, digest: str) -> Revision | None:
        """Return a revision, None where a release kept none. Raises BeingRead for a large one that takes longer."""
        name = (incident, number, digest)
        with self._alone:
            made = self._kept.get(name)
            if made is None:
                made = self._kept[name] = Future()
                threading.Thread(target=_read, args=(made, parts, incident, number), name="plan", daemon=True).start()
            self._kept.move_to_end(name)
            for each in [each for each, found in self._kept.items() if found.done()][:-KEPT]:
                del self._kept[each]
        is_large = not made.done() and Looking(parts.database).grown(incident).get(number, 0) > _LARGE
        try:
            return made.result(PATIENCE_S if is_large else None)
        except TimeoutError:
            raise BeingRead from None
        except Exception:
            with self._alone:
                if self._kept.get(name) is made:  # who asks next tries again
                    del self._kept[name]
            raise


def _read(made: Future[Revision | None], parts: Rotator, incident: str, number: int) -> None:
    try:
        document = parts.reading.planned(incident, number)
        made.set_result(revision(document) if document else None)
    except Exception as error:  # noqa: BLE001 - whoever waits is told
        made.set_exception(error)


def revision(document: Mapping[str, Any]) -> Revision:
    """Return what a page shows of a plan's document."""
    credentials, outages = document["credentials"], document["outages"]
    return Revision(
        said={name: value for name, value in document.items() if name not in _LISTS},
        sections=sections(document),
        paths=document["paths"],
        outages=expected.outage_rows(outages)[:ROWS],
        silent=expected.no_evidence(outages),
        accounts=expected.account_rows(document)[:ROWS],
        at_least=expected.at_least(document),
        graph=graph(exposed(document)),
        packs=[
            zlib.compress(json.dumps(credentials[at : at + PACKED]).encode(), 1)
            for at in range(0, len(credentials), PACKED)
        ],
        names=[each["id"] for each in credentials],
    )


def exposed(document: Mapping[str, Any]) -> Iterator[Exposed]:
    """Yield each credential of a plan with the links that include it, as far as the plan tells them."""
    for each in (*document["credentials"], *document["manual"], *document["excluded"]):
        sure = Certainty(each["certainty"]) if each["certainty"] else Certainty.INFERRED
        links = [_sighting(each["id"], link, sure) for link in each["included"]]
        yield Exposed(each["provider"] or "a credential", each.get("owner", ""), each["id"], links)


def _sighting(name: str, link: str, sure: Certainty) -> Exposure:
    seen = link.removeprefix(f"{Certainty.SEEN.value} in ")
    if seen != link:
        return Exposure("plan", "", Leaked(id=name), path=seen)
    via = tuple(link.split(_ARROW))
    return Exposure("plan", "", Leaked(id=name), certainty=sure, via=via)


def consent(parts: Rotator, incident: str, called: str = "rotator") -> dict[str, Any]:
    """Return what approving it stands on: who said what, whose yes is wanted, and its revisions.

    Raises BadInput for an incident that is not there.
    """
    looking = Looking(parts.database, parts.settings.policy)
    record = looking.consent(incident)
    grown = looking.grown(incident)
    waits = [each.number for each in record.revisions if each.approved_at is None]
    is_small = sum(grown.get(number, 0) for number in waits) <= _LARGE
    stale = parts.enrolment.stale(incident) if waits and is_small else ""
    told = whole([record], called, unattended=False, unmanned=False, strange=(), stale=stale, something_stopped=False)
    for each in told["revisions"]:
        each["credentials"] = grown.get(each["revision"], 0)
    return told


def _unpacked(pack: bytes) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(zlib.decompress(pack))
    return found
