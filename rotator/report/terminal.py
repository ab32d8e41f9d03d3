"""The incident report for people at a terminal, made from the report's data."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from rotator.flow.standing import CredentialState
from rotator.report.approval import approved_by
from rotator.report.attention import SHOWN, acted, for_you, not_begun, once_mended, rest, scheduled, still_open, told
from rotator.report.clocks import untold
from rotator.report.datasets import lines as datasets
from rotator.report.dismissed import lines as dismissed
from rotator.report.plain import plain
from rotator.report.plan import plan_text
from rotator.report.revisions import each_run, made
from rotator.report.tables import Hanging, Sentence, plain_table, words

_STYLES = {
    "proven_dead": "green",
    "stated_dead": "cyan",
    "settling": "yellow",
    "pending": "yellow",
    "held": "magenta",
    "manual": "magenta",
    "failed": "red",
    "dismissed": "dim",
    "let_in_again": "bold",
}
_STEP_STYLES = {"done": "green", "failed": "red", "held": "magenta", "skipped": "dim", "pending": "dim"}
_RARE = CredentialState.LET_IN_AGAIN.value.replace("_", " ")
"""The state that is told where there is one, since most incidents are no vendor's."""
_STEPPED = 20
"""How many credentials are shown step by step; -o json has them all."""


def incident_text(report: dict[str, Any]) -> RenderableType:
    """Return the whole report."""
    incident = report["incident"]
    parts: list[RenderableType] = [
        Text.from_markup(f"{incident['id']}  {words(incident['title'])}  \\[{incident['severity']}]", style="bold"),
        *for_you(incident),
        Sentence(f"detected {incident['detected_at']}  declared {incident['declared_at']}  plan {incident['plan']}"),
        *approved_by(incident),
        _credentials(report["credentials"][:SHOWN], {each["run"] for each in incident["alive_again"]}),
        *rest(len(report["credentials"])),
        *(_steps(each) for each in each_run(report["credentials"][:_STEPPED]) if _is_begun(each)),
        *_totals(report),
        Sentence(times("time to revoke (detected to proven dead)", report["time_to_revoke"])),
        Sentence(times("revocation latency (approved to proven dead)", report["revocation_latency"])),
        # Once more, where somebody who read that far looks for it.
        *for_you(incident),
        *(still_open(report["credentials"]) if incident["begun"] else not_begun(report["credentials"])),
        *scheduled(report["credentials"], incident["start"]),
        *acted(report["credentials"]),
        *dismissed(report["credentials"], report["taken_back"]),
        *datasets(incident),
        *told(incident),
    ]
    return Group(*parts)


def times(name: str, figures: dict[str, Any]) -> str:
    """Return the figures of a clock on a line; what is open counts as open, so that some cannot be told yet."""
    open_ones = f"still open {figures['still_open']:,}"
    if figures["max_s"] is None:
        return f"{name}: nothing proven yet; {open_ones}"
    labels = {"mean_s": "mean", "p50_s": "p50", "p95_s": "p95", "max_s": "max"}
    told = {key: untold(figures, key) if figures[key] is None else f"{figures[key]:.1f} s" for key in labels}
    return f"{name}: {' · '.join(f'{label} {told[key]}' for key, label in labels.items())}; {open_ones}"


def planned_text(
    report: dict[str, Any], shown: dict[str, Any], covered: Sequence[dict[str, Any]] = ()
) -> RenderableType:
    """Return the newest revision of an incident's plan as it was made, and whether it is approved.

    `covered` are earlier ones that are approved with it.
    """
    incident = report["incident"]
    if not shown:
        older = "An older release declared it, and kept no plan: this is how it stands."
        return Group(Text(older, style="bold"), incident_text(report))
    head = Text.from_markup(f"{incident['id']}  {words(incident['title'])}  \\[{incident['severity']}]", style="bold")
    again = once_mended(report["credentials"])
    before = [part for each in covered for part in (plan_text(each), Text(""))]
    out = dismissed([each for each in report["credentials"] if each["dismissed"]], report["taken_back"])
    said = (*made(incident), *out, *for_you(incident), *approved_by(incident))
    return Group(head, *before, plan_text(shown), *again, *said)


def _is_begun(credential: dict[str, Any]) -> bool:
    return any(step["state"] != "pending" for step in credential["steps"])


