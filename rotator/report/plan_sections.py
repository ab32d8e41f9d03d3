"""What a plan does, credential by credential, as groups of which the same is told: five thousand fit on a page."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

_TITLES = {
    "own": ("First of all, what the rotator itself uses", "bold red"),
    "contain": ("Contain, then replace", "bold"),
    "replace_first": ("Replace, then stop", "bold"),
    "only_revoke": ("Only revoke", "bold"),
    "only_cut": ("Only cut its sessions, and let it live", "bold"),
    "held": ("Held until a gate is open", "bold magenta"),
}
_GROUPS = 12
"""How many groups of a section are shown; nobody reads more, and -o json has all."""
_NAMED = 6
_VARIES = re.compile(r" (?:comes with|secrets on) ")
"""Behind these words the reasons of credentials that belong together differ."""

_Told = Mapping[str, Any]
_Entry = tuple[str, list[tuple[str, str]]]
"""What stands together: its names, in a second line some of them, and what is told of it, name by name."""


@dataclass(frozen=True, slots=True)
class Section:
    """What of a plan goes alike: so many credentials, in groups of which the same is told; `left` are not shown.

    These are how many credentials in how many groups.
    """

    name: str
    title: str
    style: str
    count: int
    entries: list[_Entry]
    left: tuple[int, int]


def sections(plan: _Told) -> list[Section]:
    """Return what is done to what, first what goes first."""
    credentials: Sequence[_Told] = plan["credentials"]
    found = [
        _section(name, title, style, [each for each in credentials if each["section"] == name], _same, _entry)
        for name, (title, style) in _TITLES.items()
    ]
    found.append(_section("manual", "For a person", "bold magenta", plan["manual"], _same_task, _task))
    out = "Excluded, and living on"
    found.append(_section("excluded", out, "bold yellow", plan["excluded"], _same_exclusion, _exclusion))
    return [each for each in found if each.count]


def _section(  # noqa: PLR0917 - a section
    name: str, title: str, style: str, found: Sequence[_Told], key: Any, entry: Callable[[Sequence[_Told]], _Entry]
) -> Section:
    groups: dict[object, list[_Told]] = {}
    for each in found:
        groups.setdefault(key(each), []).append(each)
    every = [*groups.values()]
    left = every[_GROUPS:]
    return Section(name, title, style, len(found), [*map(entry, every[:_GROUPS])], (sum(map(len, left)), len(left)))


def _same(each: _Told) -> object:
    """Return what credentials have in common that stand together."""
    why = _VARIES.split(each["why"])[0]
    begins = [begin for begin in each["begins"] if "own" not in begin]
    said = (each["strategy"], why, *begins, *each["waits"], *each["for_good"], bool(each["waits_for"]["count"]))
    of = each["provider"], each["connection"], each.get("environment")
    return *of, *each["doors"], *said, bool(each["deliver"])


def _entry(group: Sequence[_Told]) -> _Entry:
    one = group[0]
    doors = f" ({', '.join(one['doors'][:_NAMED])})" if one["doors"] else ""
    said = [
        ("why", f"{one['strategy']}: {one['why'] if len(group) == 1 else _VARIES.split(one['why'])[0]}"),
        ("included", _included(group)),
        *(("risk", each) for each in _risk(group)),
        ("starts", "; ".join(one["begins"] or ["at once"])),
        *(("waits", wait) for wait in (*_readers(group), *one["waits"])),
        ("new one", _new(group)),
    ]
    if one["for_good"]:
        said.append(("for good", ", ".join(one["for_good"])))
    environment = f", {one['environment']}" if one.get("environment") else ""
    return _named(group, f", on {one['connection']}{doors}{environment}"), said


def _risk(group: Sequence[_Told]) -> list[str]:
    """Return the terms of its risk, of several the first and how many have others, and the first sign in logs."""
    counted = Counter(each["risk"] for each in group if each.get("risk"))
    first = next((each["risk"] for each in group if each.get("risk")), "")
    others = counted.total() - counted[first]
    signs = [sign for each in group for sign in each.get("signs", ())]
    more = f"; {others:,} of another" if others else ""
    told = [f"{first}{more}"] if first else []
    return [*told, *signs[:1], *([f"… and {len(signs) - 1:,} more such signs"] if len(signs) > 1 else [])]


def _task(group: Sequence[_Told]) -> _Entry:
    one = group[0]
    return _named(group, ""), [("why", one["reason"]), ("included", _included(group)), ("to do", one["mend"])]


def _exclusion(group: Sequence[_Told]) -> _Entry:
    one = group[0]
    reaches = sorted(set(chain.from_iterable(each["reaches"] for each in group)))
    chosen = "" if one.get("disposition") else f" (--exclude {one['selector']})"
    said = [("why", f"{one['by']}: {one['reason']}{chosen}"), ("included", _included(group))]
    read = few(reaches) or ("nothing" if one.get("disposition") else "nobody knows what")
    return _named(group, ""), [*said, ("may read", read)]


def _same_task(each: _Told) -> object:
    return each["provider"], each["reason"], each["mend"]


def _same_exclusion(each: _Told) -> object:
    return each["provider"], each["selector"], each["reason"], each["by"]


def _named(group: Sequence[_Told], where: str) -> str:
    kind = group[0]["provider"] or "not recognised"
    if len(group) > 1:
        return f"{len(group):,} {kind}{where}\n{few([_id(each) for each in group])}"
    return f"{kind} {_id(group[0])}{where}"


def _id(each: _Told) -> str:
    return f"{each['id']} of {each['owner']}" if each.get("owner") else str(each["id"])


def _included(group: Sequence[_Told]) -> str:
    """Say by which links it is in the plan; of many how sure that is, and one example."""
    one = group[0]
    links = "; ".join(one["included"]) or "nobody said where it was seen"
    if len(group) == 1:
        more = f" and {one['included_more']:,} more" if one["included_more"] else ""
        return f"{links}{more}"
    sure = Counter(each["certainty"] or "not said where" for each in group)
    return f"{', '.join(f'{count:,} {what}' for what, count in sure.items())}; such as: {links}"


def _readers(group: Sequence[_Told]) -> list[str]:
    most = max(group, key=lambda each: each["waits_for"]["count"])["waits_for"]
    if not most["count"]:
        return []
    each = "each new one" if len(group) > 1 else "the new one"
    return [f"{each}: until no other lives that may read it: {few(most['first'], most['count'])}"]


def _new(group: Sequence[_Told]) -> str:
    places = list(dict.fromkeys(chain.from_iterable(each["deliver"] for each in group)))
    told = list(dict.fromkeys(chain.from_iterable(each["consumers"] for each in group)))
    return f"goes to {few(places)}; told: {few(told) or 'nobody'}" if places else "none"


def few(names: Sequence[str], count: int | None = None) -> str:
    total, first = (len(names) if count is None else count), names[:_NAMED]
    return ", ".join(first) + (f" and {total - len(first):,} more" if total > len(first) else "")
