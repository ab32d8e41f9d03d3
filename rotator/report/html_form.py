"""The report as one HTML file that an auditor keeps and prints: no script, nothing from elsewhere, its curve inside.

It says in the words of the terminal what is open, what people decided, and what the evidence does not show.
"""

from __future__ import annotations

import functools
import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from operator import itemgetter
from pathlib import Path
from typing import Any

import jinja2
from rich.console import Console, RenderableType

from rotator import __version__
from rotator.flow.standing import UNCOUNTED, CredentialState
from rotator.report import curve, lives
from rotator.report.approval import approved_by
from rotator.report.attention import acted, for_you, not_begun, scheduled, still_open, told
from rotator.report.clocks import moment, untold
from rotator.report.csv_form import seconds_between
from rotator.report.datasets import lines as datasets
from rotator.report.dismissed import lines as dismissed
from rotator.report.plain import plain
from rotator.report.revisions import each_run

STEPPED = 200
"""Of how many credentials each step is told; of more, `-o json` has them."""
MEANS = {
    CredentialState.PROVEN_DEAD: "the secret was accepted before, then refused for its issuer's settle time, unbroken",
    CredentialState.STATED_DEAD: "its issuer says that it is dead; nobody saw it refused",
    CredentialState.SETTLING: "it is refused, not yet for long enough to be called dead",
    CredentialState.PENDING: "the work on it has not begun, or goes on",
    CredentialState.HELD: "it waits for a person",
    CredentialState.MANUAL: "no machine here can answer it: a task for a person",
    CredentialState.FAILED: "a step failed, and a person must decide",
    CredentialState.DISMISSED: "a person says that it is left alone, and why",
    CredentialState.LET_IN_AGAIN: "a grant that its vendor got back as it was let in again",
}
_CLOCKS = (
    (
        "time_to_revoke",
        "Time to revoke",
        "from the moment it was detected to the first refusal of the series that proves it dead",
    ),
    ("revocation_latency", "Revocation latency", "from the approval that let work on it begin to the same moment"),
)
_NOT_OPEN = {*UNCOUNTED, CredentialState.PROVEN_DEAD}
_LINE = 100_000
_AFTER_S = 60.0
_IN_SECONDS_S, _HOUR_S, _DAY_S = 120, 3600, 86400


def text(report: Mapping[str, Any], made_at: float, listed: int | None = None, stepped: int = STEPPED) -> str:
    """Return the file; it was made at a moment, in epoch seconds.

    It lists all credentials, or so many, of which what is not proven dead comes first; and the steps of a few.
    """
    incident, credentials = report["incident"], report["credentials"]
    runs = list(each_run(credentials))
    shown = runs if listed is None or len(runs) <= listed else sorted(runs, key=_is_dead)[:listed]
    lines = survival(report)
    until = drawn_until(lines, made_at)
    opens = still_open(credentials) if incident["begun"] else not_begun(credentials)
    return template("report.html").render(
        report=report,
        incident=incident,
        version=__version__,
        made_at=datetime_of(made_at),
        attention=_sentences(for_you(dict(incident))),
        states=[(each.value, report["totals"][each.value], MEANS[each]) for each in CredentialState],
        clocks=[(name, means, report[key]) for key, name, means in _CLOCKS],
        curve=curve.svg(lines, until),
        stayed=datetime_of(until) if until < made_at else "",
        keys=[(curve.key(number), each.name, each.at(made_at)) for number, each in enumerate(lines)],
        curve_rows=curve.rows(lines, until),
        style=curve.STYLE,
        milestones=milestones(report),
        providers=_providers(report),
        open_ones=_sentences([*opens, *scheduled(credentials, incident["start"])]),
        decisions=_sentences([*approved_by(dict(incident)), *acted(credentials)]),
        dismissals=_sentences(dismissed(credentials, report["taken_back"])),
        datasets=_sentences(datasets(dict(incident))),
        told=_sentences(told(dict(incident))),
        count=len(runs),
        runs=[each | {"took_s": seconds_between(each["detected_at"], each["proven_dead_at"])} for each in shown],
        stepped=[each for each in shown if each["steps"]][:stepped],
        timelines={each["run"]: each for each in report.get("timelines", ())},
        unshown=unshown(report),
    )


def _is_dead(credential: Mapping[str, Any]) -> bool:
    return bool(credential["state"] == CredentialState.PROVEN_DEAD)


def datetime_of(seconds: float) -> str:
    """Return a moment as ISO 8601 in UTC, in whole seconds."""
    return f"{moment(seconds)[:19]}Z"


def survival(report: Mapping[str, Any]) -> list[lives.Line]:
    """Return the lines of the survival curve: of all that counts, and of each kind where there are several."""
    found: dict[str, list[tuple[float, float | None]]] = {}
    for each in report["credentials"]:
        if each["state"] not in UNCOUNTED:
            life = _epoch(each["detected_at"]) or 0.0, _epoch(each["proven_dead_at"])
            found.setdefault(each["provider"] or "not recognised", []).append(life)
    return lives.lines("all", {name: lives.Lives.of(each) for name, each in found.items()})


def drawn_until(lines: Sequence[lives.Line], made_at: float) -> float:
    """Return to which moment the curve is drawn: not far beyond its last change, where it would be a line without end.

    It is not drawn shorter than what is told of it: nothing changed from then on.
    """
    points = lines[0].points
    if not points:
        return made_at
    begun, changed = points[0][0], points[-1][0]
    return min(made_at, changed + max(changed - begun, _AFTER_S))


