"""Certificates as people and programs see them: which are believed today, and why others are not."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rotator import __version__, clock
from rotator.bootstrap import Rotator
from rotator.evidence.certificate import CERTIFIED, LIVE_ACCOUNT, Certificate, out_of_date, wrong
from rotator.ledger.certificates import Certificates, Kept
from rotator.report.clocks import moment


def certificates(parts: Rotator) -> list[dict[str, Any]]:
    """Return a row for each certificate, the newest first; `stands` says why one is not believed, "" where it is."""
    found = Certificates(parts.database).every()
    key = parts.settings.signing_key() if found else None
    return [_row(each, _doubt(parts, each.certificate, key.public if key is not None else "")) for each in found]


def _doubt(parts: Rotator, certificate: Certificate, mine: str) -> str:
    """Say why it is not believed here today, "" where it is."""
    if not mine:
        return "no key signs evidence here: nobody can tell whose it is"
    return (
        wrong(certificate, mine)
        or out_of_date(certificate.told, clock.now(), __version__)
        or _changed(parts, certificate.told)
    )


def _changed(parts: Rotator, told: Mapping[str, Any]) -> str:
    """Say what of a certificate is another here by now, "" where nothing is."""
    name, playbook = told["connection"], parts.playbooks.get(told["kind"])
    if name not in {each.name for each in parts.connections} or parts.account_of(name) != told["account"]:
        return f"{name} leads to another account, or is gone"
    return "" if playbook is not None and playbook.digest == told["playbook"] else "its playbook is another by now"


def _row(kept: Kept, stands: str) -> dict[str, Any]:
    told = kept.certificate.told
    clocks = told["clocks"]
    took = None
    if clocks["dead_at"] is not None and clocks["requested_at"] is not None:
        took = round(clocks["dead_at"] - clocks["requested_at"], 3)
    return {
        "number": kept.number,
        "kind": told["kind"],
        "connection": told["connection"],
        "account": told["account"],
        "owner": told["owner"],
        "at": moment(kept.at),
        "outcome": told["outcome"],
        "why": told["why"],
        "grade": told["grade"],
        "place": told["place"],
        "evidence": told["evidence"],
        "time_to_dead_s": took,
        "stands": stands,
        "document": kept.certificate.document,
    }


def live(parts: Rotator) -> dict[str, dict[str, Any]]:
    """Return by kind the newest certificate of a live account of this deployment that is believed today.

    The newest of each connection counts: one that failed since takes the earlier one's word back.
    """
    if not _has_ledger(parts):
        return {}
    found: dict[str, dict[str, Any]] = {}
    judged: set[tuple[str, str]] = set()
    for each in certificates(parts):
        of = (str(each["kind"]), str(each["connection"]))
        if of in judged:
            continue
        judged.add(of)
        believed = each["outcome"] == CERTIFIED and each["grade"] == LIVE_ACCOUNT and not each["stands"]
        if believed:
            found.setdefault(of[0], each)
    return found


def _has_ledger(parts: Rotator) -> bool:
    """Tell whether there is one: who asks which kinds there are has none made for it."""
    kind, _, path = parts.settings.database_url.partition(":///")
    return not kind.startswith("sqlite") or Path(path).is_file()
