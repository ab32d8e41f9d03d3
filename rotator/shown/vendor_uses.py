"""Unusual use of what a vendor holds as it is shown: by all access logs that were read, and by those of one reading."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rotator.bootstrap import Rotator
from rotator.flow.vendor_use import SHORT, Log, Used, caveats
from rotator.held import Held, held_by, is_grant
from rotator.ledger.vendor_uses import VendorUses
from rotator.report.clocks import moment
from rotator.vendor_uses import Reading, digest_of, logs_of, of_vendor

MOST, _LOGS, _GRAVE = 500, 3, 5
"""How many credentials are shown, the gravest first, how many logs are named of each, and of how many a
grave use is told in a line: all are counted."""


def known(parts: Rotator, name: str, held: Iterable[Held]) -> dict[str, Any]:
    """Return what is known of the use of what a vendor holds, and what is not."""
    logs = VendorUses(parts.database).logs(name).get(name, [])
    found = of_vendor(parts, name)
    seen = {each.ref for each in found}
    every = [each.ref for each in held]
    grants = sum(1 for ref in every if is_grant(parts, ref.provider))
    silent = sum(1 for ref in every if ref not in seen and not is_grant(parts, ref.provider))
    return {
        "logs": len(logs),
        "begins_at": moment(min((each.begins_at for each in logs if each.begins_at is not None), default=None)),
        "ends_at": moment(max((each.ends_at for each in logs if each.ends_at is not None), default=None)),
        "named": len(found),
        "unusual": sum(1 for each in found if each.is_unusual),
        "grave": _gravest(found),
        "says": _unknown(name, logs, silent, grants),
        "credentials": [_row(each) for each in found[:MOST]],
    }


def answer(parts: Rotator, reading: Reading, before: Sequence[Log]) -> dict[str, Any]:
    """Return what was read for a vendor, and what is known since; `before` are the logs that were known."""
    told = reading.told
    vendor = parts.vendors.one(reading.vendor)
    logs, known_by = logs_of(reading), frozenset().union(*(each.known_by for each in before))
    return {
        "vendor": reading.vendor,
        "since": moment(reading.since),
        "basis": reading.basis,
        "logs": len(logs),
        "known": sum(1 for each in logs if not known_by.isdisjoint(each.known_by)),
        "sha256": digest_of(logs) if logs else "",
        "ours": told.ours,
        "unread": list(told.unread),
        "uses": known(parts, reading.vendor, held_by(parts, vendor)),
    }


def in_a_line(uses: Mapping[str, Any]) -> str:
    """Say in one line what is known of the use, for who has to decide; "" where no log was read."""
    if not uses["logs"]:
        return ""
    span = f"the {uses['logs']:,} access logs that were read, to {uses['ends_at'][:10] or 'nobody knows when'}"
    odd = [each for each in uses["credentials"] if each["after"] or each["signs"]]
    if not odd:
        return f"Nothing unusual of its use stands in {span}."
    first = odd[0]
    sorts = ", ".join(dict.fromkeys(each["sign"] for each in first["signs"]))
    what = f"{first['kind']} {first['id']}: {first['grave'] or sorts}"
    more = f" And {uses['unusual'] - 1:,} credentials more." if uses["unusual"] > 1 else ""
    return f"Unusual use, by {span}: {what}.{more}"


def _gravest(found: Sequence[Used]) -> list[str]:
    """Say of which credentials a use is grave: they stand first, each with its words once more in its row."""
    grave = [each for each in found if each.grave]
    more = [f"and {len(grave) - _GRAVE:,} more were used after they were to be dead"] if len(grave) > _GRAVE else []
    return [*(f"{each.name}: {each.grave}" for each in grave[:_GRAVE]), *more]


def _unknown(name: str, logs: list[Log], silent: int, grants: int) -> list[str]:
    if not logs:
        return [f"no access log was read: `rotator vendor uses {name} LOG` reads them"]
    told = caveats(logs)
    if silent:
        told.append(f"of {silent:,} credentials no log that was read tells")
    if grants:
        told.append(f"no log that is read names grants ({grants:,}): look for who assumed them")
    return told


def _row(of: Used) -> dict[str, Any]:
    return {
        "kind": of.ref.provider,
        "connection": of.ref.connection,
        "owner": of.ref.owner,
        "id": of.ref.id,
        "calls": of.calls,
        "refused": of.refused,
        "first_at": moment(of.first_at),
        "last_at": moment(of.last_at),
        "after": of.after.value if of.after else "",
        "grave": of.grave,
        "signs": [
            {"sign": SHORT[each.sign], "at": moment(each.at), "words": each.words, "log": each.file}
            for each in of.signs
        ],
        "logs": list(dict.fromkeys(of.logs))[:_LOGS],
        "more_logs": max(len(set(of.logs)) - _LOGS, 0),
    }
