"""What was done of a vendor, in people's words: by its chain of evidence and that of the incident that paused it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from rotator.bootstrap import Rotator
from rotator.flow.gate_facts import Did
from rotator.flow.standing import CredentialState
from rotator.ledger import (
    advisories,
    assessments,
    attestations,
    manifests,
    pause_gates,
    pauses,
    vendor_history,
    vendor_uses,
    vendors,
)
from rotator.manifests.comparing import Difference
from rotator.report.clocks import moment
from rotator.report.datasets import AS_RECORDED, DIFFERS, counted, named
from rotator.report.plain import plain
from rotator.shown.picture import Picture

MOST = 60
"""So many of what was done are told."""
_LONGEST = 400
_Body = Mapping[str, Any]
_Words = Callable[[_Body], str]


def story(parts: Rotator, name: str, picture: Picture | None) -> list[dict[str, Any]]:
    """Return it, the newest first, each with the record that shows it; `picture` is of the incident of its last pause.

    That all was dead is no record of its own: each credential's chain has its own.
    """
    found = [_told(each) for each in vendor_history.newest(parts.database, vendors.CHAIN + name, MOST)]
    for incident in picture.every if picture is not None else ():
        records = map(_told, vendor_history.newest(parts.database, incident, MOST))
        found += [told for told in records if told["of"] != name]  # what is in both chains is told once
    known = [each for each in found if each["what"]]
    known += _all_dead(picture) if picture is not None else ()
    return sorted(known, key=lambda each: each["at"], reverse=True)[:MOST]


def _told(record: Mapping[str, Any]) -> dict[str, Any]:
    body = json.loads(record["body"])
    says = _ACTS.get(body.get("act", ""))
    return {
        "at": moment(body.get("at")),
        "what": _short(says(body)) if says is not None else "",
        "by": plain(str(body.get("by") or "")),
        "why": _short(str(body.get("reason") or "")),
        "tone": _tone(body),
        "of": body.get("vendor"),
        "record": {each: record[each] for each in ("chain", "seq", "hash", "body")},
    }


def _all_dead(picture: Picture) -> Iterator[dict[str, Any]]:
    """Yield when the last of what an incident cuts was dead, once all is."""
    cut = [each for each in picture.told if not (each.is_dismissed or each.is_task)]
    rows = [each for each in cut if each.state is not CredentialState.LET_IN_AGAIN]
    ends = [each.dead_at for each in rows]
    if not picture.is_whole or not rows or None in ends:
        return
    states = [each.state for each in rows]
    proven, stated = (states.count(each) for each in (CredentialState.PROVEN_DEAD, CredentialState.STATED_DEAD))
    how = [f"{proven:,} proven by refusals"] * bool(proven)
    how += [f"{stated:,} by the word of their issuers alone"] * bool(stated)
    what = f"All that machines cut is dead: {', '.join(how) or 'elsewhere'}"
    what += f"; {len(cut) - len(rows):,} let in again since" * (len(cut) > len(rows))
    yield {"at": moment(max(each for each in ends if each is not None)), "what": what, "by": "", "why": ""} | {
        "tone": "",
        "record": None,
    }


def _registered(body: _Body) -> str:
    keys = ", ".join(sorted({*body["before"], *body["after"]}))
    return "It was registered" if body["is_new"] else f"The registry says something else of it: {keys}"


def _software(body: _Body) -> str:
    of = f", made {moment(body['made'])[:10]}" if body.get("made") else ""
    return f"A list of what it runs came: {body['source']}, {body['components']:,} components{of}"


def _touched(body: _Body) -> str:
    return f"{body['advisory']} arrived and touches it, with priority {body['priority']:.3g}: {body['why']}"


def _attested(body: _Body) -> str:
    return f"Attested: {body['kind']} by {body['issuer']}, {body['valid_from']} to {body['valid_to']}"


def _term(body: _Body) -> str:
    what = f"set to {body['value']:.3g}" if "value" in body else "left to what is known again"
    return f"The {body['term'].replace('_', ' ')} was {what}, for {body['notice'] or 'every notice'}"


def _paused(body: _Body) -> str:
    why = f", for {', '.join(body['notices'])}" if body.get("notices") else ""
    return f"PAUSED{why}: nothing new is made for it, and the end of all that it holds is planned"


def _read(body: _Body) -> str:
    believed = sum(1 for each in body["read"] if each["believed"])
    return f"{len(body['read']):,} secrets were read where we deliver them, to knock with; {believed:,} are believed"


def _used(body: _Body) -> str:
    read = f"{body['logs']:,} access logs were read: they name {body['named']:,} of what it holds"
    grave = [each["grave"] for each in body["uses"] if each["grave"]]
    odd = [f"{body['unusual']:,} are used unusually"] if body["unusual"] else []
    return "; ".join([read, *odd, *grave[:1]])


def _given(body: _Body) -> str:
    paper = body.get("document")
    if paper is None:
        return f"The gate {body['gate']}: {', '.join(body.get('advisories', ()))} was given"
    return f"The gate {body['gate']}: {paper['name']} of {paper['dated']}, from {paper['from']}, was given"


def _overridden(body: _Body) -> str:
    return f"The gate {body['gate']} was OVERRIDDEN, against: {'; '.join(body.get('against', ()))}"


def _checked(body: _Body) -> str:
    begins = f"The dataset {body['manifest']} was checked:"
    ends = f", by what {body['read_by']} read there" if body.get("read_by") else ""
    if not _differs(body):
        return f"{begins} {AS_RECORDED}{ends}"
    return f"{begins} {DIFFERS.upper()}, {counted(dict(body))} ({'; '.join(named(dict(body)))}){ends}"


def _differs(body: _Body) -> bool:
    return any(body[each] for each in Difference)


def _yes(body: _Body) -> str:
    of = " and ".join(body.get("scope", ())) or "plan"
    return f"The {of} was approved" if not body.get("wanted") else f"One yes to the {of}; more are wanted"


_ACTS: Mapping[str, _Words] = {
    vendors.REGISTERED: _registered,
    vendors.SOFTWARE: _software,
    vendors.ATTESTED: _attested,
    advisories.TOUCHES: _touched,
    attestations.REMINDED: lambda body: f"Its owner was told: {'; '.join(body['what'])}",
    assessments.SET: _term,
    assessments.CLEARED: _term,
    pauses.PAUSED: _paused,
    pauses.AGAIN: lambda _: "Paused again: what it holds by now is added",
    "material_read": _read,
    vendor_uses.SEEN: _used,
    pause_gates.ACTS[Did.GIVEN]: _given,
    pause_gates.ACTS[Did.YES]: lambda body: f"The gate {body['gate']}: somebody said yes",
    pause_gates.ACTS[Did.OVERRIDDEN]: _overridden,
    pauses.RESTORED: lambda _: "LET IN AGAIN: new credentials may be made for it",
    manifests.CHECKED: _checked,
    "dismissed": lambda body: f"{body['of']} was said to be {body['as'].replace('_', ' ')}",
    "said_yes": _yes,
    "approved": lambda body: f"Approved: the plan {body['plan']} begins",
    "broke_glass": lambda _: "GLASS WAS BROKEN: begun without the approval that it needs",
    "stopped": lambda _: "STOPPED by a person: no more calls",
    "continued": lambda _: "It goes on",
    "closed": lambda _: "Its incident was closed",
    "reopened": lambda _: "Its incident, or a credential in it, was opened again",
    "alive_again": lambda _: "COME BACK: what was dead is alive again",
}
"""What is told of each act; of others, such as what was sent to whom, the evidence alone tells."""
_ALARMING = {pauses.PAUSED, pause_gates.ACTS[Did.OVERRIDDEN], "broke_glass", "stopped", "alive_again"}


def _tone(body: _Body) -> str:
    act = body.get("act")
    is_grave = act == vendor_uses.SEEN and any(each["grave"] for each in body["uses"])
    return "red" if act in _ALARMING or is_grave or (act == manifests.CHECKED and _differs(body)) else ""


def _short(text: str) -> str:
    said = plain(text)
    return said if len(said) <= _LONGEST else f"{said[: _LONGEST - 1]}…"