def milestones(report: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what happened to the incident as a whole, in order of time: a moment, and what."""
    incident = report["incident"]
    counted = [each for each in report["credentials"] if each["state"] not in UNCOUNTED]
    dead = sorted(each["proven_dead_at"] for each in counted if each["proven_dead_at"])
    replaced = sorted(each["replaced_at"] for each in counted if each["replaced_at"])
    found = [(incident["exposed_at"], "exposed, as far as is known")]
    found += [(incident["detected_at"], "detected"), (incident["declared_at"], "declared")]
    found += [one for each in incident["approvals"] for one in _approved(each)]
    found += [
        (at[0], f"the first credential is {what}") for at, what in ((dead, "proven dead"), (replaced, "replaced")) if at
    ]
    if counted and len(dead) == len(counted):
        found.append((dead[-1], "the last credential is proven dead"))
    found.append((incident["closed_at"] or "", f"closed by {incident['closed_by']}: {incident['closed_reason']}"))
    return sorted(((at, what) for at, what in found if at), key=itemgetter(0))


def _approved(revision: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return each yes to a revision: where no rule asks for several, there is the one."""
    if revision["said"]:
        return [(one["at"], f"{one['scope']} approved by {one['by']}") for one in revision["said"]]
    return [(revision["approved_at"], f"revision {revision['revision']} approved by {revision['approved_by']}")]


def unshown(report: Mapping[str, Any]) -> list[str]:
    """Say what nobody may read into it."""
    totals = report["totals"]
    alive = sum(totals[each] for each in ("settling", "pending", "held", "manual", "failed"))
    found = []
    if alive:
        found.append(
            f"{alive:,} of {totals['credentials']:,} are not dead by any evidence: whoever has them may use them."
        )
    if totals["stated_dead"]:
        found.append(
            f"{totals['stated_dead']:,} are dead by their issuer's word alone; no knock with the secret was refused."
        )
    if totals["dismissed"]:
        found.append(
            f"{totals['dismissed']:,} were left alone on a person's word: nothing was proven, no figure counts them."
        )
    if totals["let_in_again"]:
        found.append(
            f"{totals['let_in_again']:,} were given back as their vendor was let in again: no figure counts them."
        )
    if report["unidentified"]:
        found.append(f"{report['unidentified']:,} are of no kind that is known here: what they open is not known.")
    found += [
        "A death says that the credential is refused from then on. It does not say who used it before, or for what.",
        "What is open counts in each figure as open for as long as it is. What it will have taken nobody knows yet.",
        "Every time is by the clocks of the machines that ran the rotator; issuers' own times are not compared.",
        "Each record of evidence names the hash of the one before; where the rotator has a key, checkpoints sign them.",
        "What was signed cannot be changed or left out unseen (rotator evidence verify); what came since then can.",
        "Who could write to the ledger and had the key could sign another past: only a pack that was kept shows it.",
        "This page is not signed itself: a pack of the evidence is (rotator evidence export).",
    ]
    return found


def _providers(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    counts: dict[str, Counter[str]] = {}
    for each in report["credentials"]:
        counts.setdefault(each["provider"] or "not recognised", Counter())[each["state"]] += 1
    return [
        {
            "name": name,
            "total": counted.total(),
            "states": [(state.value, counted[state.value]) for state in CredentialState if counted[state.value]],
            "times": {
                "mean_s": report["by_provider"].get(name, {}).get("mean_s"),
                "still_open": sum(count for state, count in counted.items() if state not in _NOT_OPEN),
            },
        }
        for name, counted in sorted(counts.items())
    ]


def _epoch(iso: str) -> float | None:
    return datetime.fromisoformat(iso).timestamp() if iso else None


def _sentences(found: Iterable[RenderableType]) -> list[tuple[int, str]]:
    """Return what would be printed at a terminal: each line, and how deep it stands under another."""
    screen = Console(file=io.StringIO(), width=_LINE, color_system=None, force_terminal=False, soft_wrap=True)
    with screen.capture() as captured:
        for each in found:
            screen.print(each)
    lines = [line for line in captured.get().splitlines() if line.strip()]
    return [((len(line) - len(line.lstrip()) + 2) // 4, line.strip()) for line in lines]


def lasted(seconds: float | str | None) -> str:
    """Return a time as people read it, "-" for none."""
    if seconds is None or isinstance(seconds, str):
        return "-"
    if seconds < _IN_SECONDS_S:
        return f"{seconds:.1f} s"
    whole = int(seconds)
    if whole < _HOUR_S:
        return f"{whole // 60} min {whole % 60} s"
    if whole < _DAY_S:
        return f"{whole // _HOUR_S} h {whole % _HOUR_S // 60} min"
    return f"{whole // _DAY_S} d {whole % _DAY_S // _HOUR_S} h"


def _names(values: Sequence[str]) -> str:
    return ", ".join(map(plain, values))


@functools.cache
def template(name: str) -> jinja2.Template:
    """Return a page of this folder: all that is shown in it is escaped."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "count": lambda number: f"{number:,}",
        "words": lambda name: str(name).replace("_", " "),
        "plain": lambda told: plain(str(told)),
        "lasted": lasted,
        "untold": untold,
        "share": lambda part: "-" if part is None else f"{part:.1%}",
        "names": _names,
        "clock": lambda iso: f"{iso[:10]} {iso[11:19]}" if iso else "-",
    }
    return made.get_template(name)
