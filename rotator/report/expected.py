"""What a plan will cost, for people: who is without a working credential, and which account is asked how much."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from rotator.report.tables import plain_table, words, wrapped

_ROWS = 20
_NAMED = 3
_WORST_FIRST = ("for_good", "gap", "cut", "none")
_IN_SECONDS_S = 90
_IN_MINUTES_S = 5400
_Told = Mapping[str, Any]


def outage_rows(outages: Sequence[_Told]) -> list[tuple[str, list[str]]]:
    """Return who has to expect what, the worst first; users of whom the same is told stand together."""
    found = _grouped(outages, by_user=True)
    if len(found) > _ROWS:
        found = _grouped(outages, by_user=False)
    return [(f"{_users(group)}: {_of(group)}", [_expects(group), *_seen(group)]) for group in found]


def outages_table(outages: Sequence[_Told]) -> list[RenderableType]:
    """Return it as a table."""
    found = outage_rows(outages)
    table = plain_table(None, "who uses it", "without a working one")
    for who, expects in found[:_ROWS]:
        table.add_row(words(who), words(*expects))
    rest = [Text(f"… and {len(found) - _ROWS:,} more (-o json has all)")] if len(found) > _ROWS else []
    silent = [wrapped(each) for each in [no_evidence(outages)] if each]
    return [Text("\nExpected outage", style="bold"), table, *rest, *silent]


def _grouped(outages: Sequence[_Told], *, by_user: bool) -> list[list[_Told]]:
    """Put those together of which the same is told, the worst first, and those with no known user before others."""
    groups: dict[object, list[_Told]] = {}
    for each in outages:
        user = each["user"] if by_user else bool(each["user"])
        groups.setdefault((user, each["outage"], each["stops"], each["again"], bool(each["by"])), []).append(each)
    return sorted(groups.values(), key=lambda group: (_WORST_FIRST.index(group[0]["outage"]), group[0]["user"] != ""))


def _users(group: Sequence[_Told]) -> str:
    users = list(dict.fromkeys(each["user"] for each in group if each["user"]))
    if not users:
        return "nobody is known"
    return users[0] if len(users) == 1 else f"{len(users):,} users, such as {users[0]}"


def _of(group: Sequence[_Told]) -> str:
    if len(group) > 1:
        return f"{len({each['id'] for each in group}):,}, such as {group[0]['id']}"
    return f"{group[0]['provider']} {group[0]['id']}"


def _expects(group: Sequence[_Told]) -> str:
    one = group[0]
    outage, stops = one["outage"], one["stops"]
    if outage == "cut":
        return "its sessions end; what it holds goes on working"
    if outage == "none" and one["by"]:
        return f"none expected: {one['by']} has brought it another"
    if outage == "none":
        return f"none expected: `{one['again']}` comes before `{stops}` stops the old one"
    whoever = "" if one["user"] else "whoever uses it will fail: "
    if outage == "for_good":
        return f"{whoever}from `{stops}` on for good, until a person lets it in again"
    until = f"`{one['again']}`" if one["user"] else "it reads the new one by itself"
    by = f" of {one['by']}" if one["by"] else ""
    slowest = max(each["again_not_before_s"] or 0.0 for each in group)
    budget = f", by the budgets not before {lasting(slowest)} after the approval" if slowest else ""
    return f"{whoever}from `{stops}` until {until}{by}{budget}"


def _seen(group: Sequence[_Told]) -> list[str]:
    """Say who was seen to use them, where access logs were given."""
    last = max(each["last_used_at"] for each in group)
    sources = list(dict.fromkeys(source for each in group for source in each["sources"]))
    if not last:
        return []
    more = f" and {len(sources) - _NAMED:,} more" if len(sources) > _NAMED else ""
    by = f" by {', '.join(sources[:_NAMED])}{more}" if sources else ""
    return [f"last used {last[:19]}Z{by}"]


def no_evidence(outages: Sequence[_Told]) -> str:
    """Say of how many nobody knows who used them, "" where access logs tell it of all."""
    silent = len({each["id"] for each in outages if not each["last_used_at"]})
    every = len({each["id"] for each in outages})
    if not silent:
        return ""
    of = "any of them" if silent == every else f"{silent:,} of {every:,}"
    return f"No access evidence tells who used {of} lately."


def account_rows(plan: _Told) -> list[tuple[str, str, str, str]]:
    """Return the calls to each account, its budget, and how long they take at the least; the slowest first."""
    called = [each for each in plan["accounts"] if each["calls"]]
    found = sorted(called, key=lambda each: -(each["replaced_at_least_s"] or each["dead_at_least_s"] or 0.0))
    rows = []
    for each in found:
        calls = f"{each['calls_until_dead']:,}, {each['calls_until_replaced']:,}, {each['calls']:,}"
        known = each["dead_at_least_s"] is not None
        least = (
            f"{lasting(each['dead_at_least_s'])}, {lasting(each['replaced_at_least_s'])}" if known else "nobody knows"
        )
        rows.append((each["account"], calls, each["budget"] or "not known", least))
    return rows


def accounts_table(plan: _Told) -> list[RenderableType]:
    """Return it as a table."""
    table = plain_table(None, "account", "calls: dead, replaced, all", "budget", "at least: dead, replaced")
    found = account_rows(plan)
    for account, calls, budget, least in found[:_ROWS]:
        table.add_row(words(account), calls, words(budget), least)
    rest = [Text(f"… and {len(found) - _ROWS:,} more (-o json has all)")] if len(found) > _ROWS else []
    return [Text("\nCalls and time", style="bold"), table, *rest, wrapped(at_least(plan))]


def at_least(plan: _Told) -> str:
    """Say how many calls it is in all, and how long it takes at the least, as far as budgets are known."""
    dead, replaced = lasting(plan["dead_at_least_s"]), lasting(plan["replaced_at_least_s"])
    said = [f"In all {plan['calls']:,} calls."]
    if any(each["calls"] and each["dead_at_least_s"] is not None for each in plan["accounts"]):
        said.append(
            f"By the budgets alone at least {dead} until all are proven dead, {replaced} until all is replaced."
        )
    if unknown := len(plan["without_budget"]):
        of = "1 account" if unknown == 1 else f"{unknown:,} accounts"
        said.append(f"That leaves out {of} of no known budget.")
    said.append("Latency, settling, retries, gates and people come on top.")
    return " ".join(said)


def lasting(seconds: float) -> str:
    """Return a duration as people say it, rounded down: it is a lower bound."""
    if seconds < _IN_SECONDS_S:
        return f"{int(seconds)} s"
    if seconds < _IN_MINUTES_S:
        return f"{int(seconds / 60)} min"
    return f"{int(seconds / 360) / 10:g} h"
