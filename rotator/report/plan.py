"""A plan for people at a terminal, made from its data: what is done to what, why, in which order, and what it costs.

Credentials of which the same is told stand together, so that five thousand fit on a page.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.text import Text

from rotator.report.expected import accounts_table, outages_table
from rotator.report.plain import plain
from rotator.report.plan_sections import Section, few, sections
from rotator.report.tables import Hanging, wrapped

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
_LEFT = 10
"""How wide the names of what is told are."""
_Told = Mapping[str, Any]


def plan_text(plan: _Told) -> RenderableType:
    """Return the plan; who shows it says how it goes on."""
    credentials: Sequence[_Told] = plan["credentials"]
    parts: list[RenderableType] = [Text(_heading(plan), style="bold"), wrapped(_totals(plan["totals"]))]
    for section in sections(plan):
        parts += _shown(section)
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


def _shown(section: Section) -> list[RenderableType]:
    parts: list[RenderableType] = [Text(f"\n{section.title}: {section.count:,}", style=section.style)]
    for title, said in section.entries:
        parts += _told(title, said)
    count, groups = section.left
    if groups:
        parts.append(Text(f"  … and {count:,} more in {groups:,} groups (-o json has all)"))
    return parts


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
        what = f"no new secret for {few(each['keeps'])} before it is cut off"
        return Text(plain(f"Foothold {host}: {what}: rotator host isolate INCIDENT {host} --reason …"), style="magenta")
    if each["known"]:
        return Text(plain(f"Foothold {host}: no consumer of what leaked lives there; it holds nothing up."))
    unknown = "no consumer, connection or target is called so here; it holds nothing up"
    return Text(plain(f"warning: foothold {host}: {unknown}"), style="yellow")