def _credentials(credentials: list[dict[str, Any]], alive_again: Collection[str]) -> Table:
    table = plain_table("Credentials", "kind", "owner · id", "state", "proven dead", "replaced by")
    for each in credentials:
        table.add_row(
            words(each["provider"] or "not recognised"),
            words(*filter(None, (each["owner"], each["id"])), *_origin(each)),
            Text("ALIVE AGAIN", style="bold red") if each["run"] in alive_again else _state(each),
            words(_dead(each)),
            words(*_replacement(each)),
        )
    return table


def _origin(credential: dict[str, Any]) -> tuple[str, ...]:
    """Say of a replacement that leaked again which run had made it, and who else answers the same credential."""
    made = (f"made by {credential['predecessor']}",) if credential.get("predecessor") else ()
    return (*made, *(f"also {each}" for each in credential.get("also", ())))


def _state(credential: dict[str, Any]) -> Text:
    return Text(credential["state"].replace("_", " "), style=_STYLES[credential["state"]])


def _dead(credential: dict[str, Any]) -> str:
    """Return when it was proven dead, or by whom it is said to be; of a grant that was let in again when."""
    if credential.get("let_in_again_at"):  # an older service tells of none
        return f"let in {_clock(credential['let_in_again_at'])}"
    otherwise = f"see {credential['settled_by']}" if credential["settled_by"] else "no"
    return _clock(credential["proven_dead_at"]) or ("stated only" if credential["stated_dead_at"] else otherwise)


def _replacement(credential: dict[str, Any]) -> tuple[str, ...]:
    if not credential["replaced_at"]:
        return ("not replaced",) if credential["strategy"] in {"contain_first", "replace_first"} else ("-",)
    return credential["replacement"], "in use" if credential["converged_at"] else "delivered"


def _steps(credential: dict[str, Any]) -> RenderableType:
    """Return one credential's steps, a line each: what, where, how it ended, when, how long, why."""
    owner = credential["owner"] or "?"
    what = plain(f"{credential['run']}  {credential['provider']} of {owner}  {credential['id']}")
    heading = Text(f"\n{what}", style="bold")
    why = Text(plain(f"  {credential['strategy']}: {credential['why']}"), style="dim")
    rows = [_columns(step) for step in credential["steps"]]
    widths = [max(each.cell_len for each in column) for column in zip(*rows, strict=True)]
    lines = []
    for step, row in zip(credential["steps"], rows, strict=True):
        begins = Text("  ")
        for cell, width in zip(row, widths, strict=True):
            begins.append(cell).append(" " * (width - cell.cell_len + 2))
        tries = f" ({step['attempts']} tries)" if step["attempts"] > 1 else ""
        lines.append(Hanging(begins, begins.cell_len, Text(plain((step["reason"] or "") + tries))))
    return Group(heading, why, *lines)


def _columns(step: dict[str, Any]) -> list[Text]:
    """Return what stands in columns of a step."""
    where = f" on {step['target']}" if step["target"] else ""
    return [
        Text(plain(step["id"])),
        Text(plain(f"{step['do']}{where}")),
        Text(step["state"], style=_STEP_STYLES.get(step["state"], "yellow")),
        Text(_clock(step["settled_at"] or step["intended_at"])),
        Text(_took(step)),
    ]


def _took(step: dict[str, Any]) -> str:
    if not (step["settled_at"] and step["intended_at"]):
        return ""
    settled, intended = (datetime.fromisoformat(step[name]) for name in ("settled_at", "intended_at"))
    return f"{(settled - intended).total_seconds() * 1000:,.0f} ms"


def _clock(moment: str) -> str:
    return moment[11:23]


def _totals(report: dict[str, Any]) -> list[RenderableType]:
    totals = report["totals"]
    told = ((state.value.replace("_", " "), totals.get(state.value, 0)) for state in CredentialState)
    counts = " · ".join(f"{count:,} {name}" for name, count in told if count or name != _RARE)
    replaced = f"{report['replaced']:,} replaced · {report['converged']:,} converged"
    return [
        Sentence(f"{totals['credentials']:,} credential{'' if totals['credentials'] == 1 else 's'}: {counts}"),
        Sentence(f"{replaced} · {report['unidentified']:,} unidentified"),
    ]
