"""What a room full of people sees of one incident: its picture, and the few credentials that are on the screen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rotator.bootstrap import Rotator
from rotator.errors import BadInput
from rotator.flow.approval import Role
from rotator.flow.playbook_words import Until
from rotator.flow.standing import CredentialState
from rotator.report import curve as curve_of
from rotator.report.clocks import moment
from rotator.report.count_line import counts
from rotator.shown import buttons
from rotator.shown.credentials import few
from rotator.shown.moments import Milestone, curve, destructions, milestones
from rotator.shown.picture import Page, Picture, Sort
from rotator.shown.row import Row

WAITING, LISTED = 10, 25
"""How many of what needs a person, and of the credentials, are on one page."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which part of the lists is asked for: of the credentials by state, provider, text and order, each from a place.

    `sort` is a column, with `-` before it the other way round.
    """

    state: str = ""
    provider: str | None = None
    text: str = ""
    sort: str = ""
    after: str | None = None
    waiting_after: str | None = None


def room(parts: Rotator, picture: Picture, role: Role, wanted: Wanted) -> dict[str, Any]:
    """Return the data of the page, of a picture that is whole. Raises BadInput where no list has what is wanted."""
    whole = picture.whole or {}
    waiting = picture.queue(wanted.waiting_after, WAITING)
    known = {each["run"]: each for each in few(parts, picture.incident, [each.run for each in waiting.rows])}
    return {
        "incident": whole,
        "counts": _counts(picture),
        "bar": _bar(picture),
        "destructions": _destructions(picture),
        "sentences": buttons.sentences(whole, role),
        "stop": None if _is_stopped(whole) else buttons.stop(picture.incident, role),
        "timeline": timeline(picture),
        "curve": _curve(picture),
        "waiting": _waiting(waiting, known, role, wanted),
        "needs": [(str(each), count) for each, count in picture.needs.items()],
        "listed": _listed(picture, wanted),
        "more": _more(picture, whole, role),
    }


def _is_stopped(whole: Mapping[str, Any]) -> bool:
    return any(each["scope"] in {"all", "incident"} for each in whole["stops"])


def _counts(picture: Picture) -> list[tuple[str, int, str]]:
    return counts(picture.progress) if picture.progress is not None else []


def _bar(picture: Picture) -> list[tuple[str, float, float]]:
    """Return the credentials as parts of one line 1,000 wide: each state with where it begins and how wide it is."""
    found, begin = [], 0.0
    whole = max(picture.totals["credentials"], 1)
    for state in CredentialState:
        wide = 1000 * picture.totals[state.value] / whole
        if wide:
            found.append((state.value, round(begin, 2), round(wide, 2)))
        begin += wide
    return found


def timeline(picture: Picture) -> list[dict[str, Any]]:
    """Return the milestones in the order in which they came, those that have not come behind."""
    told = milestones(picture)
    come = sorted((each for each in told if each.at is not None), key=lambda each: each.at or 0.0)
    found: list[dict[str, Any]] = []
    before: float | None = None
    for each in come:
        since = None if before is None or each.at is None else each.at - before
        found.append({"name": each.name, "at": moment(each.at), "since": since})
        before = each.at
    ahead = [each for each in told if each.at is None]
    return found + [{"name": each.name, "at": "", "since": None, "still": _still(picture, each)} for each in ahead]


def _still(picture: Picture, ahead: Milestone) -> str:
    """Say of a milestone that has not come what is known: what settles is refused already, and must hold."""
    if ahead.name == "exposed":
        return "not known"
    if not ahead.missing:
        return "not yet"
    if ahead.missing > 1 or not ahead.name.startswith("first"):
        return f"not yet, {ahead.missing:,} missing"
    settling = picture.totals["settling"]
    return f"not yet, {settling:,} settling" if settling and ahead.name != "first acknowledged" else "not yet"


def _destructions(picture: Picture) -> dict[str, Any] | None:
    count, first = destructions(picture)
    return {"count": count, "first": moment(first)} if count else None


def _curve(picture: Picture) -> dict[str, Any]:
    lines = curve(picture, picture.at)
    return {
        "svg": curve_of.svg(lines, picture.at),
        "told": curve_of.told(lines, picture.at),
        "names": [(curve_of.key(number), each.name, each.at(picture.at)) for number, each in enumerate(lines)],
        "rows": curve_of.rows(lines, picture.at),
    }


def _waiting(page: Page, known: Mapping[str, Mapping[str, Any]], role: Role, wanted: Wanted) -> dict[str, Any]:
    return {
        "items": [_item(each, known[each.run], role) for each in page.rows if each.run in known],
        "count": page.count,
        "next": page.next,
        "is_first": wanted.waiting_after is None,
    }


def _item(row: Row, known: Mapping[str, Any], role: Role) -> dict[str, Any]:
    """Return what waits for a person, why, and what he can do: the safe act first, to leave it alone last."""
    return {
        **_short(row),
        "why": str(row.needs),
        "open": known["open"],
        "stopped": known["stopped"],
        "buttons": buttons.buttons(known, role),
        "dismiss": buttons.dismissal(row.incident, known, role),
    }


def _listed(picture: Picture, wanted: Wanted) -> dict[str, Any]:
    try:
        sort = Sort(wanted.sort.removeprefix("-")) if wanted.sort else Sort.REPORT
    except ValueError:
        raise BadInput("no column is called so", "sort", f"there are {', '.join(Sort)}") from None
    page = picture.page(
        state=wanted.state or None,
        provider=wanted.provider,
        text=wanted.text,
        sort=sort,
        descending=wanted.sort.startswith("-"),
        after=wanted.after,
        limit=LISTED,
    )
    return {
        "rows": [_short(each) for each in page.rows],
        "count": page.count,
        "next": page.next,
        "is_first": wanted.after is None,
        "states": [(each.value, picture.totals[each.value]) for each in CredentialState],
        "providers": [(name, totals["credentials"]) for name, totals in picture.by_provider.items()],
    }


def _short(row: Row) -> dict[str, Any]:
    return {
        "run": row.run,
        "provider": row.provider,
        "connection": row.connection,
        "owner": row.owner,
        "id": row.id,
        "state": row.state.value,
        "wave": row.wave,
        "also": row.also,
        "is_task": row.is_task,
        "dead_at": moment(row.dead_at),
        "is_stated": row.evidence == "stated",
        "replaced_at": moment(row.replaced_at),
        "converged_at": moment(row.converged_at),
        "settled_by": row.settled_by,
    }


def _more(picture: Picture, whole: Mapping[str, Any], role: Role) -> list[buttons.Button]:
    """Return what else can be done with the whole incident, the rarest last."""
    held = any(each["name"] == Until.NO_LEGAL_HOLD and not each["is_open"] for each in whole["gates"])
    stopped = {each["name"] for each in whole["stops"] if each["scope"] == "connection"}
    return [
        *(
            []
            if whole["closed_at"] or whole["merged_into"]
            else [buttons.ending(picture.incident, role, is_closed=False)]
        ),
        *([] if held else [buttons.hold(picture.incident, role)]),
        *(buttons.stop_connection(each, role) for each in _connections(picture) if each not in stopped),
        buttons.stop_all(role),
    ]


def _connections(picture: Picture) -> list[str]:
    return sorted(name for name, count in picture.tally.connections.items() if name and count)
