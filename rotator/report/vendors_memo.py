"""The decision memo of all vendors that a notice touches, as data: one page, the gravest first, and what it takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from math import fsum
from typing import Any

from rotator.flow.vendor_triage import Advice
from rotator.report.clocks import moment
from rotator.report.vendor_memo import DECIDE_WITHIN_S, formula, happened, many, named, short, worded

LISTED = 12
"""How many vendors one page tells of: the others are counted."""
_COSTS = ("effort_h", "user_impact", "cost_of_change")


def build(
    rows: Sequence[Mapping[str, Any]],
    notice: Mapping[str, Any],
    *,
    deciders: Sequence[str],
    made_at: float,
    made_by: str,
) -> dict[str, Any]:
    """Return the memo of the `rows` of a triage, the gravest first; `paused` of a row is its incident."""
    vendors = [_told(each) for each in rows]
    open_ones = [each for each in vendors if not each["paused"]]
    return {
        "question": f"{many(len(vendors), 'vendor')} may be touched: which are paused?",
        "made_at": moment(made_at),
        "made_by": made_by,
        "notice": dict(notice),
        "happened": happened(notice, ()),
        "totals": {**totals(vendors), "paused": len(vendors) - len(open_ones)},
        "recommended": [
            f"{each.value}: {_of(mine)}; decide until {_clock(made_at + DECIDE_WITHIN_S[each.value])}"
            for each in Advice
            if (mine := [one for one in open_ones if one["advice"] == each.value])
        ],
        "deciders": list(deciders),
        "vendors": vendors,
    }


def totals(vendors: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what all of these take together, if each were paused; what is paused already takes nothing more."""
    open_ones = [each for each in vendors if not each["paused"]]
    return {
        "vendors": len(vendors),
        "effort_h": round(fsum(each["effort_h"] for each in open_ones), 3),
        "tasks": sum(each["tasks"] for each in open_ones),
        "unknown": sum(bool(each["unknown"]) for each in vendors),
    }


def rest(vendors: Sequence[Mapping[str, Any]]) -> str:
    """Say in a line what is behind the vendors that a page tells of; "" where nothing is."""
    left = vendors[LISTED:]
    if not left:
        return ""
    advised = Counter(each["advice"] for each in left if not each["paused"])
    paused = sum(bool(each["paused"]) for each in left)
    counts = [f"{count:,} {advice}" for advice, count in advised.items()] + ([f"{paused:,} paused"] if paused else [])
    hours = totals(left)["effort_h"]
    return f"{many(len(left), 'more vendor')}, less grave: {', '.join(counts)}; about {hours:g} hours of people."


def _of(mine: Sequence[Mapping[str, Any]]) -> str:
    """Return who they are, and what it takes to pause them."""
    found = totals(mine)
    names = ", ".join(each["vendor"] for each in mine[:LISTED])
    more = f" and {len(mine) - LISTED:,} more" if len(mine) > LISTED else ""
    takes = f"about {found['effort_h']:g} hours of people, {many(found['tasks'], 'task')} that no machine does"
    return f"{names}{more} ({takes})"


def _told(row: Mapping[str, Any]) -> dict[str, Any]:
    terms = {each["name"]: each for each in row["terms"]}
    costs = {name: worded(terms[name]) for name in _COSTS[1:]}
    return {
        "rank": row["rank"],
        "vendor": row["vendor"],
        "title": row["title"],
        "owner": row["owner"],
        "priority": row["priority"],
        "formula": formula(row, terms),
        "why": short(row["grounds"][0]["why"]),
        "worst": short(terms["worst"]["why"]),
        "advice": row["advice"],
        "because": row["because"],
        "paused": row["paused"],
        "effort_h": terms["effort_h"]["value"] or 0.0,
        "tasks": int(terms["tasks"]["value"] or 0),
        **costs,
        "unknown": [named(each) for each in row["terms"] if each["ask"]],
    }


def _clock(at: float) -> str:
    iso = moment(at)
    return f"{iso[:10]} {iso[11:16]} UTC"
