"""Show what leaked, on a terminal. Never the secrets: only ids, places and counts."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from rotator.flow.exposure import Certainty, Suspect, misspelt
from rotator.report.tables import plain_table, words

_PLACES = 3
_ROWS = 40


def leaked_rows(found: Iterable[Suspect]) -> list[dict[str, Any]]:
    """Return what a report names, for programs."""
    return [
        {
            "kind": each.kind,
            "key": each.key,
            "recognised": each.kind is not None,
            "has_material": each.leaked.secret is not None,
            "exposures": [
                {
                    "source": one.source,
                    "rule": one.rule,
                    "where": one.where,
                    "scanner_says": one.scanner_says,
                    "certainty": one.certainty.value,
                    "via": list(one.via),
                }
                for one in each.exposures
            ],
        }
        for each in found
    ]


def leaked_table(found: list[Suspect], kinds: Collection[str] = ()) -> RenderableType:
    """Return the table of what leaked; `kinds` are those that a list may misspell."""
    only_seen = all(one.certainty is Certainty.SEEN for each in found for one in each.exposures)
    what = "Leaked" if only_seen else "Leaked or within reach"
    title = f"{what}: {len(found):,} credential{'s' * (len(found) != 1)}"
    table = plain_table(title, "kind", "id or fingerprint", "seen in" if only_seen else "how")
    for each in found[:_ROWS]:
        rules = ", ".join(sorted({f"{one.source}:{one.rule}" for one in each.exposures}))
        close = misspelt(each, kinds)
        unknown = f"not recognised ({rules}{f'; did you mean {close}?' if close else ''})"
        table.add_row(words(each.kind or unknown), words(each.key), words(_places(each, only_seen=only_seen)))
    return Group(table, _rest(len(found)))


def _places(suspect: Suspect, *, only_seen: bool) -> str:
    places = list(
        dict.fromkeys(
            f"{one.certainty.value}: {' → '.join(one.via)}"
            if one.via
            else f"seen in {one.where}"
            if not only_seen
            else one.where
            for one in suspect.exposures
        )
    )
    more = f" and {len(places) - _PLACES} more" if len(places) > _PLACES else ""
    return ", ".join(places[:_PLACES]) + more


def _rest(count: int) -> Text:
    return Text(f"… and {count - _ROWS:,} more (-o json has them all)" if count > _ROWS else "", end="")
