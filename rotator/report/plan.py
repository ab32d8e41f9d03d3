"""A plan for people at a terminal, made from its data: what is done to what, why, in which order, and what it costs.

Credentials of which the same is told stand together, so that five thousand fit on a page.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.text import Text

from rotator.report.expected import accounts_table, outages_table
from rotator.report.plain import plain
from rotator.report.tables import Hanging, wrapped

_TITLES = {
    "own": ("First of all, what the rotator itself uses", "bold red"),
    "contain": ("Contain, then replace", "bold"),
    "replace_first": ("Replace, then stop", "bold"),
    "only_revoke": ("Only revoke", "bold"),
    "only_cut": ("Only cut its sessions, and let it live", "bold"),
    "held": ("Held until a gate is open", "bold magenta"),
}
_COUNTED = {
    "own": "the rotator's own",
    "contain": "contained, then replaced",
    "replace_first": "replaced, then stopped",
    "only_revoke": "only revoked",
    "only_cut": "only cut",
    "held": "held",
    "manual": "for a person",
    "excluded": "excluded",
}
_GROUPS = 12
"""How many groups of a section are shown; nobody reads more, and -o json has all."""
_NAMED = 6
_LEFT = 10
"""How wide the names of what is told are."""
_VARIES = re.compile(r" (?:comes with|secrets on) ")
"""Behind these words the reasons of credentials that belong together differ."""

_Told = Mapping[str, Any]


def plan_text(plan: _Told) -> RenderableType:
    """Return the plan; who shows it says how it goes on."""
    credentials: Sequence[_Told] = plan["credentials"]
    parts: list[RenderableType] = [Text(_heading(plan), style="bold"), wrapped(_totals(plan["totals"]))]
    for section, (title, style) in _TITLES.items():
        found = [each for each in credentials if each["section"] == section]
        parts += _section(title, style, found, _same, _entry)
    parts += _section("For a person", "bold magenta", plan["manual"], _same_task, _task)
    parts += _section("Excluded, and living on", "bold yellow", plan["excluded"], _same_exclusion, _exclusion)
    if credentials:
        parts += [Text("\nSteps", style="bold"), *_grid(plan["paths"].items(), "  ")]
        parts += outages_table(plan["outages"])
        parts += accounts_table(plan)
    parts += _sentences("What waits for what", plan["constraints"])
    parts += _sentences("With what is there already", plan.get("beside", ()))
    parts += _sentences("What issuers were asked of what was made with them since", plan.get("asked", ()))
    parts += [_foothold(each) for each in plan["footholds"]]
    parts += [wrapped(f"warning: {each}", "yellow") for each in plan["warnings"]]
    if destroyed := plan["totals"]["destroyed"]:
        parts.append(Text(_ends(destroyed, len(credentials))))
    return Group(*parts)


def _heading(plan: _Told) -> str:
    count = plan["totals"]["credentials"]
    what = f"credential{'' if count == 1 else 's'}"
    if plan.get("revision", 1) == 1:
        return f"Plan {plan['digest']}: {count:,} {what}"
    covers = f", approved with revision {', '.join(map(str, plan['covers']))}" if plan["covers"] else ""
    return f"Revision {plan['revision']}, plan {plan['digest']}: {count:,} new {what}{covers}"


def _totals(totals: Mapping[str, int]) -> str:
    return " · ".join(f"{totals[name]:,} {what}" for name, what in _COUNTED.items() if totals[name])


def _ends(destroyed: int, planned: int) -> str:
    """Say how many of the planned runs end with a destruction: to approve a plan is to approve those too."""
    rest = "; the others without that" if destroyed < planned else ""
    return f"{destroyed:,} of {planned:,} end with the exposed credential destroyed for good{rest}."


def _section(title: str, style: str, found: Sequence[_Told], key: Any, entry: Any) -> list[RenderableType]:
    if not found:
        return []
    groups: dict[object, list[_Told]] = {}
    for each in found:
        groups.setdefault(key(each), []).append(each)
    parts: list[RenderableType] = [Text(f"\n{title}: {len(found):,}", style=style)]
    for group in [*groups.values()][:_GROUPS]:
        parts += entry(group)
    if left := [*groups.values()][_GROUPS:]:
        parts.append(Text(f"  … and {sum(map(len, left)):,} more in {len(left):,} groups (-o json has all)"))
    return parts


def _same(each: _Told) -> object:
    """Return what credentials have in common that stand together."""
    why = _VARIES.split(each["why"])[0]
    begins = [begin for begin in each["begins"] if "own" not in begin]
    said = (each["strategy"], why, *begins, *each["waits"], *each["for_good"], bool(each["waits_for"]["count"]))
    of = each["provider"], each["connection"], each.get("environment")
    return *of, *each["doors"], *said, bool(each["deliver"])


def _entry(group: Sequence[_Told]) -> list[RenderableType]:
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
    return _told(_named(group, f", on {one['connection']}{doors}{environment}"), said)


def _risk(group: Sequence[_Told]) -> list[str]:
    """Return the terms of its risk, of several the first and how many have others, and the first sign in logs."""
    counted = Counter(each["risk"] for each in group if each.get("risk"))
    first = next((each["risk"] for each in group if each.get("risk")), "")
    others = counted.total() - counted[first]
    signs = [sign for each in group for sign in each.get("signs", ())]
    more = f"; {others:,} of another" if others else ""
    told = [f"{first}{more}"] if first else []
    return [*told, *signs[:1], *([f"… and {len(signs) - 1:,} more such signs"] if len(signs) > 1 else [])]


def _task(group: Sequence[_Told]) -> list[RenderableType]:
    one = group[0]
    return _told(_named(group, ""), [("why", one["reason"]), ("included", _included(group)), ("to do", one["mend"])])


def _exclusion(group: Sequence[_Told]) -> list[RenderableType]:
    one = group[0]
    reaches = sorted(set(chain.from_iterable(each["reaches"] for each in group)))
    chosen = "" if one.get("disposition") else f" (--exclude {one['selector']})"
    said = [("why", f"{one['by']}: {one['reason']}{chosen}"), ("included", _included(group))]
    return _told(
        _named(group, ""),
        [*said, ("may read", _few(reaches) or ("nothing" if one.get("disposition") else "nobody knows what"))],
    )


def _same_task(each: _Told) -> object:
    return each["provider"], each["reason"], each["mend"]


def _same_exclusion(each: _Told) -> object:
    return each["provider"], each["selector"], each["reason"], each["by"]


def _named(group: Sequence[_Told], where: str) -> str:
    kind = group[0]["provider"] or "not recognised"
    if len(group) > 1:
        return f"{len(group):,} {kind}{where}\n{_few([_id(each) for each in group])}"
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
    return [f"{each}: until no other lives that may read it: {_few(most['first'], most['count'])}"]


def _new(group: Sequence[_Told]) -> str:
    places = list(dict.fromkeys(chain.from_iterable(each["deliver"] for each in group)))
    told = list(dict.fromkeys(chain.from_iterable(each["consumers"] for each in group)))
    return f"goes to {_few(places)}; told: {_few(told) or 'nobody'}" if places else "none"


def _few(names: Sequence[str], count: int | None = None) -> str:
    total, first = (len(names) if count is None else count), names[:_NAMED]
    return ", ".join(first) + (f" and {total - len(first):,} more" if total > len(first) else "")


def _told(title: str, said: Iterable[tuple[str, str]]) -> list[RenderableType]:
    """Return a title and what is told under it, name by name."""
    first, *others = title.split("\n")
    return [wrapped(f"  {first}", "bold"), *(wrapped(f"    {line}") for line in others), *_grid(said, "    ")]


def _grid(said: Iterable[tuple[str, str]], indent: str) -> list[RenderableType]:
    """Return names and what stands behind each; no word is broken, and nothing cut."""
    told = [(f"{indent}{plain(name)}", plain(text)) for name, text in said]
    margin = max([_LEFT, *(cell_len(name) for name, _ in told)]) + 2
    return [Hanging(Text(name), margin, Text(text)) for name, text in told]


def _sentences(title: str, sentences: Sequence[str]) -> list[RenderableType]:
    return [Text(f"\n{title}", style="bold"), *(wrapped(f"  {each}") for each in sentences)] if sentences else []


def _foothold(each: _Told) -> Text:
    """Say what a foothold holds up; one that holds nothing up may be misspelt."""
    host = each["host"]
    if each["keeps"]:
        what = f"no new secret for {_few(each['keeps'])} before it is cut off"
        return Text(plain(f"Foothold {host}: {what}: rotator host isolate INCIDENT {host} --reason …"), style="magenta")
    if each["known"]:
        return Text(plain(f"Foothold {host}: no consumer of what leaked lives there; it holds nothing up."))
    unknown = "no consumer, connection or target is called so here; it holds nothing up"
    return Text(plain(f"warning: foothold {host}: {unknown}"), style="yellow")
