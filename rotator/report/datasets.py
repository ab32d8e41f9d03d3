"""Datasets as reports tell them: what was recorded of each, and what the last check of it found."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from rotator.ledger.datasets import Check, Dataset, Manifest
from rotator.manifests.comparing import Difference
from rotator.report.clocks import moment
from rotator.report.tables import Sentence

AS_RECORDED, DIFFERS, NOT_CHECKED = "as recorded", "differs", "not checked"
_NAMED = 5
_WORDS = {
    Difference.ALTERED: "altered",
    Difference.MISSING: "missing",
    Difference.NEW: "new",
    Difference.UNREAD: "not readable",
}


def dataset(found: Dataset) -> dict[str, Any]:
    """Return a manifest as data, with what its last check found."""
    return manifest(found.manifest) | {
        "result": result(found.check),
        "checked": check(found.check) if found.check is not None else None,
    }


def manifest(found: Manifest) -> dict[str, Any]:
    """Return what was recorded as data."""
    counts = found.counts
    return {
        "name": found.name,
        "source": found.source.place,
        "connection": found.source.connection,
        "host": found.source.host,
        "recorded_at": moment(found.at),
        "recorded_by": found.by,
        "incident": found.incident,
        "files": counts.files,
        "links": counts.links,
        "others": counts.others,
        "unread": counts.unread,
        "bytes": counts.size,
        "digest": found.digest,
    }


def check(found: Check) -> dict[str, Any]:
    """Return what a check found as data: each sort counted, and the first of it by name."""
    return {
        "name": found.name,
        "number": found.number,
        "at": moment(found.at),
        "by": found.by,
        "source": found.source.place,
        "connection": found.source.connection,
        "host": found.source.host,
        "incident": found.incident,
        "result": result(found),
        "read_by": found.read_by,
        "read_at": moment(found.read_at) if found.read_at is not None else "",
        "digest": found.digest,
        "same": found.same,
        **found.counts,
        "named": {each: list(names) for each, names in found.named.items()},
    }


def result(found: Check | None) -> str:
    """Say in words what a check came to."""
    if found is None:
        return NOT_CHECKED
    return AS_RECORDED if found.is_as_recorded else DIFFERS


def whose(told: dict[str, Any]) -> str:
    """Say when and by whom it was checked; what somebody read elsewhere is told as his word, and of who gave it."""
    if not told["read_by"]:
        return f"at {told['at']} by {told['by']}"
    return f"at {told['at']} by what {told['read_by']} read there at {told['read_at']}, which {told['by']} gave"


def counted(told: dict[str, Any]) -> str:
    """Return what differs, in words; `told` is a check as data."""
    found = [f"{told[each]:,} {words}" for each, words in _WORDS.items() if told[each]]
    return ", ".join([*found, f"{told['same']:,} as recorded"])


def named(told: dict[str, Any]) -> list[str]:
    """Return what differs by name, each sort in a line; `told` is a check as data."""
    found = ((words, told["named"].get(each, []), told[each]) for each, words in _WORDS.items())
    return [
        f"{words}: {', '.join(names[:_NAMED])}{f' and {count - _NAMED:,} more' if count > _NAMED else ''}"
        for words, names, count in found
        if names
    ]


def lines(incident: dict[str, Any]) -> list[RenderableType]:
    """Say of an incident's report which datasets were looked at, and what was found."""
    found = [
        Sentence(_line(each), style="" if each["result"] == AS_RECORDED else "bold") for each in incident["datasets"]
    ]
    return [Text("Datasets checked:", style="bold"), *found] if found else []


def of_incidents(every: Iterable[tuple[str, Iterable[Dataset]]]) -> list[dict[str, Any]]:
    """Return the datasets of incidents that became one, each with the check before the last that differed."""
    return [
        {**dataset(each), "incident": name, "differed": check(each.differed) if each.differed is not None else None}
        for name, of in every
        for each in of
    ]


def _line(told: dict[str, Any]) -> str:
    begins = f"  {told['name']} ({told['source']} on {told['host']})"
    found = told["checked"]
    if found is None:
        return f"{begins}: NOT CHECKED since it was recorded at {told['recorded_at']} by {told['recorded_by']}"
    said = AS_RECORDED if told["result"] == AS_RECORDED else f"DIFFERS: {counted(found)}"
    where = "" if found["source"] == told["source"] else f" in {found['source']}"
    told_of = f"{begins}: {said}, checked{where} {whose(found)} against {told['recorded_at']}"
    before = told.get("differed")
    return told_of if before is None else f"{told_of}; BEFORE THAT IT DIFFERED: {_first(before)}"


def _first(before: dict[str, Any]) -> str:
    """Say of an earlier check what differed, and the first of it by name."""
    names = [f"{each}: {found[0]}" for each, found in before["named"].items() if found]
    return f"{counted(before)}, checked {whose(before)}{f' ({names[0]})' if names else ''}"
