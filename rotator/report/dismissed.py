"""What was dismissed, in the report: as what, why, by whom and when; and what was opened again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from rotator.flow.exposure import Certainty, Disposition
from rotator.ledger.dismissals import Dismissal, Seen
from rotator.ledger.records import IncidentRecord
from rotator.report.clocks import moment
from rotator.report.revisions import each_run
from rotator.report.tables import Sentence, plain_table, words

_MEANS = {
    Disposition.CANARY: "our canary: whoever took it was where it lay, and has what else lay there",
    Disposition.FALSE_POSITIVE: "no credential",
    Disposition.NOT_OURS: "not ours",
    Disposition.ALREADY_DEAD: "dead before this incident",
}
_SHOWN = 20
_SUREST = list(Certainty)


def told(dismissal: Dismissal) -> dict[str, Any]:
    """Return one dismissal as data; `reopened_at` is "" while it stands."""
    return {
        "of": dismissal.of,
        "as": dismissal.disposition.value,
        "means": _MEANS.get(dismissal.disposition, ""),
        "at": moment(dismissal.at),
        "by": dismissal.by,
        "reason": dismissal.reason,
        "issuer_says": dismissal.issuer_says,
        "reopened_at": moment(dismissal.reopened_at),
        "reopened_by": dismissal.reopened_by or "",
        "reopened_reason": dismissal.reopened_reason or "",
    }


def standing(dismissals: Iterable[Dismissal]) -> dict[str, dict[str, Any]]:
    """Return by run or task the dismissal that stands of each."""
    return {each.of: told(each) for each in dismissals if each.stands}


def lines(credentials: Iterable[dict[str, Any]], taken_back: Iterable[dict[str, Any]]) -> list[RenderableType]:
    """Say what is dismissed, and what was and is open again."""
    said = []
    for each in each_run(credentials):
        what = f"  {each['run']}  {each['provider'] or 'not recognised'} {each['id']}: "
        if (one := each["dismissed"]) is not None:
            asked = f"; {one['issuer_says']}" if one["issuer_says"] else ""
            said.append(f"{what}{one['means']}, says {one['by']} at {one['at']}: {one['reason']}{asked}")
        elif each["state"] == "dismissed":
            gave_way = each["run"].rpartition(".")[2].startswith("r")
            said.append(f"{what}{'gave way' if gave_way else 'excluded from the plan'}: {each['why']}")
    said += [
        f"  {one['of']}: {one['as']}, said {one['by']} ({one['reason']}); open again since {one['reopened_at']}, "
        f"says {one['reopened_by']}: {one['reopened_reason']}"
        for one in taken_back
    ]
    if not said:
        return []
    more = [Text(f"  … and {len(said) - _SHOWN:,} more (-o json has them all)")] if len(said) > _SHOWN else []
    return [Text("Dismissed:", style="bold"), *map(Sentence, said[:_SHOWN]), *more]


def exposure_rows(record: IncidentRecord, seen: Mapping[str, Sequence[Seen]]) -> list[dict[str, Any]]:
    """Return each run or task of an incident: how sure it is, where it was seen, what is said of it.

    Those of what was merged into it are its own; `seen` has their places too.
    """
    every = record.family
    by_of = standing(each for of in every for each in of.dismissals)
    named = [(each.run.id, each.run.kind, each.run.ref.owner, each.run.ref.id, "") for of in every for each in of.runs]
    named += [(each.id, each.kind or "", "", each.key, each.dismissed or "") for of in every for each in of.manual]
    rows = []
    for of, kind, owner, key, said in named:
        places = seen.get(of, ())
        certainty = min((each.certainty for each in places), key=_SUREST.index, default=None)
        one = by_of.get(of)
        rows.append(
            {
                "run": of,
                "provider": kind,
                "owner": owner,
                "id": key,
                "certainty": certainty.value if certainty else "",
                "disposition": one["as"] if one else "excluded" if said else Disposition.OPEN.value,
                "dismissed": one,
                "seen": [{"certainty": each.certainty.value, "where": each.where, "by": each.by} for each in places],
            }
        )
    return rows


def exposure_table(rows: Iterable[dict[str, Any]]) -> Table:
    """Return them as a table; where each was seen first."""
    table = plain_table(None, "run", "credential", "certainty", "said of it", "seen")
    for each in rows:
        places = each["seen"]
        more = f" and {len(places) - 1:,} more" if len(places) > 1 else ""
        first = f"{places[0]['where'] or places[0]['by']}{more}" if places else ""
        what = words(each["provider"] or "not recognised", each["id"])
        table.add_row(each["run"], what, each["certainty"], each["disposition"], words(first))
    return table
