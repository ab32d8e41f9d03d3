"""One vendor, as people look at it: how it stands, what it holds and leads to, its gates, and what was done of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rotator.bootstrap import Rotator
from rotator.credential import Leaked
from rotator.flow.exposure import INVENTORY, Certainty, Exposure
from rotator.flow.proof import Evidence
from rotator.report.datasets import DIFFERS, counted, dataset, named
from rotator.report.graph import Exposed, Graph, graph

ON_A_PAGE = 100
"""How many of what it holds stand on a page."""


def room(parts: Rotator, vendor: Mapping[str, Any], page: int, measures: Mapping[str, str]) -> dict[str, Any]:
    """Return it with a page of what it holds, or the last one; `vendor` is all that is known of it.

    `measures` are the manifests by which gates ask for datasets: another than is named, where that one is too young.
    """
    holds = vendor["holds"]
    pages = max(-(-len(holds) // ON_A_PAGE), 1)
    page = min(page, pages)
    drawn = drawing_of(vendor)
    return {
        "vendor": vendor,
        "holds": holds[(page - 1) * ON_A_PAGE : page * ON_A_PAGE],
        "page": page,
        "pages": pages,
        "graph": drawn,
        "nodes": list(drawn.nodes()),
        "datasets": (rows := [_measured(each, measures) for each in datasets(parts, vendor)]),
        "checked": checked(parts, rows),
    }


def datasets(parts: Rotator, vendor: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the datasets that it could reach: those that it reaches now, and those that it did when it was paused."""
    found = {each["name"]: dict(each) for each in vendor["reaches"]["datasets"]}
    described = parts.vendors.datasets()
    for pause in parts.pauses.every(vendor["name"])[:1]:
        for name, manifest in pause.datasets.items():
            sensitivity = described[name].sensitivity.value if name in described else ""
            told = {"name": name, "sensitivity": sensitivity, "manifest": manifest}
            found.setdefault(name, told | {"via": ["what it held when it was paused"]})
    return list(found.values())


def _measured(told: dict[str, Any], measures: Mapping[str, str]) -> dict[str, Any]:
    return {**told, "manifest": measures.get(told["name"]) or told["manifest"]}


def checked(parts: Rotator, datasets: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return what was recorded of these datasets, and what the last check of each found, by manifest."""
    wanted = {each["manifest"] for each in datasets}
    told = {each.manifest.name: dataset(each) for each in parts.manifests.listed() if each.manifest.name in wanted}
    return {name: each | {"differs": _differs(each)} for name, each in told.items()}


def _differs(told: Mapping[str, Any]) -> list[str]:
    """Return in lines what a check found that is not as recorded: how many of each sort, then which."""
    return [counted(told["checked"]), *named(told["checked"])] if told["result"] == DIFFERS else []


def drawing_of(vendor: Mapping[str, Any]) -> Graph:
    """Return by which ways a vendor leads to credentials and datasets, as what is drawn."""
    title = vendor["title"] or vendor["name"]
    return graph(_ways(title, vendor["holds"], vendor["reaches"]))


def _ways(title: str, holds: Iterable[Mapping[str, Any]], reaches: Mapping[str, Any]) -> Iterator[Exposed]:
    shown = set()
    for each in (one for one in holds if not is_dead(one)):
        name = each["owner"] or each["id"]
        link = f"it holds {each['kind'] or 'a credential'} {name}".rstrip()
        yield _end(each["kind"], each["owner"], each["id"] or name, Certainty.REACHABLE, (title, link))
        for opened in each["datasets"]:
            shown.add(opened)
            yield _end("dataset", "", opened, Certainty.INFERRED, (title, link, "which opens"))
    for each in reaches["credentials"]:
        yield _end(each["kind"], each["owner"], each["id"], Certainty.INFERRED, (title, *each["via"]))
    for each in reaches["datasets"]:
        if each["name"] not in shown:
            yield _end("dataset", "", each["name"], Certainty.INFERRED, (title, *each["via"], "which opens"))


def is_dead(held: Mapping[str, Any]) -> bool:
    """Tell whether what it holds is proven dead: that leads nowhere."""
    death = held.get("death")
    return death is not None and death["evidence"] == Evidence.PROVEN


def _end(kind: str, owner: str, name: str, certainty: Certainty, via: tuple[str, ...]) -> Exposed:
    return Exposed(kind, owner, name, [Exposure(INVENTORY, kind, Leaked(), certainty=certainty, via=via)])
